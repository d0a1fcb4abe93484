/** A command on a terminal of its own: what it shows is waited for, and keys are pressed. Python's `pty` is the terminal. */
import { spawn, spawnSync } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'

export const keys = { enter: '\r', space: ' ', down: '\u001b[B', left: '\u001b[D', controlC: '\u0003' } as const

export const missing =
  spawnSync('python3', ['-c', 'import pty']).status === 0 ? false : 'there is no python3 with a pty module here'

const terminal = `
import fcntl, json, os, pty, select, struct, sys, termios, time
command, steps = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 250, 0, 0))
    os.execvp(command[0], command)
seen, at, deadline = b'', 0, time.time() + 60
while time.time() < deadline:
    if steps and steps[0][0].encode() in seen[at:]:
        at = seen.index(steps[0][0].encode(), at) + len(steps[0][0].encode())
        time.sleep(0.3)
        for key in steps.pop(0)[1]:
            os.write(fd, key.encode())
            time.sleep(0.1)
    if select.select([fd], [], [], 0.2)[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b''
        if not data:
            break
        seen += data
_, status = os.waitpid(pid, 0) if time.time() < deadline else (os.kill(pid, 9), os.waitpid(pid, 0))[1]
print(json.dumps({'shown': seen.decode('utf-8', 'replace'), 'code': os.waitstatus_to_exitcode(status), 'left': [step[0] for step in steps]}))
`

export interface Shown {
  /** What stood on the terminal, without what steers it. */
  readonly shown: string
  readonly code: number
  /** What was waited for in vain. */
  readonly left: readonly string[]
}

/** Each of the keys of a step is pressed by itself: an arrow is one key. */
export function onTerminal(
  command: readonly string[],
  steps: readonly (readonly [shown: string, ...keys: readonly string[]])[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Shown> {
  const given = JSON.stringify([command, steps.map(([shown, ...pressed]) => [shown, pressed])])
  const child = spawn('python3', ['-c', terminal, given], { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  return new Promise((resolve) =>
    child.on('close', () => {
      const { shown, code, left } = JSON.parse(text)
      resolve({ shown: stripVTControlCharacters(shown), code, left })
    }),
  )
}
