/** The run of a workflow, as the program that hosts the agent registers it: read as strictly as a call. */
import { messageOf } from '../model/errors.ts'
import { callBytesMax } from '../model/limits.ts'
import { readJson } from '../model/message/json.ts'
import { runAttributes } from '../model/pack/attributes.ts'
import type { Run } from '../model/pack/run.ts'
import { fieldsOf } from './fields.ts'
import { NotACall, strictJson } from './strictJson.ts'

/** The run as it is registered by now. Throws a `NotACall`. */
export type Registration = () => Run | undefined

/** What is no function is read at once, and only then. Throws a `NotACall`. */
export function registrationOf(given: unknown): Registration {
  if (typeof given === 'function') return () => registered(asked(given as () => unknown))
  const run = registered(given)
  return () => run
}

function asked(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    throw new NotACall(`the run is not known: ${messageOf(error)}`)
  }
}

/** A copy that nobody else holds. */
function registered(value: unknown): Run | undefined {
  if (value === undefined) return undefined
  const text = strictJson(fieldsOf(value, runAttributes, '`run`'), 'run')
  const bytes = Buffer.from(text)
  if (bytes.length > callBytesMax)
    throw new NotACall(`the run has ${bytes.length} bytes, ${callBytesMax} are allowed`, 'CALL_TOO_LARGE')
  const read = readJson(bytes)
  if (!read.ok) throw new NotACall(read.message)
  return read.value as Run
}
