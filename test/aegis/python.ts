/** agent-aegis itself, in a process of its own; `make aegis` installs it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const installed = fileURLToPath(new URL('../../.cache/aegis/bin/python', import.meta.url))

/** The Python that has agent-aegis 1.0.0. */
export const python = process.env['TOLLGATE_AEGIS_PYTHON'] || installed

/** Why there is nothing to compare with; `false` when there is. */
export function whyNoAegis(): string | false {
  if (!existsSync(python)) return 'agent-aegis is not installed: `make aegis` does it, where there is Python 3.11'
  const asked = 'import importlib.metadata; print(importlib.metadata.version("agent-aegis"))'
  const { stdout } = spawnSync(python, ['-c', asked], { encoding: 'utf8' })
  return stdout?.trim() === '1.0.0' ? false : `agent-aegis 1.0.0 is not what ${python} has`
}

export interface Action {
  readonly type: string
  readonly target: string
  readonly agent_id: string
  readonly params: object
}

export type Answer =
  | { readonly rules: number }
  | { readonly refused: string }
  | { readonly approval: 'auto' | 'approve' | 'block'; readonly risk: string; readonly rule: string }
  | { readonly raised: string }

export class Aegis {
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string>

  constructor() {
    const driver = fileURLToPath(new URL('driver.py', import.meta.url))
    this.#child = spawn(python, [driver], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, PYTHONUTF8: '1' },
    })
    this.#answers = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  }

  /** Answers in the order of the questions. */
  async ask(questions: readonly object[]): Promise<readonly Answer[]> {
    const answers: Answer[] = []
    this.#child.stdin?.write(questions.map((question) => `${JSON.stringify(question)}\n`).join(''))
    for (const _ of questions) {
      const { value, done } = await this.#answers.next()
      if (done) throw new Error('agent-aegis has ended')
      answers.push(JSON.parse(value))
    }
    return answers
  }

  close(): void {
    this.#child.stdin?.end()
  }
}
