/** How it stands with a bundle, in the words in which OPA says it (v1/plugins/bundle `Status`), and ours beside them. */
import { messageOf, TollgateError } from '../model/errors.ts'
import { SourceError } from './errors.ts'

/** Times are RFC 3339; what has not been yet is left out. */
export interface BundleStatus {
  readonly name: string
  readonly type: 'snapshot'
  readonly place: string
  /** Of the manifest. Empty while none is active. */
  readonly active_revision: string
  readonly sequence?: number
  readonly expires_at?: string
  /** It was kept on disk, and nothing came from its place since the start. */
  readonly kept: boolean
  readonly size?: number
  readonly last_request?: string
  readonly last_successful_request?: string
  readonly last_successful_download?: string
  readonly last_successful_activation?: string
  /** Why the last question brought nothing, or what it brought did not become active. */
  readonly code?: string
  readonly message?: string
  readonly http_code?: number
}

type Changing = { -readonly [Key in keyof BundleStatus]?: BundleStatus[Key] | undefined }

export interface ActiveBundle {
  readonly revision: string
  readonly sequence?: number | undefined
  readonly expiresAtMs?: number | undefined
  readonly size: number
  readonly kept: boolean
}

export class Standing {
  readonly #about: { readonly name: string; readonly place: string }
  #now: Changing = {}

  constructor(name: string, place: string) {
    this.#about = { name, place }
  }

  get status(): BundleStatus {
    const known = Object.fromEntries(Object.entries(this.#now).filter(([, value]) => value !== undefined))
    return { ...this.#about, type: 'snapshot', active_revision: '', kept: false, ...known }
  }

  requested(atMs: number): void {
    this.#now.last_request = timeText(atMs)
  }

  answered(atMs: number): void {
    this.#now.last_successful_request = timeText(atMs)
  }

  downloaded(atMs: number): void {
    this.#now.last_successful_download = timeText(atMs)
  }

  activated(atMs: number, { revision, sequence, expiresAtMs, size, kept }: ActiveBundle): void {
    this.#now = {
      ...this.#now,
      active_revision: revision,
      sequence,
      expires_at: expiresAtMs === undefined ? undefined : timeText(expiresAtMs),
      size,
      kept,
      last_successful_activation: timeText(atMs),
    }
  }

  /** What is active is no longer. */
  deactivated(): void {
    this.#now = { ...this.#now, active_revision: undefined, sequence: undefined, kept: undefined }
  }

  /** Is this another failure than before? */
  failed(error: unknown): boolean {
    const { code, message, http_code } = this.#now
    const said = {
      code: error instanceof TollgateError ? error.code : 'bundle_error',
      message: messageOf(error),
      http_code: error instanceof SourceError ? error.httpCode : undefined,
    }
    Object.assign(this.#now, said)
    return said.code !== code || said.message !== message || said.http_code !== http_code
  }

  /** The last question brought what was wanted. Was that otherwise before? */
  fine(): boolean {
    const failed = this.#now.code !== undefined
    Object.assign(this.#now, { code: undefined, message: undefined, http_code: undefined })
    return failed
  }
}

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}
