/** `tollgate completion`: the scripts in their own shells, against the commands they are made from. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { completedCommands } from '../../src/cli/completion/commands.ts'
import { program } from '../../src/cli/program.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-completion-'))
after(() => rmSync(folder, { recursive: true }))

function scriptFor(shell: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'completion', shell], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const file = join(folder, `completion.${shell}`)
  writeFileSync(file, stdout)
  return file
}

const isThere = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0
/** Without the shell there is nothing to ask: `apt-get install zsh fish`, and these run. */
const missing = (shell: string) =>
  isThere(shell) ? false : `${shell} is not installed here: its completion was not tried`

const bash = scriptFor('bash')

/** What bash would offer for the last of the words. */
function offered(...words: readonly string[]): readonly string[] {
  const code = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _tollgate; printf '%s\\n' "\${COMPREPLY[@]}"`
  const args = ['--noprofile', '--norc', '-c', code, bash, 'tollgate', ...words]
  const { stdout, stderr } = spawnSync('bash', args, { encoding: 'utf8', cwd: folder })
  assert.equal(stderr, '')
  return stdout.split('\n').filter((line) => line !== '')
}

test('bash takes the script and knows what completes tollgate', () => {
  const { stdout, stderr } = spawnSync('bash', ['-c', 'source "$0"; complete -p tollgate', bash], { encoding: 'utf8' })
  assert.deepEqual([stdout, stderr], ['complete -F _tollgate tollgate\n', ''])
})

test('bash offers every command and every option that the help shows', () => {
  for (const { path, commands, options } of completedCommands(program)) {
    const flags = options.flatMap((option) => option.flags)
    assert.deepEqual(
      offered(...path, '-').filter((word) => word !== '--'),
      flags,
      path.join(' '),
    )
    if (commands.length > 0)
      assert.deepEqual(
        offered(...path, ''),
        commands.map(({ name }) => name),
      )
  }
})

test('bash offers the choices of an option, however it is written', () => {
  assert.deepEqual(offered('run', '--durability', ''), ['process', 'power'])
  assert.deepEqual(offered('run', '--durability', 'po'), ['power'])
  assert.deepEqual(offered('run', '--durability', '='), ['process', 'power'])
  assert.deepEqual(offered('run', '--server', 'x', '--durability', '=', 'po'), ['power'])
  assert.deepEqual(offered('completion', ''), ['bash', 'zsh', 'fish'])
  assert.deepEqual(offered('completion', 'z'), ['zsh'])
  assert.deepEqual(
    offered('help', ''),
    program.commands.map((command) => command.name()),
  )
})

test('bash offers files and folders where they are meant, and nothing where nothing is known', () => {
  mkdirSync(join(folder, 'policies', 'inner folder'), { recursive: true })
  writeFileSync(join(folder, 'policies', 'a policy*.yaml'), '')
  assert.deepEqual(offered('check', 'pol'), ['policies'])
  assert.deepEqual(offered('check', 'policies/a'), ['policies/a policy*.yaml'])
  assert.deepEqual(offered('run', '-c', 'policies/').toSorted(), ['policies/a policy*.yaml', 'policies/inner folder'])
  assert.deepEqual(offered('compile', '-o', 'policies/'), ['policies/inner folder'])
  assert.deepEqual(offered('run', '--server', ''), [])
})

test('a value that looks like a command is a value in bash', () => {
  assert.deepEqual(offered('run', '--server', 'check', '--dur'), ['--durability'])
  assert.deepEqual(offered('run', '--server', '=', 'check', '--dur'), ['--durability'])
})

test('behind `--` bash completes the command of the server', () => {
  assert.deepEqual(offered('scan', ''), ['--'])
  assert.ok(offered('scan', '--', 'bas').includes('bash'))
  assert.deepEqual(offered('run', '-c', 'x', '--', 'node', 'pol'), ['policies'])
  assert.deepEqual(offered('run', '--', 'node', '--durability', ''), offered('check', ''))
})

/** A shell on a terminal of its own, which completes a line as soon as it may be edited, and notes what it offers. */
const zshAsked = `
autoload -Uz compinit && compinit -u -D
source $SCRIPT
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a found
  builtin compadd -A found "$@"
  print -rl -- $found >> $OFFERED
  builtin compadd "$@"
}
zle-line-init() { BUFFER=$ASKED; CURSOR=$#BUFFER; zle list-choices; print the end; exit }
zle -N zle-line-init`
const zshAsking = `zmodload zsh/zpty; zpty asked zsh -f -i; zpty -w asked "source $1"; zpty -r asked all '*the end*'`

/** What zsh would offer for the end of a line, each once. */
function offeredByZsh(line: string): readonly string[] {
  const [asked, out] = [join(folder, 'asked.zsh'), join(folder, 'offered')]
  writeFileSync(asked, zshAsked)
  writeFileSync(out, '')
  const env = { ...process.env, SCRIPT: zsh, OFFERED: out, ASKED: line }
  const { status } = spawnSync('zsh', ['-f', '-c', zshAsking, 'zsh', asked], { cwd: folder, env, timeout: 30_000 })
  assert.equal(status, 0)
  return [...new Set(readFileSync(out, 'utf8').split('\n'))].filter((word) => word.trim() !== '').toSorted()
}

const zsh = scriptFor('zsh')
const fish = scriptFor('fish')

function offeredByFish(line: string): readonly string[] {
  const code = `source ${fish}; complete -C '${line}'`
  const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', code], { encoding: 'utf8', cwd: folder })
  assert.equal(stderr, '')
  return stdout
    .split('\n')
    .flatMap((found) => found.split('\t', 1)[0] || [])
    .toSorted()
}

for (const [shell, offers] of [
  ['zsh', offeredByZsh],
  ['fish', offeredByFish],
] as const) {
  test(`${shell} reads the script`, { skip: missing(shell) }, () => {
    const { status, stderr } = spawnSync(shell, ['-n', shell === 'zsh' ? zsh : fish], { encoding: 'utf8' })
    assert.deepEqual([status, stderr], [0, ''])
  })

  test(`${shell} offers every command and every option that the help shows`, { skip: missing(shell) }, () => {
    for (const { path, commands, options } of completedCommands(program)) {
      const line = ['tollgate', ...path].join(' ')
      const long = options.flatMap(({ flags }) => flags.filter((flag) => flag.startsWith('--')))
      assert.deepEqual(offers(`${line} --`), long.toSorted(), line)
      if (commands.length > 0)
        assert.deepEqual(
          offers(`${line} `).filter((word) => !word.includes('.')),
          commands.map(({ name }) => name).toSorted(),
          line,
        )
    }
  })

  test(`${shell} offers choices, commands under \`help\`, and what stands behind a value`, {
    skip: missing(shell),
  }, () => {
    const commands = program.commands.map((command) => command.name()).toSorted()
    assert.deepEqual(offers('tollgate run --durability '), ['power', 'process'])
    assert.deepEqual(offers('tollgate run --server check --dur'), ['--durability'])
    assert.deepEqual(offers('tollgate completion '), ['bash', 'fish', 'zsh'])
    assert.deepEqual(offers('tollgate help '), commands)
  })

  test(`${shell} offers folders where one is meant`, { skip: missing(shell) }, () => {
    mkdirSync(join(folder, 'onlyfolder'), { recursive: true })
    writeFileSync(join(folder, 'onlyfile'), '')
    assert.deepEqual(
      offers('tollgate compile -o only').map((word) => word.replace(/\/$/, '')),
      ['onlyfolder'],
    )
    assert.ok(offers('tollgate check only').includes('onlyfile'))
  })
}

test('a shell that is not known is a usage error that names those that are', () => {
  const { status, stderr } = spawnSync(process.execPath, [main, 'completion', 'tcsh'], { encoding: 'utf8' })
  assert.equal(status, 2)
  assert.match(stderr, /Allowed choices are bash, zsh, fish/)
})
