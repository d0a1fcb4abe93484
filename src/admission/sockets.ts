/** Where the operator's own doors listen: a port, or a Unix socket that its owner alone can open. */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { messageOf, TollgateError } from '../model/errors.ts'

export type AdminAddress = { readonly host: string; readonly port: number } | { readonly path: string }

/** Rejects with `listen_failed`. */
export async function listenAt(server: Server, address: AdminAddress): Promise<void> {
  if (!('path' in address)) return listen(server, address)
  await removeStale(address.path)
  // The file comes into being while this runs, with the mode that the mask leaves: at no time can others connect.
  const before = process.umask(0o177)
  try {
    const listening = listen(server, address)
    process.umask(before)
    await listening
    chmodSync(address.path, 0o600)
  } finally {
    process.umask(before)
  }
}

function listen(server: Server, address: AdminAddress): Promise<void> {
  const name = 'path' in address ? address.path : `${address.host}:${address.port}`
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const why = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'it is in use' : messageOf(cause)
      reject(new TollgateError('listen_failed', `cannot listen on \`${name}\`: ${why}`, { cause }))
    })
    server.listen({ ...address }, resolve)
  })
}

/** A socket file that a dead process left. One that somebody answers on stays, and so does any other file. */
async function removeStale(path: string): Promise<void> {
  const code = await new Promise<string | undefined>((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
  // Linux refuses a connection to a file of any kind.
  if (code === 'ECONNREFUSED' && lstatSync(path).isSocket()) unlinkSync(path)
}
