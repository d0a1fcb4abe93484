/** Pages that are open are told when a request has changed, in this process or in another one. */
import type { Response } from 'express'
import { liveMs, liveSilenceMs, liveStreamsMax } from './limits.ts'

export class Live {
  readonly #version: () => string
  readonly #pages = new Set<Response>()
  #timer: NodeJS.Timeout | undefined
  #last = ''
  #saidAt = 0

  constructor(version: () => string) {
    this.#version = version
  }

  /** False when so many pages are open already. */
  add(response: Response): boolean {
    if (this.#pages.size >= liveStreamsMax) return false
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    response.write('retry: 2000\n\n')
    if (this.#pages.size === 0) this.#begin()
    this.#pages.add(response)
    response.once('close', () => {
      this.#pages.delete(response)
      if (this.#pages.size === 0) clearInterval(this.#timer)
    })
    return true
  }

  end(): void {
    clearInterval(this.#timer)
    for (const page of this.#pages) page.end()
  }

  #begin(): void {
    this.#last = this.#now()
    this.#timer = setInterval(() => this.#look(), liveMs).unref()
  }

  #look(): void {
    const version = this.#now()
    const changed = version !== this.#last
    this.#last = version
    if (!changed && Date.now() - this.#saidAt < liveSilenceMs) return
    this.#saidAt = Date.now()
    for (const page of this.#pages) page.write(changed ? 'event: change\ndata:\n\n' : ': still here\n\n')
  }

  /** A ledger that cannot be read has not changed as far as anybody knows. */
  #now(): string {
    try {
      return this.#version()
    } catch {
      return this.#last
    }
  }
}
