/** How it stands with the bundles, told to a service as OPA tells it (`POST …/status`, v1/plugins/status `UpdateRequestV1`). */
import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '../model/errors.ts'
import { statusAgainMs } from './limits.ts'
import { urlText } from './places.ts'
import { post, statusFault } from './request.ts'
import { readSecrets, type SecretFiles } from './secrets.ts'
import type { BundleStatus } from './status.ts'

type Statuses = Readonly<Record<string, BundleStatus>>

export interface StatusOptions {
  /** Undefined while nobody is to be told. */
  readonly url: () => URL | undefined
  readonly secrets: SecretFiles
  /** Of the process: `id` and `version` at least. */
  readonly labels: Readonly<Record<string, string>>
  readonly status: () => Statuses
  /** Of the discovery bundle, where there is one. */
  readonly discovery: () => BundleStatus | undefined
  readonly say: (sentence: string) => void
}

export class StatusReport {
  readonly #options: StatusOptions
  readonly #ending = new AbortController()
  #isSending = false
  #isDue = false
  #sent: object | undefined
  #sentAt = 0
  #isHeard = true

  constructor(options: StatusOptions) {
    this.#options = options
  }

  /** Sends how it stands, if that is news. What happens meanwhile is in the next message. */
  changed(): void {
    if (this.#isSending) {
      this.#isDue = true
      return
    }
    const url = this.#options.url()
    if (!url) return
    const news = { url: url.href, bundles: newsIn(this.#options) }
    if (isDeepStrictEqual(news, this.#sent) && performance.now() - this.#sentAt < statusAgainMs) return
    this.#isSending = true
    void this.#send(url, news).finally(() => {
      this.#isSending = false
      const isDue = this.#isDue
      this.#isDue = false
      if (isDue && !this.#ending.signal.aborted) this.changed()
    })
  }

  stop(): void {
    this.#ending.abort()
  }

  /** Never rejects. */
  async #send(url: URL, news: object): Promise<void> {
    const { secrets, say } = this.#options
    try {
      const answer = await post(url, messageOfStatus(this.#options), {
        secrets: readSecrets(secrets),
        signal: this.#ending.signal,
      })
      if (answer.status < 200 || answer.status > 299) throw statusFault(answer, url, '--status-token-file')
      this.#sent = news
      this.#sentAt = performance.now()
      if (!this.#isHeard) say(`\`${urlText(url)}\` hears the status again`)
      this.#isHeard = true
    } catch (error) {
      if (this.#ending.signal.aborted) return
      if (this.#isHeard) say(`warning: the status was not heard: ${messageOf(error)}`)
      this.#isHeard = false
    }
  }
}

function messageOfStatus({ labels, status, discovery }: StatusOptions): string {
  const bundles = status()
  const isActive = Object.values(bundles).every(({ active_revision }) => active_revision !== '')
  const plugins = { bundle: { state: isActive ? 'OK' : 'NOT_READY' } }
  return JSON.stringify({ labels, bundles, discovery: discovery(), plugins })
}

/** Questions that brought nothing are none. */
function newsIn({ status, discovery }: StatusOptions): object {
  const own = discovery()
  return [...Object.values(status()), ...(own ? [own] : [])].map(
    ({ last_request: _, last_successful_request: __, last_successful_download: ___, ...news }) => news,
  )
}
