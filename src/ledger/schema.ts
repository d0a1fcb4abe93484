/** The tables, and how a ledger of an earlier version becomes one of this version. */
import type { Database } from 'better-sqlite3'

/** `TGLD`: what makes a SQLite file a ledger of ours. */
export const applicationId = 0x54474c44

/**
 * Step n takes a ledger from schema n to n + 1; steps are never changed once released, only added. A step that an older
 * gate must not survive renames `head`: the next transaction of that gate then fails, and a gate that fails denies.
 */
const steps: readonly string[] = [
  `
  CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    decision_id TEXT,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX records_by_decision ON records (decision_id) WHERE decision_id IS NOT NULL;

  -- The last record: a tail that was cut off leaves the chain whole, but not up to here. \`at\` is the last instant seen,
  -- that of the last record or later: time does not step back behind it.
  CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  INSERT INTO head VALUES (1, 0, 0, '${'0'.repeat(64)}');

  CREATE TRIGGER records_never_change BEFORE UPDATE ON records
  BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
  CREATE TRIGGER records_never_go BEFORE DELETE ON records
  BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;

  -- Calendar windows and totals: \`window\` is the first instant of the window, \`ends\` the first after it.
  CREATE TABLE counters (
    key TEXT NOT NULL,
    window INTEGER NOT NULL,
    used INTEGER NOT NULL CHECK (used BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER}),
    ends INTEGER,
    PRIMARY KEY (key, window)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX counters_by_end ON counters (ends) WHERE ends IS NOT NULL;

  -- Sliding windows: \`used\` is the sum of the events that are kept. \`ends\` says when to ask whether the row may go;
  -- it is right for the first event, and put right when asked, so that a charge does not have to move it.
  CREATE TABLE sliding (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    used INTEGER NOT NULL CHECK (used BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER}),
    ms INTEGER NOT NULL,
    ends INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX sliding_by_end ON sliding (ends);
  CREATE TABLE events (
    counter INTEGER NOT NULL,
    at INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (counter, at)
  ) STRICT, WITHOUT ROWID;

  -- Allowed calls whose outcome is not known yet, with what they reserved (JSON).
  CREATE TABLE open_calls (
    decision_id TEXT PRIMARY KEY,
    instance TEXT NOT NULL,
    charges TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The processes that have the ledger open, or ended without closing it.
  CREATE TABLE instances (
    id TEXT PRIMARY KEY,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    opened_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE policies (
    revision TEXT PRIMARY KEY,
    artifact BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER policies_never_change BEFORE UPDATE ON policies
  BEGIN SELECT RAISE(ABORT, 'policies are kept as they were'); END;
  CREATE TRIGGER policies_never_go BEFORE DELETE ON policies
  BEGIN SELECT RAISE(ABORT, 'policies are kept as they were'); END;
  `,
  `
  -- Takes the place of \`open_calls\`: the calls of one transaction are one row, decision ids with spaces between them.
  -- An older gate finds its table gone, cannot let a call through any more, and denies.
  CREATE TABLE pending (
    id INTEGER PRIMARY KEY,
    instance TEXT NOT NULL,
    decision_ids TEXT NOT NULL
  ) STRICT;
  INSERT INTO pending (instance, decision_ids) SELECT instance, decision_id FROM open_calls ORDER BY decision_id;
  DROP TABLE open_calls;
  `,
  `
  -- Requests to persons. \`key\` is the call and what holds it, \`caller\` who asks, \`request\` what is asked and \`answers\` what
  -- was said (JSON). An older gate does not know of them: it holds every call, as it did.
  CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    caller TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'consumed', 'expired')),
    requested INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    request TEXT NOT NULL,
    answers TEXT NOT NULL,
    arguments TEXT
  ) STRICT;
  CREATE INDEX approvals_by_key ON approvals (key, requested);
  CREATE INDEX approvals_by_state ON approvals (state, expires);
  CREATE TRIGGER approvals_end_once BEFORE UPDATE ON approvals
  WHEN OLD.state IN ('rejected', 'consumed', 'expired') OR (OLD.state = 'approved' AND NEW.state IN ('pending', 'rejected'))
  BEGIN SELECT RAISE(ABORT, 'what was answered stays answered'); END;
  CREATE TRIGGER approvals_open_never_go BEFORE DELETE ON approvals WHEN OLD.state IN ('pending', 'approved')
  BEGIN SELECT RAISE(ABORT, 'what waits for an answer stays'); END;
  `,
  `
  -- What is stopped until somebody lifts it: \`said\` is who stopped it and why (JSON). An older gate would let it through:
  -- it finds its \`head\` gone and denies. The index is of the few records by which it can be told what was stopped when.
  CREATE TABLE kills (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('session', 'agent', 'user', 'project', 'tool', 'all')),
    name TEXT NOT NULL CHECK ((name = '') = (kind = 'all')),
    at INTEGER NOT NULL,
    said TEXT NOT NULL,
    UNIQUE (kind, name)
  ) STRICT;
  CREATE INDEX records_of_kills ON records (seq) WHERE kind IN ('kill', 'lift');
  ALTER TABLE head RENAME TO chain_head;
  `,
  `
  -- Whoever tells others of records, by name, and the last record that was told.
  CREATE TABLE cursors (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Tools by the definitions that their servers have shown: digests (JSON) of those that were accepted, and of those that
  -- nobody has. An older gate does not ask, and cannot read a policy that does. The index is of the few records by which it
  -- can be told what was accepted when.
  CREATE TABLE tool_pins (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    server TEXT NOT NULL,
    tool TEXT NOT NULL,
    at INTEGER NOT NULL,
    pinned TEXT NOT NULL,
    held TEXT NOT NULL,
    UNIQUE (server, tool)
  ) STRICT;
  CREATE TABLE tool_definitions (
    sha256 TEXT PRIMARY KEY,
    definition TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- Servers of which some list was read to its end: what they list later is new.
  CREATE TABLE servers_seen (
    server TEXT PRIMARY KEY,
    at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX records_of_pins ON records (seq) WHERE kind IN ('pin', 'drift', 'accept');
  `,
  `
  -- Runs as the hosts of agents have registered them: \`registered\` is what they said (JSON). An older gate does not know of
  -- them: to it a call belongs to no run, and a policy pack denies it.
  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    expires INTEGER NOT NULL,
    registered TEXT NOT NULL
  ) STRICT;
  CREATE INDEX runs_by_expiry ON runs (expires);
  `,
  `
  -- The same index: for three values or more, SQLite builds \`IN\` as a table of its own, and did so for every record.
  DROP INDEX records_of_pins;
  CREATE INDEX records_of_pins ON records (seq) WHERE kind = 'pin' OR kind = 'drift' OR kind = 'accept';
  `,
  `
  -- Servers and runs can be stopped too, and tools by a pattern. An older gate would let these through: it finds its
  -- \`chain_head\` gone and denies.
  CREATE TABLE all_kills (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('session', 'agent', 'user', 'project', 'run', 'server', 'tool', 'all')),
    name TEXT NOT NULL CHECK ((name = '') = (kind = 'all')),
    at INTEGER NOT NULL,
    said TEXT NOT NULL,
    UNIQUE (kind, name)
  ) STRICT;
  INSERT INTO all_kills SELECT * FROM kills;
  DROP TABLE kills;
  ALTER TABLE all_kills RENAME TO kills;
  ALTER TABLE chain_head RENAME TO chain_end;
  `,
]

export const schemaVersion = steps.length

/** Brings a ledger to this version (or an earlier one), all steps or none. Throws the errors of SQLite. */
export function migrate(db: Database, to = schemaVersion): void {
  db.transaction(() => {
    // Read again under the write lock: another process may have just done it.
    const from = db.pragma('user_version', { simple: true }) as number
    for (const step of steps.slice(from, to)) db.exec(step)
    db.pragma(`application_id = ${applicationId}`)
    db.pragma(`user_version = ${Math.max(from, to)}`)
  }).immediate()
}
