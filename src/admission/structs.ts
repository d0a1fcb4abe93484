/** `google.protobuf.Struct`, as protobuf reads it, and JSON. */
import type { Json } from '../model/canonical.ts'

export interface Struct {
  readonly fields?: { readonly [key: string]: Value }
}

/** One of them. */
interface Value {
  readonly nullValue?: unknown
  readonly numberValue?: number
  readonly stringValue?: string
  readonly boolValue?: boolean
  readonly structValue?: Struct
  readonly listValue?: { readonly values?: readonly Value[] }
}

export function objectOf({ fields = {} }: Struct): { readonly [key: string]: Json } {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, jsonOf(value)]))
}

function jsonOf({ numberValue, stringValue, boolValue, structValue, listValue }: Value): Json {
  if (structValue) return objectOf(structValue)
  if (listValue) return (listValue.values ?? []).map(jsonOf)
  return stringValue ?? numberValue ?? boolValue ?? null
}

export function textStruct(texts: Readonly<Record<string, string>>): Struct {
  return { fields: Object.fromEntries(Object.entries(texts).map(([key, stringValue]) => [key, { stringValue }])) }
}
