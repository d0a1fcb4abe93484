/** `tollgate bundles serve`: the bundles of a folder for gates, and what gates say of them. */
import { readFileSync, statSync } from 'node:fs'
import { BundleServer } from '../distribution/bundleServer.ts'
import { isLoopback } from '../http/hosts.ts'
import { UsageError } from './exit.ts'
import { say } from './log.ts'
import { addressIn } from './serveOptions.ts'
import { tlsOptions } from './serveTls.ts'
import { signalled } from './serving.ts'

export interface BundlesServeOptions {
  readonly listen: string
  readonly tokenFile?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly clientCa?: string
}

/** Each status of a gate is a line on stdout. */
export async function bundlesServe(folder: string, options: BundlesServeOptions): Promise<void> {
  const address = addressIn(options.listen)
  if (address === undefined)
    throw new UsageError(`\`--listen\` takes PORT or HOST:PORT, as in \`127.0.0.1:8719\`, got \`${options.listen}\``)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`\`${folder}\` is no folder: put the bundles into one`)
  const tls = tlsOf(options)
  const { tokenFile } = options
  const token = tokenFile === undefined ? undefined : () => tokenIn(tokenFile)
  token?.()
  const server = new BundleServer({
    folder,
    token,
    tls,
    heard: (status) => process.stdout.write(`${JSON.stringify(status)}\n`),
    log: say,
  })
  const told = signalled()
  const port = await server.listen(address.host, address.port)
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  say(`bundles are at ${tls ? 'https' : 'http'}://${host}:${port}/bundles/NAME`)
  if (!token && !options.clientCa && !isLoopback(address.host))
    say('warning: nobody is asked who reads, and other machines can connect: name a `--token-file`')
  await told
  await server.close()
}

/** Who shows no certificate is not connected: there is nobody to answer in words. */
function tlsOf({ tlsCert, tlsKey, clientCa }: BundlesServeOptions) {
  if (tlsCert === undefined && tlsKey === undefined && clientCa === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UsageError('`--tls-cert` and `--tls-key` go together, and `--client-ca` needs both')
  const options = tlsOptions({ cert: tlsCert, key: tlsKey, clientCa }, say)
  return { ...options, rejectUnauthorized: clientCa !== undefined }
}

function tokenIn(file: string): string {
  const text = statSync(file, { throwIfNoEntry: false })?.isFile() ? readFileSync(file, 'utf8').trim() : ''
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw new UsageError(`\`${file}\` holds no token: one word, without spaces`)
}
