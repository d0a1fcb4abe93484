/** `docs/commands.md` has every command with every option as the program has them, and nothing else; what it shows is what happens. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Command, Option } from 'commander'
import { exitCodes } from '../../src/cli/exit.ts'
import { program } from '../../src/cli/program.ts'
import { settingsEntries, variableOf } from '../../src/cli/settingsOptions.ts'
import { sources } from './codes.ts'
import { code, readPage, rows, section } from './tables.ts'

const page = readPage('docs/commands.md')

interface Named {
  readonly path: string
  readonly command: Command
}

function commandsUnder(parent: Command, path: string): readonly Named[] {
  return parent.commands.flatMap((command) => {
    const own = `${path} ${command.name()}`
    return [{ path: own, command }, ...commandsUnder(command, own)]
  })
}

const all = commandsUnder(program, 'tollgate')
const headings = [...page.matchAll(/^## `([^`]+)`$/gm)].map(([, path]) => path)
const sectionOf = (path: string) => section(page, `## \`${path}\``)
/** The tables of a command's options are the ones whose first cell is a flag. */
const optionRows = (path: string) => rows(sectionOf(path)).filter(([flags]) => flags?.startsWith('`-'))

test('every command has a section, and nothing else has', () => {
  assert.deepEqual(headings.toSorted(), all.map(({ path }) => path).toSorted())
})

test('the list at the top leads to every section, in their order', () => {
  const listed = rows(page.slice(0, page.indexOf('\n## '))).map(([link]) => link)
  const expected = headings.map((path = '') => {
    const name = path.replace('tollgate ', '')
    return `[\`${name}\`](#tollgate-${name.replaceAll(' ', '-')})`
  })
  assert.deepEqual(listed, expected)
})

for (const { path, command } of all) {
  test(`\`${path}\`: usage, options, defaults, choices and variables are those of the program`, () => {
    assert.equal(/```\n(.*)\n```/.exec(sectionOf(path))?.[1], `${path} ${command.usage()}`)
    assert.deepEqual(
      optionRows(path).map(([flags]) => code(flags)),
      command.options.map(({ flags }) => flags),
    )
    for (const [index, [flags, said = '', meaning]] of optionRows(path).entries()) {
      assert.ok(meaning, flags)
      assertSaid(command.options[index] as Option, said, meaning)
    }
    for (const { name, argChoices = [] } of command.registeredArguments.map((argument) => ({
      name: argument.name(),
      argChoices: argument.argChoices ?? [],
    })))
      for (const choice of argChoices) assert.ok(sectionOf(path).includes(`\`${choice}\``), `${name}: ${choice}`)
  })
}

function assertSaid(option: Option, said: string, meaning: string): void {
  const { flags, mandatory, defaultValue, envVar, argChoices = [] } = option
  if (mandatory) assert.equal(said, 'required', flags)
  else if (defaultValue !== undefined) assert.equal(said, `\`${defaultValue}\``, flags)
  else if (envVar !== undefined) assert.equal(said, `\`$${envVar}\``, flags)
  // A default that the program works out by itself stands in its help, in words.
  else assert.equal(said !== '', /\(default: /.test(option.description), flags)
  for (const choice of argChoices) assert.ok(meaning.includes(`\`${choice}\``), `${flags}: ${choice}`)
}

test('no option is named that does not exist', () => {
  const known = new Set([program, ...all.map(({ command }) => command)].flatMap(({ options }) => options.map(longOf)))
  for (const [flag] of page.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)) assert.ok(known.has(flag) || flag === '--help', flag)
})

function longOf({ long }: Option): string | undefined {
  return long
}

test('every exit code is there, and every environment variable that the sources read', () => {
  assert.deepEqual(
    rows(section(page, '## Exit codes')).map(([value]) => Number(code(value))),
    Object.values(exitCodes),
  )
  const read = sources('src/**/*.ts').flatMap(({ text }) => [...text.matchAll(/\benv\['([A-Z_]+)'\]/g)])
  const taken = all.flatMap(({ command }) => command.options.flatMap(({ envVar }) => envVar ?? []))
  const settable = settingsEntries.flatMap(([key, { inVariable }]) => (inVariable ? [variableOf(key)] : []))
  const inCode = new Set([...read.map(([, name = '']) => name), ...taken, ...settable])
  const inPage = rows(section(page, '## Environment')).map(([name]) => code(name))
  assert.deepEqual(inPage.toSorted(), [...inCode].sort())
})

const folder = mkdtempSync(join(tmpdir(), 'tollgate-commands-'))
after(() => rmSync(folder, { recursive: true }))

/** Writes what a section shows into files and runs the command there. */
function runShown(args: readonly string[], files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
  return spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8', timeout: 60_000 })
}

