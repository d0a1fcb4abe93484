/** Puts a gate before servers: a policy for each, then one change of each configuration. */
import { join } from 'node:path'
import { gatedText } from '../init/change.ts'
import type { Machine } from '../init/clients.ts'
import { difference } from '../init/difference.ts'
import type { Entry, Start } from '../init/entries.ts'
import { policyPath, scopeOf, serverName } from '../init/names.ts'
import { headOf, wrappedOf } from '../init/wrapping.ts'
import { TollgateError } from '../model/errors.ts'
import { counted } from '../scan/comments.ts'
import { agree, choose } from './initAsk.ts'
import { keepBackup, replaceConfigFile } from './initFiles.ts'
import { type Config, named } from './initFind.ts'
import { Policies, type PolicyPlan, writePolicy } from './initPolicies.ts'
import { type FileReport, reportText, type ServerReport } from './initReport.ts'

export interface WrapOptions {
  readonly machine: Machine
  readonly gate: { readonly node: string; readonly main: string; readonly ledger?: string }
  readonly policyFolder: string
  /** One policy for all. */
  readonly policy?: string
  readonly noScan: boolean
  readonly timeoutMs: number
  readonly dryRun: boolean
  readonly ask: boolean
}

/** A server that can be wrapped. */
interface Item {
  readonly config: Config
  readonly entry: Entry
  readonly start: Start
  readonly policyFile: string
}

type Outcomes = Map<Entry, ServerReport>

export async function wrapAll(configs: readonly Config[], options: WrapOptions): Promise<readonly FileReport[]> {
  const outcomes: Outcomes = new Map()
  const items = configs.flatMap((config) => itemsOf(config, options, outcomes))
  const plans = await plansFor(await chosenOf(items, options, outcomes), options, outcomes)
  if (options.dryRun || (await refused(configs, plans, options, outcomes)))
    return configs.map((config) => foreseen(config, plans, options, outcomes))
  const reports: FileReport[] = []
  for (const config of configs) reports.push(await applied(config, plans, options, outcomes))
  return reports
}

/** The servers of a configuration that can be wrapped; of the others the outcome is known. */
function itemsOf(config: Config, { policyFolder, policy }: WrapOptions, outcomes: Outcomes): readonly Item[] {
  return config.entries.flatMap((entry) => {
    const known = outcomeOf(entry)
    if (known) outcomes.set(entry, { ...called(entry), ...known })
    if (known || entry.kind !== 'stdio') return []
    const parts = policyPath(config.place.client, scopeOf(config.place, entry), entry.name)
    return [{ config, entry, start: entry.start, policyFile: policy ?? join(policyFolder, ...parts) }]
  })
}

function outcomeOf(entry: Entry): Pick<ServerReport, 'status' | 'code' | 'message'> | undefined {
  switch (entry.kind) {
    case 'stdio':
      return wrappedOf(entry.start) && { status: 'already_wrapped' }
    case 'remote':
      return { status: 'remote', message: 'not wrapped: `tollgate serve --upstream URL` is the gate for it' }
    case 'disabled':
      return { status: 'disabled' }
    case 'elsewhere':
      return { status: 'not_wrapped', message: 'its client or an extension knows how to start it' }
    case 'unusable':
      return { status: 'failed', code: 'config_malformed', message: entry.why }
  }
  return entry satisfies never
}

function called({ name, project }: Entry): Pick<ServerReport, 'server' | 'project'> {
  return { server: name, ...(project !== undefined && { project }) }
}

async function chosenOf(items: readonly Item[], { ask }: WrapOptions, outcomes: Outcomes): Promise<readonly Item[]> {
  if (!ask || items.length === 0) return items
  const choices = items.map((value) => ({ value, label: value.entry.name, hint: value.config.place.file }))
  const chosen = await choose('Which servers get a gate? Each is started once, to see what it lists.', choices)
  for (const item of items)
    if (!chosen.includes(item)) outcomes.set(item.entry, { ...called(item.entry), status: 'not_chosen' })
  return chosen
}

type Plans = ReadonlyMap<Entry, Item & { readonly plan: PolicyPlan }>

