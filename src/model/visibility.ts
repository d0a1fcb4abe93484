/** Whom a list may show a target. */
import type { Principal } from './call.ts'

/** Not when every call of it by this caller would be refused whatever its arguments are. */
export type Visibility = (principal: Principal) => boolean
