/** Bounds of a bundle, each with its reason. They hold before a signature is known to be good. */

/** A thousand tools are below 1 MB as a bundle; this leaves room for data and bounds what is kept of a download. */
export const bundleBytesMax = 32 * 1024 * 1024

/** What it may unpack to: a hundred times the bytes of a bundle of a thousand tools, and no bomb fills the memory. */
export const unpackedBytesMax = 256 * 1024 * 1024

/** A policy spells out at most some thousands of tools, each a file of its own. */
export const bundleEntriesMax = 20_000

/** Names of files: tar itself has 256 bytes for one that needs no extension. */
export const bundlePathCharsMax = 512

/** Signatures of one bundle: each is a token with a line for every file. */
export const tokensMax = 16

/** Data, a manifest or signatures: they are parsed before all of them are believed, and data of thousands of tools are 1 MB. */
export const bundleJsonBytesMax = 32 * 1024 * 1024

/** Nesting of a manifest or of data. */
export const bundleJsonDepthMax = 128

/** Clocks of those who sign and of those who verify differ by seconds, not by more. */
export const clockSkewMs = 5 * 60_000

/** Shorter RSA keys can be factored; `jose` refuses them too. */
export const rsaBitsMin = 2_048

/** A secret that is shorter can be tried out. */
export const secretBytesMin = 16
