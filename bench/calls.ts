/** A call as the relay hands it to the gate. */
import type { Call } from '../src/model/call.ts'

export function callOf(name: string, args: Call['arguments']): Call {
  return {
    method: 'tools/call',
    server: 'bench',
    name,
    arguments: args,
    principal: { agent: 'bench' },
    session: 'bench',
  }
}
