/** A transport of an MCP SDK whose messages take a way of our own; in everything else it is the transport itself. */

/** The public interface of a transport, as far as messages pass it; the same in SDK 1.x and 2.x. */
export interface Transport {
  send(message: unknown, options?: SendOptions): Promise<void>
  onmessage?: Receiver | undefined
  onclose?: (() => void) | undefined
}

export type Receiver = (message: unknown, extra?: unknown) => void

/** Options of SDK 2.x by which a request is given up without a message that says so. */
export interface SendOptions {
  readonly requestSignal?: AbortSignal | undefined
}

/** What stands between the SDK and its transport. */
export interface Between {
  /** What the SDK sends with; a tracing library may put its own before it. */
  send: Transport['send']
  /** What the SDK listens with. */
  onmessage: Receiver | undefined
  onclose: (() => void) | undefined
}

const ways: ReadonlySet<PropertyKey> = new Set<keyof Between>(['send', 'onmessage', 'onclose'])

/**
 * The SDKs look at a transport in many ways (its class, its session, what a subclass adds), so what they get is the
 * transport, seen through a proxy that answers for three members alone.
 */
export function diverted(transport: Transport, between: Between): Transport {
  return new Proxy(transport, {
    get(target, key) {
      if (ways.has(key)) return between[key as keyof Between]
      const value: unknown = Reflect.get(target, key)
      // Methods run on the transport itself: through a proxy they could not reach its private fields.
      return typeof value === 'function' && isMethod(key) ? value.bind(target) : value
    },
    set(target, key, value) {
      if (ways.has(key)) return Reflect.set(between, key, value)
      return Reflect.set(target, key, value)
    },
  })
}

/** Handlers are compared by their users, and a class is no method. */
function isMethod(key: PropertyKey): boolean {
  return key !== 'constructor' && !String(key).startsWith('on')
}
