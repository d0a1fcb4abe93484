/**
 * An OCI registry, as `opa` and ORAS push bundles to one: a manifest whose first layer of the right type is the bundle.
 * What a registry sends is believed by its digests alone.
 */
import { hash } from 'node:crypto'
import { bundleBytesMax } from '../opa/limits.ts'
import { SourceError } from './errors.ts'
import { manifestBytesMax, tokenBytesMax } from './limits.ts'
import { type ImagePlace, placeText, registryOrigin, urlText } from './places.ts'
import { challengeIn, tokenIn, tokenUrl } from './registryToken.ts'
import { type Answered, get, statusFault } from './request.ts'
import { isPassword, readSecrets, type SecretFiles, type Secrets, withoutCredentials } from './secrets.ts'
import { requireGzip } from './service.ts'
import type { Answer, Question, Source } from './source.ts'

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

/** What `opa` takes for a bundle. */
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip'

interface Layer {
  readonly digest: string
  readonly size: number
}

export class Registry implements Source {
  readonly #place: ImagePlace
  readonly #files: SecretFiles
  readonly #base: string
  /** Of the last question: tokens hold for minutes. */
  #token: string | undefined

  constructor(place: ImagePlace, files: SecretFiles) {
    this.#place = place
    this.#files = files
    this.#base = `${registryOrigin(place)}/v2/${place.repository}`
  }

  /** The ETag is the digest of the layer, as `opa` has it. */
  async ask({ etag, signal }: Question): Promise<Answer> {
    const secrets = readSecrets(this.#files)
    const layer = await this.#layer(secrets, signal)
    if (layer.digest === etag) return { kind: 'same', waits: false }
    const url = new URL(`${this.#base}/blobs/${layer.digest}`)
    // Registries keep layers elsewhere and redirect there: the digest says that these are the bytes.
    const { bytes } = await this.#get(url, secrets, signal, { bytesMax: layer.size, elsewhere: true })
    requireDigest(bytes, layer.digest, url)
    requireGzip(bytes, placeText(this.#place))
    return { kind: 'found', bytes, etag: layer.digest, waits: false }
  }

  async #layer(secrets: Secrets, signal: AbortSignal): Promise<Layer> {
    const { reference } = this.#place
    const url = new URL(`${this.#base}/manifests/${reference}`)
    const headers = { accept: manifestTypes.join(', ') }
    const { bytes } = await this.#get(url, secrets, signal, { headers, bytesMax: manifestBytesMax })
    if (reference.includes(':')) requireDigest(bytes, reference, url)
    return layerIn(bytes, placeText(this.#place))
  }

  /** Asks again with a token where the registry names who gives one. */
  async #get(
    url: URL,
    secrets: Secrets,
    signal: AbortSignal,
    asked: {
      readonly headers?: Readonly<Record<string, string>>
      readonly bytesMax: number
      readonly elsewhere?: true
    },
  ): Promise<Answered> {
    const withToken = () => ({
      ...secrets,
      ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
    })
    const first = await get(url, { ...asked, secrets: withToken(), signal })
    const challenge = first.status === 401 ? challengeIn(first.headers['www-authenticate']) : undefined
    if (challenge === undefined) return required(first, url)
    this.#token = await this.#tokenFor(tokenUrl(challenge, this.#place, url), secrets, signal)
    return required(await get(url, { ...asked, secrets: withToken(), signal }), url)
  }

  async #tokenFor(url: URL, secrets: Secrets, signal: AbortSignal): Promise<string> {
    const shown = url.origin === registryOrigin(this.#place) ? secrets : credentialOf(secrets)
    const answer = await get(url, { secrets: shown, bytesMax: tokenBytesMax, signal })
    return tokenIn(required(answer, url).bytes, url)
  }
}

/** Who gives tokens for a registry wants its user and password. A token or a certificate is for the registry itself. */
function credentialOf(secrets: Secrets): Secrets {
  const { authorization } = secrets
  const shown = authorization !== undefined && isPassword(secrets) ? { authorization } : {}
  return { ...withoutCredentials(secrets), ...shown }
}

function required(answer: Answered, url: URL): Answered {
  if (answer.status !== 200) throw statusFault(answer, url)
  return answer
}

function requireDigest(bytes: Uint8Array, digest: string, url: URL): void {
  if (`sha256:${hash('sha256', bytes)}` !== digest)
    throw new SourceError('bundle_digest_wrong', `\`${urlText(url)}\` answered with what has another digest`)
}

/** The first layer that may be a bundle. Throws `bundle_image_wrong`. */
function layerIn(bytes: Uint8Array, image: string): Layer {
  const wrong = (what: string) => new SourceError('bundle_image_wrong', `\`${image}\` ${what}`)
  const manifest = manifestIn(bytes)
  if (manifest === undefined) throw wrong('has no manifest of an image with layers: an index of several is none')
  const layer = manifest.find((one) => one?.['mediaType'] === layerType)
  if (!layer) throw wrong(`has no layer of the type \`${layerType}\``)
  const { digest, size } = layer
  if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw wrong('names its layer by no SHA-256 digest')
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size <= 0) throw wrong('says no size of its layer')
  if (size > bundleBytesMax)
    throw new SourceError(
      'bundle_too_large',
      `\`${image}\` has a layer of ${size} bytes, ${bundleBytesMax} are allowed`,
    )
  return { digest, size }
}

type Member = Readonly<Record<string, unknown>> | null | undefined

function manifestIn(bytes: Uint8Array): readonly Member[] | undefined {
  try {
    const { layers } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { readonly layers?: unknown }
    return Array.isArray(layers) ? (layers as readonly Member[]) : undefined
  } catch {
    return undefined
  }
}
