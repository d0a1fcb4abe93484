/** Pages that are open are told when a request has changed, in this process or in another one. */
import type { Response } from 'express'
import { Changes } from '../pep/changes.ts'
import { liveMs, liveSilenceMs, liveStreamsMax } from './limits.ts'

export interface LivePorts {
  /** Another text when a request has changed. */
  readonly version: () => string
  /** Told of a ledger that cannot be read. */
  readonly report: (error: unknown) => void
}

export class Live {
  readonly #version: () => string
  readonly #changes: Changes
  readonly #pages = new Set<Response>()
  #silence: NodeJS.Timeout | undefined

  constructor({ version, report }: LivePorts) {
    this.#version = version
    this.#changes = new Changes({ version, report, pollMs: liveMs })
  }

  /** False when so many pages are open already. Throws when the ledger cannot be read. */
  add(response: Response): boolean {
    if (this.#pages.size >= liveStreamsMax) return false
    if (this.#pages.size === 0) this.#begin()
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    response.write('retry: 2000\n\n')
    this.#pages.add(response)
    response.once('close', () => {
      this.#pages.delete(response)
      if (this.#pages.size === 0) this.#stop()
    })
    return true
  }

  end(): void {
    this.#stop()
    for (const page of this.#pages) page.end()
  }

  #begin(): void {
    this.#changes.start(() => this.#tell('event: change\ndata:\n\n'), this.#version())
    this.#silence = setInterval(() => this.#tell(': still here\n\n'), liveSilenceMs).unref()
  }

  #stop(): void {
    this.#changes.stop()
    clearInterval(this.#silence)
  }

  #tell(text: string): void {
    for (const page of this.#pages) page.write(text)
    this.#silence?.refresh()
  }
}
