/** Random Aegis files and actions, from small pools in which things nearly match. */

import type { Json } from '../../src/model/canonical.ts'
import { globs, instants, value } from '../codegen/arbitraryOrdered.ts'
import { fc } from '../random.ts'
import { pattern, subject } from './arbitraryPatterns.ts'

export type File = { readonly rules: readonly Rule[]; readonly [key: string]: unknown }
export type Rule = { readonly conditions?: Readonly<Record<string, unknown>>; readonly [key: string]: unknown }

export interface Asked {
  readonly tool: string
  readonly server: string
  readonly agent: string
  readonly arguments: Readonly<Record<string, Json>>
  readonly at: number
}

const tools = [
  'read_x',
  'read_y',
  'write',
  'a-b',
  'a]b',
  'a[b',
  'über',
  '日本',
  '😀',
  'Read_x',
  'drop_table',
  'send_email',
]
const names = ['n', 'text', '__proto__', 'delete']

/** What YAML 1.1 and JSON write alike: no exponents. */
const plainNumber = fc.constantFrom(-1, 0, 1, 2, 10, 0.5, 1.5, 100.25, 9007199254740991, 1e15)
const expected: fc.Arbitrary<Json> = fc.oneof(
  plainNumber,
  fc.boolean(),
  fc.constantFrom('', 'a', 'ab', 'b', 'é', '😀', '\uffff', 'SELECT', '1', 'True'),
  fc.array(fc.oneof(plainNumber, fc.boolean(), fc.constantFrom('a', 'b'), fc.constant(null)), { maxLength: 3 }),
  fc.constantFrom<Json>([[1], 'a'], [{ a: 1 }], [[]], [null]),
)
const expectedMap: fc.Arbitrary<Json> = fc.constantFrom<Json>(
  {},
  { a: 1 },
  { a: true, b: [1] },
  { _: null },
  { a: null },
)

const clock = fc.constantFrom('00:00', '00:01', '09:00', '9:00', '18:00', '23:59', '08:59')

/** Some names, each with what it is compared with. */
function byName<T>(of: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> {
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), of), { minLength: 1, maxLength: 2, selector: ([name]) => name })
    .map((pairs) => Object.fromEntries(pairs))
}

const one: fc.Arbitrary<readonly [string, unknown]> = fc.oneof(
  fc.tuple(fc.constantFrom('time_after', 'time_before'), clock),
  fc.tuple(fc.constant('weekdays'), fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 })),
  fc.tuple(fc.constantFrom('param_gt', 'param_lt', 'param_gte', 'param_lte'), byName(expected)),
  fc.tuple(fc.constantFrom('param_gt', 'param_lt', 'param_gte', 'param_lte'), byName(plainNumber)),
  fc.tuple(fc.constantFrom('param_eq', 'param_contains'), byName(fc.oneof(expected, expectedMap))),
  fc.tuple(fc.constant('param_matches'), byName(pattern)),
  fc.tuple(
    fc.constant('semantic'),
    fc.constantFrom(
      'destructive',
      'PII ',
      'the read or export',
      'data_exposure and x',
      'select',
      'mcp',
      'delete',
      'y 9',
    ),
  ),
)

const conditions = fc
  .uniqueArray(one, { maxLength: 3, selector: ([key]) => key })
  .map((pairs) => Object.fromEntries(pairs))

/** Most rules are about most calls, or few would be asked for their conditions. */
const mostly = (glob: fc.Arbitrary<string>) => fc.oneof({ weight: 2, arbitrary: fc.constant('*') }, glob)
const someGlob = fc.constantFrom(...globs.filter((glob) => glob !== ''))
const match = fc.record(
  {
    type: mostly(fc.oneof(someGlob, fc.constantFrom(...tools.map((tool) => tool.replaceAll('[', '[[]'))))),
    target: mostly(fc.oneof(fc.constantFrom('fs', 'fs*', '*s*'), someGlob)),
    agent: mostly(fc.oneof(fc.constantFrom('bot-*', 'bot-[0-9]', '[*]', '?'), someGlob)),
  },
  { requiredKeys: [] },
)
const level = fc.constantFrom('low', 'Medium', 'HIGH', 'critical')
const approval = fc.constantFrom('auto', 'approve', 'block')

const rule: fc.Arbitrary<Rule> = fc.record(
  { name: fc.constantFrom('named', '', 'drop "it"'), match, conditions, risk_level: level, approval },
  { requiredKeys: ['match', 'conditions', 'approval'] },
)

export const files: fc.Arbitrary<File> = fc.record(
  {
    version: fc.constantFrom<unknown>('1', '2', 1),
    defaults: fc.record({ risk_level: level, approval }, { requiredKeys: [] }),
    rules: fc.array(rule, { minLength: 1, maxLength: 6 }),
  },
  { requiredKeys: ['rules'] },
)

const argument = fc.oneof(value, subject, plainNumber as fc.Arbitrary<Json>, expected, expectedMap)

export const actions: fc.Arbitrary<Asked> = fc.record({
  tool: fc.constantFrom(...tools),
  server: fc.constantFrom('fs', 'db', 'fs-2', 'é'),
  agent: fc.constantFrom('', 'bot-1', 'bot-x', '*', 'über'),
  arguments: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), argument), { maxLength: 6, selector: ([name]) => name })
    .map((pairs) => Object.fromEntries(pairs)),
  at: instants,
})
