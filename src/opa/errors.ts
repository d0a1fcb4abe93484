/** Why a bundle is refused: a code and a sentence. */
import { TollgateError } from '../model/errors.ts'

export type BundleCode =
  | 'bundle_unreadable'
  | 'bundle_too_large'
  | 'bundle_entry_refused'
  | 'bundle_duplicate_file'
  | 'bundle_manifest_invalid'
  | 'bundle_delta_refused'
  | 'bundle_json_refused'
  | 'bundle_unsigned'
  | 'bundle_signatures_invalid'
  | 'bundle_key_unknown'
  | 'bundle_key_invalid'
  | 'bundle_algorithm_refused'
  | 'bundle_signature_wrong'
  | 'bundle_scope_wrong'
  | 'bundle_threshold_missed'
  | 'bundle_hash_refused'
  | 'bundle_file_unsigned'
  | 'bundle_file_missing'
  | 'bundle_file_changed'
  | 'bundle_expired'
  | 'bundle_not_yet_valid'
  | 'bundle_undated'
  | 'bundle_older'
  | 'bundle_sequence_missing'
  | 'bundle_sequence_reused'

/** A bundle that must not be used. */
export class BundleError extends TollgateError {
  override readonly name = 'BundleError'

  constructor(code: BundleCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options)
  }
}