const blocks = (path: string, language: string) =>
  [...sectionOf(path).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, of, text = '']) =>
    of === language ? [text] : [],
  )

test('what `check` is shown to say is what it says', () => {
  const [policy = ''] = blocks('tollgate check', 'yaml')
  const { stdout, stderr, status } = runShown(['check', 'refunds.yaml'], { 'refunds.yaml': policy })
  assert.equal(`$ tollgate check refunds.yaml\n${stdout}${stderr}`, blocks('tollgate check', '').at(-1))
  assert.equal(status, exitCodes.wrong)
})

test('what `eval` is shown to decide is what it decides', () => {
  const [policy = ''] = blocks('tollgate eval', 'yaml')
  const [calls = '', decisions] = blocks('tollgate eval', 'jsonl')
  const files = { 'refunds.yaml': policy, 'calls.jsonl': calls }
  const { stdout, stderr, status } = runShown(['eval', '-c', 'refunds.yaml', '--calls', 'calls.jsonl'], files)
  assert.deepEqual([stdout, stderr, status], [decisions, '', exitCodes.fine])
})

test('what `convert` is shown to write is what it writes', () => {
  const [policy = ''] = blocks('tollgate convert', 'yaml')
  const { stdout, stderr, status } = runShown(['convert', 'charges.yaml', '--to', 'native'], { 'charges.yaml': policy })
  assert.equal(`$ tollgate convert charges.yaml --to native\n${stdout}`, blocks('tollgate convert', '').at(-1))
  assert.deepEqual([stderr, status], ['', exitCodes.fine])
})

test('every member of a decision that `eval` gives is explained', () => {
  const [policy = ''] = blocks('tollgate eval', 'yaml')
  const [calls = '', decisions = ''] = blocks('tollgate eval', 'jsonl')
  const files = { 'refunds.yaml': policy, 'calls.jsonl': calls }
  const layered = runShown(['eval', '--layer', 'org=refunds.yaml', '--calls', 'calls.jsonl'], files).stdout
  const pack = fileURLToPath(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url))
  // The second call finds the session ended.
  const ending = JSON.stringify({ tool: 'use', session: 's', run: { kill_signal: 'scope creep' } })
  const ended = { 'calls.jsonl': `${ending}\n${ending}\n` }
  const packed = runShown(['eval', '-c', pack, '--calls', 'calls.jsonl'], ended).stdout
  const given = new Set(
    `${decisions}${layered}${packed}`
      .trim()
      .split('\n')
      .flatMap((line) => Object.keys(JSON.parse(line))),
  )
  const [, explained = ''] = sectionOf('tollgate eval').split('One decision a line:')
  assert.deepEqual(
    rows(explained)
      .map(([name]) => code(name))
      .toSorted(),
    [...given].sort(),
  )
})

test('the files that `compile` is said to write are the ones that it writes', () => {
  const policy = 'version: "1"\ndefault: deny\ntools:\n  NAME: { rules: [{ rate_limit: 1/day }] }\n'
  const { stdout, stderr, status } = runShown(['compile', 'named.yaml', '-o', 'out'], { 'named.yaml': policy })
  assert.deepEqual([stdout, status], ['', exitCodes.fine], stderr)
  const said = rows(sectionOf('tollgate compile'))
    .filter(([name]) => !name?.startsWith('`-'))
    .flatMap(([names = '']) => names.split(', ').map(code))
  const written = readdirSync(join(folder, 'out'), { recursive: true, encoding: 'utf8' })
  const files = written.filter((name) => extname(name) !== '')
  // Of those that are written by hand a policy has the ones that it asks: `test/bundle/modules.test.ts`.
  const byHand = readdirSync(new URL('../../rego', import.meta.url)).filter((name) => !name.endsWith('_test.rego'))
  assert.deepEqual(said.toSorted(), [...new Set([...files, ...byHand])].sort())
})

test('the settings of a gate are explained, each with the flag that says the same', () => {
  const explained = rows(readPage('docs/operating.md')).flatMap(([keys = '', flags = '']) => {
    const all = keys.split(', ').map(code)
    return all.map((key, index) => [key, flags.split(', ').map(code)[index]] as const)
  })
  const serve = program.commands.find((command) => command.name() === 'serve')
  const settable = settingsEntries.map(([, { option }]) => option)
  for (const one of serve?.options ?? []) assert.ok(settable.includes(one.attributeName()), one.flags)
  for (const [key, { option, inFile }] of settingsEntries) {
    const flag = serve?.options.find((one) => one.attributeName() === option)?.long
    if (inFile && option !== 'command')
      assert.ok(
        explained.some(([name, long]) => name === key && long === flag),
        key,
      )
  }
})
