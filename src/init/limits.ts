/** Limits of reading and changing what belongs to MCP clients. */

/** A client's configuration; Claude Code keeps a history of many megabytes beside its servers. */
export const configBytesMax = 64 * 1024 * 1024

/** Backups of one file; a new one is only made of bytes that no other has. */
export const backupsMax = 1_000
