/** Why a call was decided as it was: the closed set of reason codes. `docs/errors.md` explains each. */

export const reasons = {
  ALLOW: 'every rule passed',
  TOOL_NOT_ALLOWED: 'the policy does not name the tool and its default is deny',
  RESOURCE_NOT_ALLOWED: 'the policy does not name the resource and its default is deny',
  PROMPT_NOT_ALLOWED: 'the policy does not name the prompt and its default is deny',
  TOOL_HIDDEN: 'the policy hides the tool',
  DENIED_BY_RULE: 'a rule with `action: deny` applies, or could not be shown not to apply',
  ARGUMENT_REJECTED: 'an argument is missing or is not what a rule allows',
  COUNTER_REJECTED: 'what was counted before the call is not what a rule allows',
  AMOUNT_INVALID: 'the amount is missing, negative, not a number or too large',
  CURRENCY_NOT_ALLOWED: 'the currency is missing or not in the list of the rule',
  RATE_LIMITED: 'the calls of this window are used up',
  SPEND_PER_CALL_EXCEEDED: 'the amount is over the cap for one call',
  SPEND_LIMIT_EXCEEDED: 'the amount would go over what is left of this window',
  APPROVAL_REQUIRED: 'a person has to approve the call',
  MALFORMED_CALL: 'the message cannot be read in one way only',
  CALL_TOO_LARGE: 'the call, or what the policy reads of it, is over the size limit',
  UNKNOWN_METHOD: 'the method is not one the gate knows',
  RESOURCE_URI_UNSAFE: 'the URI could name another resource than the one judged',
  POLICY_UNAVAILABLE: 'no valid policy is loaded',
  ENGINE_FAILED: 'the policy engine failed or gave no single well-formed decision',
  LEDGER_UNAVAILABLE: 'the ledger cannot be read or written',
  GATE_FAILED: 'the gate itself failed while it judged the call',
} as const

export type ReasonCode = keyof typeof reasons
