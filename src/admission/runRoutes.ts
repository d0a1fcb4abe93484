/** Where the hosts of agents say what their runs are. */
import type { Router } from 'express'
import { callBytesMax } from '../model/limits.ts'
import { bytes, objectIn } from './body.ts'
import { holderIn, scoped } from './keys.ts'
import { type AdmissionPorts, runsOf } from './ports.ts'

export function addRuns(v1: Router, ports: AdmissionPorts): void {
  v1.post('/runs', scoped('runs'), bytes(callBytesMax), ({ body }, response) => {
    const { registered, isNew } = runsOf(ports).register(objectIn(body), holderIn(response))
    response.status(isNew ? 201 : 200).json(registered)
  })
  v1.get('/runs', scoped('read'), (_, response) => void response.json({ runs: runsOf(ports).list() }))
  v1.delete('/runs/:id', scoped('runs'), ({ params }, response) => {
    response.json(runsOf(ports).remove(params['id'] as string))
  })
}
