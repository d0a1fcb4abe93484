/** Words that the OpenAPI document is made of. */

export const text = { type: 'string' } as const
export const time = { type: 'string', format: 'date-time' } as const
export const textOrNull = { type: ['string', 'null'] } as const
export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
export const answer = (description: string, schema: object) => ({
  description,
  content: { 'application/json': { schema } },
})
export const refused = (description: string) => answer(description, ref('Error'))
export const secured = [{ key: [] }]
export const refusals = {
  401: refused("No credential, or nobody's."),
  403: refused('The key may not do this, or the host or the origin is unknown.'),
  429: refused('Too much at once; `Retry-After` says when to ask again.'),
}
