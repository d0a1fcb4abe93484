/** `tollgate kill`: what is stopped from now on, in every gate that has this ledger, and what is so no longer. */
import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { openLedger, type SqliteLedger } from '../ledger/ledger.ts'
import { describeWith } from '../log/describe.ts'
import { killView } from '../log/kills.ts'
import { namesSeen } from '../log/seen.ts'
import { isPattern, type KillKind, type KillTarget, killKinds, killTitle } from '../model/kill.ts'
import { globMatches } from '../model/match.ts'
import { plain } from '../model/message/plain.ts'
import { Kills } from '../pep/kills.ts'
import { nearest } from '../policy/spelling.ts'
import { orderedId } from '../runtime/ids.ts'
import { version } from '../runtime/version.ts'
import { existingLedger } from './auditLedger.ts'
import { UsageError } from './exit.ts'
import { killedText, killLines, liftedText } from './killText.ts'
import { personOf } from './person.ts'

export interface KillListOptions {
  readonly ledger?: string
  readonly json?: boolean
}

type Targets = { readonly [kind in Exclude<KillKind, 'all'>]?: string } & { readonly all?: boolean }

export interface KillOptions extends KillListOptions, Targets {
  readonly reason?: string
  readonly as?: string
}

export type KillLiftOptions = KillOptions

export function kill(options: KillOptions): void {
  const target = oneOf(targetsOf(options), 'stop')
  withKills(options, (kills, ledger) => {
    const { kill, again } = kills.kill(target, saidIn(options))
    if (options.json) print(killView(kill))
    else process.stdout.write(killedText(kill, again))
    warnOfUnseen(ledger, target)
  })
}

export function killLift(id: string | undefined, options: KillLiftOptions): void {
  const targets = targetsOf(options)
  if (id !== undefined && targets.length > 0)
    throw new UsageError('name the kill by its id or by what it stops, not both')
  const name = id === undefined ? oneOf(targets, 'lift') : { id }
  withKills(options, (kills) => {
    const lifted = kills.lift(name, saidIn(options))
    if (options.json) print(killView(lifted))
    else process.stdout.write(liftedText(lifted))
  })
}

export function killList({ ledger: file, json }: KillListOptions): void {
  const ledger = openLedger({ file: existingLedger(file), readOnly: true })
  try {
    const kills = ledger.kills()
    if (json) {
      print(kills.map(killView))
      return
    }
    const width = process.stdout.columns ?? Number.POSITIVE_INFINITY
    for (const line of killLines(kills, width, process.stdout)) process.stdout.write(line)
    if (kills.length === 0) process.stderr.write('nothing is stopped\n')
  } finally {
    ledger.close()
  }
}

/** `kill --session S list` would stop nothing, and `kill --session S lift` lift something else. */
export function refuseTargets(parent: Command): void {
  const given = parent.options.filter((option) => parent.getOptionValueSource(option.attributeName()) === 'cli')
  if (given[0]) throw new UsageError(`\`${given[0].long}\` stands before the command: put options after it`)
}

function targetsOf(options: KillOptions): readonly KillTarget[] {
  return killKinds.flatMap((kind) => {
    const name = kind === 'all' ? (options.all ? '' : undefined) : options[kind]
    return name === undefined ? [] : [{ kind, name }]
  })
}

function oneOf(targets: readonly KillTarget[], what: 'stop' | 'lift'): KillTarget {
  const [target, second] = targets
  const choice = killKinds.map((kind) => `\`--${kind}\``).join(', ')
  const orId = what === 'lift' ? ', or the id that `tollgate kill list` shows' : ''
  if (!target) throw new UsageError(`say what to ${what}: one of ${choice}${orId}`)
  if (second) throw new UsageError(`\`--${target.kind}\` and \`--${second.kind}\` are two: ${what} one after the other`)
  return target
}

function saidIn({ as, reason }: KillOptions) {
  return { by: personOf(as), ...(reason !== undefined && { reason }) }
}

function withKills({ ledger: file }: KillListOptions, work: (kills: Kills, ledger: SqliteLedger) => void): void {
  const ledger = openLedger({ file: existingLedger(file) })
  try {
    const describe = describeWith({ id: randomUUID(), version }, 'full')
    work(new Kills({ ledger, describe, newId: orderedId }), ledger)
  } finally {
    ledger.close()
  }
}

/** A name may be stopped before anybody has heard of it; one that is misspelt stops nobody, and whoever typed it must know. */
function warnOfUnseen(ledger: SqliteLedger, target: KillTarget): void {
  if (target.kind === 'all') return
  const seen = namesSeen(ledger.records(), target.kind)
  if (seen.has(target.name)) return
  if (target.kind === 'tool' && isPattern(target.name) && [...seen].some((name) => globMatches(target.name, name)))
    return
  const near = nearest(target.name, [...seen])
  const meant = near === undefined ? '' : `; did you mean \`${plain(near)}\`? To the letter it is another name`
  process.stderr.write(`no record names ${killTitle(target)} so far: it is stopped all the same${meant}\n`)
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}
