import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TransientMap } from '../../src/model/transientMap.ts'
import { fc, seed } from '../random.ts'

test('a map that starts anew is the map that it was', () => {
  const step = fc.record({ key: fc.nat(150), does: fc.constantFrom('set', 'set', 'delete') })
  let anew = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
      const [transient, map] = [new TransientMap<number, number>(), new Map<number, number>()]
      for (const [index, { key, does }] of steps.entries()) {
        if (does === 'set') {
          transient.set(key, index)
          map.set(key, index)
        } else assert.equal(transient.delete(key), map.delete(key))
        assert.equal(transient.get(key), map.get(key))
      }
      assert.equal(transient.size, map.size)
      assert.deepEqual([...transient.values()], [...map.values()])
      if (steps.length > 400) anew++
    }),
    { seed, numRuns: 300 },
  )
  assert.ok(anew > 50, `only ${anew} were long enough`)
})
