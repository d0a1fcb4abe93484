/** A Chromium to test with: the one named, one of this machine, or the one that `make chromium` brings. Run it to see which. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const brought = fileURLToPath(new URL('../../.cache/chromium/node_modules/@sparticuz/chromium/', import.meta.url))

/** Undefined where there is none that starts. */
export async function findBrowser(): Promise<string | undefined> {
  const named = process.env['TOLLGATE_CHROMIUM']
  for (const path of named === undefined ? names : [named]) if (starts(path)) return path
  if (named !== undefined || !existsSync(brought)) return undefined
  const { default: chromium } = await import(`${brought}build/esm/index.js`)
  const executablePath: string = await chromium.executablePath()
  return starts(executablePath) ? executablePath : undefined
}

/** Tests may run as root, where there is no sandbox; and they look at no page but ours. */
export const args = ['--no-sandbox']

function starts(path: string): boolean {
  return spawnSync(path, [...args, '--version'], { timeout: 20_000 }).status === 0
}

if (import.meta.main) {
  const found = await findBrowser()
  process.stdout.write(`${found ?? 'no Chromium that starts'}\n`)
  if (found === undefined) process.exitCode = 1
}
