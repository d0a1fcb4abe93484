/** A machine with MCP clients on it: a home of its own, with their configurations as they write them. */
import { spawn } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('../..', import.meta.url))

export const main = join(project, 'src/cli/main.ts')

const servers = join(project, 'node_modules/@modelcontextprotocol')

export const everything = join(servers, 'server-everything/dist/index.js')
export const filesystem = join(servers, 'server-filesystem/dist/index.js')
export const memory = join(servers, 'server-memory/dist/index.js')
export const odd = join(project, 'test/scan/fixtures/oddServer.ts')
export const { execPath: node } = process

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Policies that were compiled once are found by the other tests of the run, or of this file where it runs alone. */
const { TOLLGATE_CACHE_DIR: cache = cacheOfThisFile(), NODE_COMPILE_CACHE: code = '' } = process.env

function cacheOfThisFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-init-cache-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  return folder
}

export function machine(context: TestContext): Home {
  const home = new Home()
  context.after(() => home.remove())
  return home
}

export class Home {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'tollgate init ')))
  readonly home = join(this.root, 'home')
  readonly project = join(this.root, 'shop')
  readonly policies = join(this.home, '.config/tollgate/policies')
  readonly ledger = join(this.root, 'ledger.db')
  readonly env: NodeJS.ProcessEnv

  constructor() {
    mkdirSync(this.home)
    mkdirSync(this.project)
    this.env = {
      HOME: this.home,
      PATH: process.env['PATH'],
      TOLLGATE_CACHE_DIR: cache,
      NODE_COMPILE_CACHE: code,
      TOLLGATE_LEDGER: this.ledger,
    }
  }

  /** Writes a file below the home, or at an absolute path. */
  put(name: string, text: string | Buffer): string {
    const file = name.startsWith('/') ? name : join(this.home, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }

  tollgate(...args: readonly string[]): Promise<Ended> {
    return ended([main, ...args], this.project, this.env)
  }

  /** Every file there is, with what is in it. */
  contents(): Readonly<Record<string, string>> {
    const names = readdirSync(this.root, { recursive: true, encoding: 'utf8' }).sort()
    const files = names.filter((name) => statSync(join(this.root, name)).isFile())
    return Object.fromEntries(files.map((name) => [name, readFileSync(join(this.root, name), 'latin1')]))
  }

  remove(): void {
    rmSync(this.root, { recursive: true })
  }
}

function ended(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const child = spawn(node, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk) => {
      texts[name] += chunk
    })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...texts })))
}
