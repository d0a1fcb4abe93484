/** How held calls wait for persons, as the command line says it. */

import { approvalWaitMsMax } from '../model/limits.ts'
import { durationMs, durationText } from '../policy/durations.ts'
import { UsageError } from './exit.ts'

/** Throws a `UsageError`. */
export function approvalWaitOf(text: string): number {
  const ms = durationMs(text)
  if (ms !== undefined && ms > 0 && ms <= approvalWaitMsMax) return ms
  const most = durationText(approvalWaitMsMax)
  throw new UsageError(`\`--approval-wait\` must be a duration like \`2m\`, at most ${most}, got \`${text}\``)
}

/** The page of a request. Throws a `UsageError`. */
export function pageOf(adminUrl: string): (id: string) => string {
  const url = adminUrlOf(adminUrl)
  return (id) => new URL(`/approvals/${encodeURIComponent(id)}`, url).href
}

/** A web page at its root. */
export function isAdminUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isRoot = url?.pathname === '/' && url.search + url.hash + url.username + url.password === ''
  return url !== undefined && isRoot && /^https?:$/.test(url.protocol)
}

/** Throws a `UsageError`. */
export function adminUrlOf(text: string): URL {
  if (isAdminUrl(text)) return new URL(text)
  throw new UsageError(
    `\`--admin-url\` takes the address of a web page at its root, as in \`https://approvals.example.com/\`, got \`${text}\``,
  )
}
