/** The last step of the build: leaves the digest of the code beside the code. */
import { writeFileSync } from 'node:fs'
import { builtFile, sourceDigest } from './codeDigest.ts'

writeFileSync(builtFile, sourceDigest())
