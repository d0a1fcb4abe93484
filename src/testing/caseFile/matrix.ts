/** A matrix: who may call what. Each cell is a case of one call, and what is not listed is expected to be denied. */
import type { Call, Principal } from '../../model/call.ts'
import { readCallObject } from '../../model/callObject.ts'
import { quote, type Spot } from '../../policy/diagnostics.ts'
import type { Located, Named } from '../../policy/forms.ts'
import { type Node, plainOf } from '../../policy/source.ts'
import { hint } from '../../policy/spelling.ts'
import type { Case } from '../suite.ts'
import { expected } from './expectations.ts'
import type { FileSaid, MatrixSaid } from './keys.ts'
import { isListsFile, listsIn } from './listed.ts'
import { type CaseContext, nothingShared, placeOf, principalNamed, sharedOf, startOf, usualStartMs } from './shared.ts'
import { attempted, type JsonMap } from './words.ts'

interface Tool {
  readonly name: string
  readonly arguments: JsonMap
  readonly at: Spot
}

interface Caller {
  readonly name: string
  readonly principal: Principal
}

export function cellsOf({ fields }: MatrixSaid, file: FileSaid, context: CaseContext): readonly Case[] {
  const { report } = context
  const { name, skip, allow, hold, tools: toolsField } = fields
  const shared = sharedOf(fields, sharedOf(file, nothingShared, context), context)
  const timeMs = startOf(fields.time, startOf(file.time, usualStartMs, report), report)
  const callers = callersOf(fields.principals, context)
  const tools = toolsField?.value ? toolsOf(toolsField.value, toolsField.at, context) : []
  const wanted = new Map<string, 'allow' | 'hold'>()
  for (const [decision, listed] of [['allow', allow] as const, ['hold', hold] as const])
    note(decision, listed?.value ?? [], { callers, tools }, wanted, context)
  if (name?.value === undefined) return []
  return callers.flatMap((caller) =>
    tools.flatMap((tool): readonly Case[] => {
      const decision = wanted.get(cell(caller, tool)) ?? 'deny'
      const call = callOf(tool, { ...shared, principal: caller.principal }, context)
      if (!call) return []
      const at = placeOf(tool.at, report)
      return [
        {
          name: `${name.value} / ${caller.name} / ${tool.name}`,
          at,
          ...(skip?.value !== undefined && { skip: skip.value }),
          steps: [
            {
              ...{ kind: 'call', at, timeMs, call, times: 1, outcome: 'success', isFact: false },
              expect: [expected(['decision'], decision, tool.at, report)],
            },
          ],
        },
      ]
    }),
  )
}

const cell = (caller: { readonly name: string }, tool: { readonly name: string }) =>
  JSON.stringify([caller.name, tool.name])

function callersOf(field: MatrixSaid['fields']['principals'], context: CaseContext): readonly Caller[] {
  if (!field) return context.principals.map(({ name, value }) => ({ name, principal: value }))
  return (field.value ?? []).flatMap(({ name, at, principal }) => {
    const found = principal ?? principalNamed(name, at, context)
    return found ? [{ name, principal: found }] : []
  })
}

function toolsOf(node: Node, at: Spot, context: CaseContext): readonly Tool[] {
  switch (node.kind) {
    case 'scalar': {
      const named = String(node.value)
      if (isListsFile(named))
        return listsIn(named, at, 'tools', context).map(({ name }) => ({ name: name as string, arguments: {}, at }))
      return [{ name: named, arguments: {}, at }]
    }
    case 'list':
      return node.items.map((item) => ({ name: String(plainOf(item)), arguments: {}, at: item.at }))
    case 'map':
      return node.entries.map(({ key, keyAt, value }) => {
        const said = plainOf(value) as { readonly arguments?: JsonMap } | null
        return { name: key, arguments: said?.arguments ?? {}, at: keyAt }
      })
  }
  return node satisfies never
}

/** Notes which cells are to be decided so. */
function note(
  decision: 'allow' | 'hold',
  listed: readonly Named<readonly Located<string>[]>[],
  { callers, tools }: { readonly callers: readonly Caller[]; readonly tools: readonly Tool[] },
  wanted: Map<string, 'allow' | 'hold'>,
  { report }: CaseContext,
): void {
  const unknown = (what: string, name: string, at: Spot, known: readonly { readonly name: string }[]) => {
    const near = hint(
      name,
      known.map((one) => one.name),
    )
    report.error(at, 'wrong_value', `the matrix has no ${what} ${quote(name)}${near}`)
  }
  for (const { name, nameAt, value } of listed) {
    const caller = callers.find((one) => one.name === name)
    if (!caller) unknown('principal', name, nameAt, callers)
    for (const { value: toolName, at } of value) {
      const tool = tools.find((one) => one.name === toolName)
      if (!tool) unknown('tool', toolName, at, tools)
      if (!caller || !tool) continue
      const key = cell(caller, tool)
      if (wanted.has(key)) report.error(at, 'contradiction', `${quote(toolName)} is listed for ${quote(name)} already`)
      wanted.set(key, decision)
    }
  }
}

function callOf(
  { name, arguments: args, at }: Tool,
  { principal, ...shared }: ReturnType<typeof sharedOf>,
  { report }: CaseContext,
): Call | undefined {
  const call = attempted({ at }, report, () => readCallObject({ ...shared, tool: name, arguments: args }, []))
  return call && { ...call, principal }
}
