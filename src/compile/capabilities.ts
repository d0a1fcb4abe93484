// What a policy may call: the deterministic built-ins that OPA puts into the WebAssembly module itself.
//
// Everything else is a compile error. A built-in that the host would have to provide (`sprintf`, `time.now_ns`,
// `http.send`) would make a decision depend on more than its input, and no record could be evaluated again.

/** OPA's capabilities format; a built-in given by its name alone has the declaration of the pinned OPA. */
export interface Capabilities {
  readonly builtins: readonly { readonly name: string }[]
  readonly future_keywords: readonly string[]
  readonly features: readonly string[]
  /** Hosts from which schemas may be fetched: none. */
  readonly allow_net: readonly string[]
}

// The table `builtinsFunctions` of OPA's WebAssembly back end, without what Rego v1 has deprecated.
const nativeBuiltins = [
  // Operators, as Rego names them.
  ...['eq', 'assign', 'equal', 'neq', 'lt', 'lte', 'gt', 'gte', 'plus', 'minus', 'mul', 'div', 'rem', 'and', 'or'],
  ...['internal.member_2', 'internal.member_3', 'internal.template_string'],
  // Numbers and bits.
  ...['abs', 'round', 'ceil', 'floor', 'numbers.range', 'to_number', 'format_int'],
  ...['bits.or', 'bits.and', 'bits.negate', 'bits.xor', 'bits.lsh', 'bits.rsh'],
  // Types.
  ...['is_number', 'is_string', 'is_boolean', 'is_array', 'is_set', 'is_object', 'is_null', 'type_name'],
  // Collections.
  ...['count', 'sum', 'product', 'max', 'min', 'sort', 'intersection', 'union', 'walk', 'graph.reachable'],
  ...['array.concat', 'array.flatten', 'array.reverse', 'array.slice'],
  ...['object.filter', 'object.get', 'object.keys', 'object.remove', 'object.union', 'object.union_n'],
  // Strings.
  ...['concat', 'contains', 'startswith', 'endswith', 'indexof', 'substring', 'lower', 'upper', 'split', 'replace'],
  ...['strings.replace_n', 'strings.reverse', 'trim', 'trim_left', 'trim_prefix', 'trim_right', 'trim_suffix'],
  ...['trim_space', 'glob.match', 'regex.is_valid', 'regex.match', 'regex.find_all_string_submatch_n'],
  // Formats and networks.
  ...['base64.is_valid', 'base64.encode', 'base64.decode', 'base64url.encode', 'base64url.decode'],
  ...['json.marshal', 'json.unmarshal', 'json.is_valid', 'json.remove', 'json.filter'],
  ...['net.cidr_contains', 'net.cidr_intersects'],
] as const

// Tests run in OPA's own evaluator and never decide: they may print and build their cases.
const testBuiltins = [
  'print',
  'internal.print',
  'trace',
  'sprintf',
  'json.patch',
  'object.subset',
  'time.parse_rfc3339_ns',
] as const

const rego = {
  future_keywords: [],
  features: ['rego_v1', 'rego_v1_import', 'keywords_in_refs', 'template_strings'],
  allow_net: [],
}

/** What policies are compiled and checked with. */
export const policyCapabilities: Capabilities = { ...rego, builtins: named(nativeBuiltins) }

/** What Rego tests are run with: check the modules under test against `policyCapabilities` as well. */
export const testCapabilities: Capabilities = { ...rego, builtins: named([...nativeBuiltins, ...testBuiltins]) }

function named(names: readonly string[]): readonly { name: string }[] {
  return names.map((name) => ({ name }))
}