async function plansFor(items: readonly Item[], options: WrapOptions, outcomes: Outcomes): Promise<Plans> {
  const { machine, timeoutMs, noScan, dryRun } = options
  const policies = new Policies({ home: machine.home, timeoutMs, noScan, dryRun })
  const plans = new Map<Entry, Item & { readonly plan: PolicyPlan }>()
  for (const item of items) {
    const { entry, start, policyFile, config } = item
    const { client, project } = config.place
    const subject = { label: entry.name, client, project: entry.project ?? project, start, policyFile }
    const plan = await caught(entry, outcomes, () => policies.planFor(subject))
    if (plan) plans.set(entry, { ...item, plan })
  }
  return plans
}

/** What fails for one server is its outcome, and the others go on. */
async function caught<Value>(entry: Entry, outcomes: Outcomes, work: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof TollgateError) || error.code === 'scan_interrupted') throw error
    outcomes.set(entry, { ...called(entry), status: 'failed', code: error.code, message: error.message })
    return undefined
  }
}

/** Asks whether to go on, where somebody can be asked. */
async function refused(
  configs: readonly Config[],
  plans: Plans,
  options: WrapOptions,
  outcomes: Outcomes,
): Promise<boolean> {
  if (!options.ask || plans.size === 0) return false
  const planned = configs.map((config) => foreseen(config, plans, options, outcomes))
  process.stderr.write(`${reportText(planned.map(({ diff: _, ...report }) => report))}\n`)
  const files = new Set([...plans.values()].map(({ config }) => config)).size
  const what = `Put a gate before ${counted(plans.size, 'server')} in ${counted(files, 'configuration')}?`
  if (await agree(`${what} A backup is made first.`)) return false
  for (const { entry } of plans.values()) outcomes.set(entry, { ...called(entry), status: 'not_chosen' })
  return true
}

function foreseen(config: Config, plans: Plans, options: WrapOptions, outcomes: Outcomes): FileReport {
  const items = config.entries.flatMap((entry) => (outcomes.has(entry) ? [] : (plans.get(entry) ?? [])))
  const servers = config.entries.map((entry) => outcomes.get(entry) ?? reportOf(plans, entry, 'would_wrap'))
  const report = { ...named(config.place), servers }
  if (items.length === 0) return report
  const { text } = config.document
  const diff = difference(config.place.file, text, changedText(config, items, options), config.place.containers)
  return { ...report, diff }
}

async function applied(config: Config, plans: Plans, options: WrapOptions, outcomes: Outcomes): Promise<FileReport> {
  const items: Wrappable[] = []
  for (const entry of config.entries) {
    const item = plans.get(entry)
    if (item && (await caught(entry, outcomes, () => writePolicy(item.plan).then(() => true)))) items.push(item)
  }
  const backup = changed(config, items, options, outcomes)
  const servers = config.entries.map((entry) => outcomes.get(entry) ?? reportOf(plans, entry, 'wrapped'))
  return { ...named(config.place), servers, ...(backup !== undefined && { backup }) }
}

type Wrappable = Item & { readonly plan: PolicyPlan }

/** The backup that was made, if the file was changed. */
function changed(
  config: Config,
  items: readonly Wrappable[],
  options: WrapOptions,
  outcomes: Outcomes,
): string | undefined {
  if (items.length === 0) return undefined
  try {
    const text = changedText(config, items, options)
    const backup = keepBackup(config.config)
    replaceConfigFile(config.config, text)
    return backup
  } catch (error) {
    if (!(error instanceof TollgateError)) throw error
    const { code, message } = error
    for (const { entry } of items) outcomes.set(entry, { ...called(entry), status: 'failed', code, message })
    return undefined
  }
}

function reportOf(plans: Plans, entry: Entry, status: 'wrapped' | 'would_wrap'): ServerReport {
  const { plan } = plans.get(entry) as Wrappable
  const { file: policy, counts, warnings = [] } = plan
  return {
    ...called(entry),
    status,
    policy,
    ...(counts && { tools: counts }),
    ...(warnings.length > 0 && { warnings }),
  }
}

function changedText({ place, document }: Config, items: readonly Wrappable[], { gate }: WrapOptions): string {
  const gated = items.map(({ entry, start, plan }) => ({
    entry,
    start,
    head: headOf({ ...gate, policy: plan.file, server: serverName(entry.name) }),
  }))
  return gatedText(document, place, gated)
}
