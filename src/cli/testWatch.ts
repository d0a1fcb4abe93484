/** `tollgate test --watch`: runs again whenever a test or a policy changes. Polled, as `src/runtime/watch.ts` says why. */
import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { TollgateError } from '../model/errors.ts'
import { findTests } from '../testing/find.ts'
import { regoNames } from '../testing/rego/modules.ts'
import { filesOfTest } from '../testing/run.ts'
import { exitWith } from './exit.ts'
import { paint } from './terminal.ts'

const pollMs = 250

/** Until a signal ends the process. A run that finds nothing to do waits for something, too. */
export async function whenChanged(
  paths: readonly string[],
  policies: readonly string[],
  run: () => Promise<void>,
): Promise<never> {
  const followed = new Followed(paths, policies)
  for (;;) {
    // Looked at before the run: what is edited while it runs is not missed.
    const before = followed.signature()
    await attempted(run)
    await changeFrom(before, followed)
    process.stdout.write(`\n${paint('dim', `-- ${new Date().toTimeString().slice(0, 8)}`, process.stdout)}\n`)
  }
}

async function attempted(run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (!(error instanceof TollgateError)) throw error
    exitWith(error)
  }
}

/** A file that is still being written is waited for. */
async function changeFrom(first: string, followed: Followed): Promise<void> {
  for (let last = first; ; ) {
    await sleep(pollMs)
    const now = followed.signature()
    if (now !== first && now === last) return
    last = now
  }
}

/** The tests, and what they name. */
class Followed {
  readonly #paths: readonly string[]
  readonly #policies: readonly string[]
  #tests = ''
  #named: readonly string[] = []

  /** `policies` were named on the command line. */
  constructor(paths: readonly string[], policies: readonly string[]) {
    this.#paths = paths
    this.#policies = policies
  }

  /** Changes whenever one of the files may have. */
  signature(): string {
    const tests = testsIn(this.#paths)
    const own = tests.map(stamp).join('\n')
    if (own !== this.#tests) this.#named = [...new Set(tests.flatMap(filesOfTest))]
    this.#tests = own
    const beside = [...this.#policies, ...this.#named, ...regoIn(this.#paths)]
    return [own, ...beside.map(stamp)].join('\n')
  }
}

function regoIn(paths: readonly string[]): readonly string[] {
  try {
    return regoNames(paths)
  } catch {
    return [] // said by the run
  }
}

function testsIn(paths: readonly string[]): readonly string[] {
  try {
    return findTests(paths)
  } catch {
    return [] // said by the run
  }
}

function stamp(file: string): string {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return `${file} ${found ? `${found.ino} ${found.size} ${found.mtimeNs}` : 'gone'}`
}
