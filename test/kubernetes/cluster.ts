/** A cluster that `kubectl` reaches and that is there to be tried on, and what a test does in it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Answer } from '../answer.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export function ran(command: string, args: readonly string[], input = ''): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, input, encoding: 'utf8' })
  return { code: status, stdout: stdout ?? '', stderr: error?.message ?? stderr }
}

/** Throws with what it said when it fails. */
export function done(command: string, args: readonly string[], input = ''): string {
  const { code, stdout, stderr } = ran(command, args, input)
  if (code === 0) return stdout
  throw new Error(`\`${[command, ...args].join(' ')}\` failed: ${stderr.trim()}`)
}

export const kubectl = (...args: readonly string[]) => done('kubectl', args)

/** The same beside what goes on here. */
export async function kubectlMeanwhile(...args: readonly string[]): Promise<string> {
  const child = spawn('kubectl', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code === 0) return stdout
  throw new Error(`\`kubectl ${args.join(' ')}\` failed: ${stderr.trim()}`)
}

/** The lines that a `kubectl` prints which would go on for ever, until it is stopped. */
export function watched(...args: readonly string[]): { readonly lines: readonly string[]; readonly stop: () => void } {
  const child = spawn('kubectl', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
  const lines: string[] = []
  createInterface(child.stdout).on('line', (line) => lines.push(line))
  return { lines, stop: () => void child.kill() }
}

export function found(...args: readonly string[]): Answer {
  return JSON.parse(kubectl('get', '-o', 'json', ...args))
}

export function apply(manifest: string): void {
  done('kubectl', ['apply', '-f', '-'], manifest)
}

/** The words of the command that brings an image of Docker's into the cluster. */
export const loader = (process.env['TOLLGATE_TEST_KUBE_LOAD'] ?? '').split(' ').filter((word) => word !== '')

/**
 * Why nothing can be tried; false where it can. Whoever names the command for images says that the cluster is for this: one
 * that `kubectl` merely reaches may be somebody's.
 */
export function missing(): string | false {
  if (loader.length === 0)
    return 'no `TOLLGATE_TEST_KUBE_LOAD`: the command that brings an image into a cluster for tests'
  const cluster = ran('kubectl', ['get', '--raw', '/readyz', '--request-timeout=5s'])
  if (cluster.code !== 0) return `no cluster answers: ${cluster.stderr.trim()}`
  const docker = ran('docker', ['version', '--format', '{{.Server.Version}}'])
  return docker.code === 0 ? false : `no Docker engine answers: ${docker.stderr.trim()}`
}
