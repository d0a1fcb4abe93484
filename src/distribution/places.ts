/** Where a bundle is, as the command line and the settings say it. */

export type Place =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'http'; readonly url: URL }
  | ImagePlace

/** An image of an OCI registry. */
export interface ImagePlace {
  readonly kind: 'oci'
  /** Host and, where it is not the usual one, port. */
  readonly registry: string
  readonly repository: string
  /** A tag, or a digest like `sha256:…`. */
  readonly reference: string
}

export const placeSays =
  'a file, a folder, the `http:` or `https:` URL of a bundle, or an image like `oci://registry.example.com/team/policy:1.4`'

/** Undefined for what is none. Users and passwords would stand in lists of processes, so a URL has none. */
export function placeIn(text: string): Place | undefined {
  if (text === '') return undefined
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text) ?? []
  switch (scheme?.toLowerCase()) {
    case undefined:
      return { kind: 'file', path: text }
    case 'http':
    case 'https':
      return urlIn(text)
    case 'oci':
      return imageIn(text.slice('oci://'.length))
  }
  return undefined
}

function urlIn(text: string): Place | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') return undefined
  return { kind: 'http', url }
}

/** The grammar of references of the distribution specification; what has no tag is `latest`, as `opa` and `docker` have it. */
function imageIn(text: string): ImagePlace | undefined {
  const [, registry = '', repository = '', tag, digest] =
    /^((?:[a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?)\/([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(\w[\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(
      text,
    ) ?? []
  if (!URL.canParse(`https://${registry}`)) return undefined
  return { kind: 'oci', registry, repository, reference: digest ?? tag ?? 'latest' }
}

/** Does it come over the network, so that a start may have to do without? */
export function isRemote({ kind }: Place): boolean {
  return kind !== 'file'
}

/** Registries of this machine are asked without TLS. */
export function registryOrigin({ registry }: ImagePlace): string {
  const { hostname } = new URL(`http://${registry}`)
  return new URL(`${isThisMachine(hostname) ? 'http' : 'https'}://${registry}`).origin
}

/** The server that is asked. */
export function originOf(place: Place): string | undefined {
  switch (place.kind) {
    case 'file':
      return undefined
    case 'http':
      return place.url.origin
    case 'oci':
      return registryOrigin(place)
  }
  return place satisfies never
}

/** As people and status name it. */
export function placeText(place: Place): string {
  switch (place.kind) {
    case 'file':
      return place.path
    case 'http':
      return urlText(place.url)
    case 'oci': {
      const { registry, repository, reference } = place
      return `oci://${registry}/${repository}${reference.includes(':') ? '@' : ':'}${reference}`
    }
  }
  return place satisfies never
}

/** What stands behind the path may be a signature that opens it: it is shown nowhere. */
export function urlText({ origin, pathname, search }: URL): string {
  return `${origin}${pathname}${search === '' ? '' : '?…'}`
}

/** Which place it is, also of two that are shown as one. */
export function placeKey(place: Place): string {
  return place.kind === 'http' ? place.url.href : placeText(place)
}

/** Anybody on the way reads and changes what goes to another machine without TLS. */
export function isOpenToOthers(place: Place): boolean {
  return place.kind === 'http' && place.url.protocol === 'http:' && !isThisMachine(place.url.hostname)
}

export function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}
