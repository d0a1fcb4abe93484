/** One number of each kind that bounds tell apart: at a bound, between two as a whole number, and as a fraction. */

const safe = Number.MAX_SAFE_INTEGER

/** From here on every double is a whole number. */
const allWhole = 2 ** 52

export function numbersFor(bounds: Iterable<number>): readonly number[] {
  const edges = [...new Set([...bounds, 0, safe, -safe, safe + 1, -safe - 1, allWhole, -allWhole])]
    .filter(Number.isFinite)
    .map((edge) => edge + 0)
    .sort((a, b) => a - b)
  const between = [Number.NEGATIVE_INFINITY, ...edges].flatMap((from, index) =>
    inside(from, edges[index] ?? Number.POSITIVE_INFINITY),
  )
  return [...edges, ...between].sort(byPlainness)
}

/** A safe whole number and another number strictly between the two, where there are any. */
function inside(from: number, to: number): readonly number[] {
  const above = up(from)
  const wholes = [Math.max(Math.floor(from) + 1, -safe), Math.min(Math.ceil(to) - 1, safe)]
  const fractions = [Math.floor(from) + 0.5, Math.ceil(to) - 0.5, (from + to) / 2, from * 2, to * 2, above, up(above)]
  const isInside = (one: number) => from < one && one < to && Number.isFinite(one)
  const whole = wholes.filter((one) => isInside(one) && Number.isSafeInteger(one)).sort(byPlainness)[0]
  const other = fractions.find((one) => isInside(one) && !Number.isSafeInteger(one))
  return [whole, other].filter((one) => one !== undefined)
}

/** The next double. */
function up(value: number): number {
  if (value === Number.NEGATIVE_INFINITY) return -Number.MAX_VALUE
  if (value === 0) return Number.MIN_VALUE
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? 1n : -1n))
  return view.getFloat64(0)
}

/** Whole numbers first, then those that are short, then those above zero, and zero after them. */
function byPlainness(a: number, b: number): number {
  return (
    Number(!Number.isSafeInteger(a)) - Number(!Number.isSafeInteger(b)) ||
    String(Math.abs(a)).length - String(Math.abs(b)).length ||
    Number(a <= 0) - Number(b <= 0) ||
    Number(a < 0) - Number(b < 0) ||
    Math.abs(a) - Math.abs(b)
  )
}
