/**
 * Tar archives, read. Only what bundles are made of is taken: regular files and folders, with the extensions
 * for long names that GNU tar and Go write. Whatever else is there is refused, never skipped: a link, a device, a name
 * that leads out of the archive, a file twice.
 */
import { BundleError } from './errors.ts'
import type { BundleFile } from './files.ts'
import { bundleEntriesMax, bundlePathCharsMax } from './limits.ts'

export const blockBytes = 512

export function readTar(archive: Buffer): readonly BundleFile[] {
  const files = new Map<string, BundleFile>()
  let at = 0
  let entries = 0
  let longName: string | undefined
  for (;;) {
    const header = blockAt(archive, at)
    if (isZero(header)) break
    if (++entries > bundleEntriesMax)
      throw new BundleError('bundle_too_large', `the bundle has more than ${bundleEntriesMax} entries`)
    requireChecksum(header)
    const size = numberIn(header, 124, 12)
    const start = at + blockBytes
    if (start + size > archive.length) throw truncated()
    const content = archive.subarray(start, start + size)
    at = start + Math.ceil(size / blockBytes) * blockBytes
    const type = String.fromCharCode(header[156] as number)
    switch (type) {
      case 'x':
        longName = oneName(longName, paxName(content))
        continue
      case 'L':
        longName = oneName(longName, textIn(content, 0, content.length))
        continue
      case '0':
      case '\0': {
        const path = pathOf(longName ?? nameIn(header))
        if (files.has(path))
          throw new BundleError('bundle_duplicate_file', `the file \`${path}\` stands twice in the bundle`)
        files.set(path, { path, bytes: content })
        break
      }
      case '5':
        pathOf((longName ?? nameIn(header)).replace(/\/$/, ''))
        if (size > 0) throw refused(nameIn(header), 'is a folder with content')
        break
      default:
        throw refused(longName ?? nameIn(header), entryKinds[type] ?? 'is of a kind that bundles do not have')
    }
    longName = undefined
  }
  if (longName !== undefined) throw truncated()
  requireEnd(archive, at)
  return [...files.values()]
}

const entryKinds: Readonly<Record<string, string>> = {
  '1': 'is a hard link',
  '2': 'is a symbolic link',
  '3': 'is a device',
  '4': 'is a device',
  '6': 'is a named pipe',
  '7': 'is a contiguous file, which few readers know',
  S: 'is a sparse file',
  g: 'is a header for all files',
}

function blockAt(archive: Buffer, at: number): Buffer {
  if (at + blockBytes > archive.length) throw truncated()
  return archive.subarray(at, at + blockBytes)
}

/** Two blocks of zeros end an archive, and nothing but zeros follows. */
function requireEnd(archive: Buffer, at: number): void {
  if (archive.length - at < 2 * blockBytes) throw truncated()
  if (!isZero(archive.subarray(at))) throw new BundleError('bundle_unreadable', 'the archive goes on behind its end')
}

function isZero(bytes: Buffer): boolean {
  return bytes[0] === 0 && bytes.subarray(1).equals(bytes.subarray(0, -1))
}

function requireChecksum(header: Buffer): void {
  let sum = 0
  for (let at = 0; at < blockBytes; at++) sum += at >= 148 && at < 156 ? 0x20 : (header[at] as number)
  if (numberIn(header, 148, 8) !== sum)
    throw new BundleError('bundle_unreadable', 'the archive is damaged: the checksum of an entry does not match')
}

/** Octal digits; sizes in the binary form of GNU tar begin at 8 GB and are refused with it. */
function numberIn(header: Buffer, start: number, length: number): number {
  const text = header
    .toString('latin1', start, start + length)
    .replace(/[\0 ]+$/, '')
    .trimStart()
  if (!/^[0-7]{1,11}$/.test(text))
    throw new BundleError('bundle_unreadable', 'the archive is damaged: a number is none')
  return Number.parseInt(text, 8)
}

function nameIn(header: Buffer): string {
  const name = textIn(header, 0, 100)
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = isUstar ? textIn(header, 345, 155) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

function textIn(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length)
  const end = field.indexOf(0)
  return decoded(end === -1 ? field : field.subarray(0, end))
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new BundleError('bundle_entry_refused', 'the name of a file is not UTF-8')
  }
}

function oneName(before: string | undefined, name: string | undefined): string | undefined {
  if (before !== undefined && name !== undefined)
    throw new BundleError('bundle_entry_refused', `\`${name}\` has a second long name before it`)
  return name ?? before
}

/** The records `LENGTH KEY=VALUE\n` of an extended header. Times and owners mean nothing here. */
function paxName(content: Buffer): string | undefined {
  let name: string | undefined
  for (let at = 0; at < content.length; ) {
    const digits = /^\d{1,8} /.exec(content.toString('latin1', at, at + 9))?.[0] ?? ''
    const end = at + Number.parseInt(digits, 10)
    const record = content.subarray(at + digits.length, end)
    const equals = record.indexOf('=')
    if (digits === '' || end > content.length || record.at(-1) !== 0x0a || equals < 1)
      throw new BundleError('bundle_unreadable', 'the archive is damaged: an extended header cannot be read')
    const key = decoded(record.subarray(0, equals))
    const value = decoded(record.subarray(equals + 1, -1))
    if (key === 'path') name = oneName(name, value)
    else if (!/^(?:[acm]time|uid|gid|uname|gname|comment|LIBARCHIVE\..*|SCHILY\..*)$/.test(key))
      throw new BundleError(
        'bundle_entry_refused',
        `an entry has the extended header \`${key}\`, which changes what it is`,
      )
    at = end
  }
  return name
}

/** As signatures spell it: without the slash that OPA's archives begin names with. */
function pathOf(name: string): string {
  const path = name.startsWith('/') ? name.slice(1) : name
  if (path.length > bundlePathCharsMax)
    throw refused(`${path.slice(0, 40)}…`, `has a name of more than ${bundlePathCharsMax} characters`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f\\]/.test(path)) throw refused(path, 'has a control character or a backslash in its name')
  const odd = path.split('/').find((part) => part === '' || part === '.' || part === '..')
  if (odd !== undefined)
    throw refused(
      name,
      odd === '..'
        ? 'leads out of the bundle'
        : 'has an empty part or a `.` in its name: archive the files by their plain names, as `tar -czf ../BUNDLE $(ls -A)` does in their folder',
    )
  return path
}

function refused(name: string, why: string): BundleError {
  return new BundleError('bundle_entry_refused', `\`${name}\` ${why}`)
}

function truncated(): BundleError {
  return new BundleError('bundle_unreadable', 'the archive ends too early')
}
