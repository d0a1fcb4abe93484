/** Puts connections of ours under the clients and servers of an SDK, through the one method by which they get a transport. */
import type { Connection } from './connection.ts'
import type { Transport } from './transport.ts'

/** The public members of an SDK's `Client` or `Server` that say how it is connected. */
interface Connectable {
  readonly transport?: unknown
  connect(transport: Transport, ...rest: unknown[]): Promise<void>
  close(): Promise<void>
}

/** An `McpServer` connects through its `server`, and so do the SDK's own entry points. */
export function connectableOf(sdkObject: unknown): Connectable | undefined {
  if (!canConnect(sdkObject)) return undefined
  return 'server' in sdkObject && canConnect(sdkObject.server) ? sdkObject.server : sdkObject
}

function canConnect(value: unknown): value is Connectable & object {
  return typeof value === 'object' && value !== null && 'connect' in value && typeof value.connect === 'function'
}

function isTransport(value: unknown): value is Transport {
  return typeof value === 'object' && value !== null && 'send' in value && typeof value.send === 'function'
}

/** From now on every transport that it connects over is replaced by the one of a connection that `open` gives. */
export function guardConnections(sdkObject: Connectable, open: (wire: Transport) => Connection): void {
  const original = sdkObject.connect
  // A transport may be connected again: a second guard over the first would judge every call twice.
  const known = new WeakMap<Transport, Connection>()
  async function connect(this: Connectable, wire: Transport, ...rest: unknown[]): Promise<void> {
    if (!isTransport(wire)) throw new TypeError('what it was given to connect over is no transport')
    const connection = known.get(wire) ?? open(wire)
    known.set(wire, connection).set(connection.transport, connection)
    connection.opened()
    try {
      await original.call(this, connection.transport, ...rest)
    } catch (error) {
      connection.abandon()
      throw error
    }
    if (connection.adopted) return
    // A subclass may connect over a transport that it makes itself.
    connection.abandon()
    await this.close()
    throw new TypeError('it connected over another transport than the one it was given, past the guard')
  }
  Object.defineProperty(sdkObject, 'connect', { value: connect, writable: true, configurable: true, enumerable: false })
}
