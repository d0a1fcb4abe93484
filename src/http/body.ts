/** The body of a request, up to a limit. */
import type { IncomingMessage } from 'node:http'

/** Undefined when it is larger: the rest of it is not read. Rejects when the caller leaves before its end. */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const take = (chunk: Buffer) => {
      length += chunk.length
      if (length <= bytesMax) return void chunks.push(chunk)
      request.off('data', take)
      request.pause()
      resolve(undefined)
    }
    const left = () => reject(new Error('the caller left'))
    request.on('data', take)
    request.once('end', () => {
      request.off('close', left) // it closes in any case, and an error is dear to make
      resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length))
    })
    request.once('error', reject)
    request.once('close', left)
  })
}
