/**
 * The one seed of everything random in a test run. It is fixed, so that a commit passes for all or fails for all;
 * `TOLLGATE_TEST_SEED` takes another, and `new` one that nobody has tried (`make fuzz`). A test that fails names it.
 */
import fc from 'fast-check'

const asked = process.env['TOLLGATE_TEST_SEED'] ?? '20261121'

export const seed = asked === 'new' ? Date.now() % 2 ** 31 : Number(asked)
if (!Number.isInteger(seed)) throw new Error(`TOLLGATE_TEST_SEED is a whole number or "new", not ${asked}`)

fc.configureGlobal({ seed })

/** How many of so many random values to try: the fixed seed gives the same ones in every run, and a quarter of them will do. */
export const tries = (many: number): number =>
  process.env['TOLLGATE_TEST_SEED'] === undefined ? Math.ceil(many / 4) : many

export { fc }
