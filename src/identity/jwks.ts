/** Where the keys of an issuer are: at a URL, or in a file. */
import { readFileSync } from 'node:fs'
import type { JSONWebKeySet, JWK } from 'jose'
import { Agent, request } from 'undici'
import { TollgateError } from '../model/errors.ts'
import { bytesOf } from './followed.ts'
import { jwksBytesMax, jwksFetchMsMax } from './limits.ts'

export interface RemoteKeys {
  readonly url: URL
  /** A file with certificates of the authority that the server is believed by; those of the system if not given. */
  readonly caFile?: string | undefined
  /** A file with the token that the server asks for, as the API server of a cluster may. */
  readonly tokenFile?: string | undefined
}

/** Follows no redirect, and reads no more than a limit. Throws when the file of the authority cannot be read at first. */
export function remoteKeys({ url, caFile, tokenFile }: RemoteKeys): () => Promise<JSONWebKeySet> {
  const agent = believing(caFile)
  return async () => {
    const token = tokenFile === undefined ? undefined : readFileSync(tokenFile, 'utf8').trim()
    const answer = await request(url, {
      dispatcher: agent(),
      headers: {
        accept: 'application/jwk-set+json, application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      headersTimeout: jwksFetchMsMax,
      signal: AbortSignal.timeout(jwksFetchMsMax),
    })
    if (answer.statusCode !== 200) {
      await answer.body.dump()
      throw new Error(`\`${url.href}\` answered with status ${answer.statusCode}`)
    }
    return keysIn(await bounded(answer.body, url.href), url.href)
  }
}

/** Read with each use: a cluster that renews its authority writes the new one into the file. */
function believing(caFile: string | undefined): () => Agent {
  const agentOf = (ca?: string) => new Agent({ connect: { timeout: jwksFetchMsMax, ...(ca !== undefined && { ca }) } })
  const read = () => (caFile === undefined ? undefined : Buffer.from(bytesOf(caFile)).toString('utf8'))
  let ca = read()
  let agent = agentOf(ca)
  return () => {
    const found = read()
    if (found === ca) return agent
    void agent.close()
    ca = found
    agent = agentOf(ca)
    return agent
  }
}

async function bounded(body: AsyncIterable<Buffer>, where: string): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > jwksBytesMax) throw new Error(`\`${where}\` answered with more than ${jwksBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Throws `jwks_invalid`. */
export function keysIn(text: string, where: string): JSONWebKeySet {
  let set: unknown
  try {
    set = JSON.parse(text)
  } catch {
    // What stands there may be a secret that was put into the wrong place: nothing of it is said.
    throw invalid(`\`${where}\` is no JSON`)
  }
  const { keys } = (typeof set === 'object' && set !== null ? set : {}) as { readonly keys?: unknown }
  if (!Array.isArray(keys)) throw invalid(`\`${where}\` has no list of \`keys\`: it is no JSON Web Key Set`)
  const isKey = (key: unknown) => typeof key === 'object' && key !== null && typeof (key as JWK).kty === 'string'
  if (!keys.every(isKey)) throw invalid(`\`${where}\` has something among its \`keys\` that is none`)
  // A secret that stood there by mistake must not become a key.
  const isPublic = (key: object) => !('k' in key) && !('d' in key)
  if (!keys.every(isPublic)) throw invalid(`\`${where}\` has a key that is not public`)
  return { keys } as JSONWebKeySet
}

function invalid(message: string): TollgateError {
  return new TollgateError('jwks_invalid', message)
}
