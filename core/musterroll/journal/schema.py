"""The journal's tables."""

from __future__ import annotations

APPLICATION_ID = 0x6D757374  # "must"
VERSION = 12

TURN = "CREATE TABLE turn (value INTEGER NOT NULL)  -- counts what happens: clocks can be set back"
INVITED_AS = """
CREATE TABLE invited_as (                     -- by what a user is known again whom the portal has lost
    pipeline TEXT NOT NULL, identity TEXT NOT NULL,
    who      TEXT NOT NULL,                   -- a digest of a field that recognises the user, and of the address
    ref      TEXT NOT NULL,
    PRIMARY KEY (pipeline, identity, who, ref)
) WITHOUT ROWID
"""
INVITED_AS_REF = "CREATE INDEX invited_as_ref ON invited_as (pipeline, identity, ref)"
TAKEN_BACK = """
CREATE TABLE taken_back (                     -- users whom a job created and its undo deactivated
    pipeline TEXT NOT NULL, identity TEXT NOT NULL, ref TEXT NOT NULL,
    job      TEXT NOT NULL,                   -- the undo
    PRIMARY KEY (pipeline, identity, ref)
) WITHOUT ROWID
"""
UNCHANGED = """
CREATE TABLE unchanged (                      -- rows of ended jobs to which nothing was done, packed; jobs share them
    digest BLOB PRIMARY KEY,
    rows   INTEGER NOT NULL,
    packed BLOB NOT NULL
) WITHOUT ROWID
"""
JOB_UNCHANGED = """
CREATE TABLE job_unchanged (                  -- a part of a job may be in two packs
    job    TEXT NOT NULL,
    part   INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (job, part, digest)
) WITHOUT ROWID
"""

SHEET_PART = """
CREATE TABLE sheet_part (                     -- digests of rows that were read together, to compare two sheets
    job    TEXT NOT NULL,
    rows   TEXT NOT NULL,                     -- JSON: the rows' numbers
    who    BLOB NOT NULL,                     -- of what recognises their users, 16 bytes each
    digest BLOB NOT NULL,                     -- of what the rows say of them, likewise; neither can be read from it
    whole  BLOB,                              -- of all that the part says; NULL where that is not to be recognised
    settled TEXT                              -- JSON: [[why no invite, to so many rows], …]; null: not settled
)
"""
SHEET_PART_JOB = "CREATE INDEX sheet_part_job ON sheet_part (job)"

OWNER = """
CREATE TABLE owner (                          -- whose the users are in the tables that have a row for every user
    number   INTEGER PRIMARY KEY,
    pipeline TEXT NOT NULL, identity TEXT NOT NULL,
    UNIQUE (pipeline, identity)
)
"""
MANAGED = """
CREATE TABLE managed (                        -- users whom a pipeline has created
    owner    INTEGER NOT NULL, ref TEXT NOT NULL,
    username TEXT NOT NULL,
    job      TEXT NOT NULL,
    PRIMARY KEY (owner, ref)
) WITHOUT ROWID
"""
ROSTER = """
CREATE TABLE roster (                         -- users whom the completed sheets named, as they were called then
    owner    INTEGER NOT NULL, ref TEXT NOT NULL,
    username TEXT NOT NULL,
    job      TEXT NOT NULL,                   -- that first named the user
    PRIMARY KEY (owner, ref)
) WITHOUT ROWID
"""
UNINVITED = """
CREATE TABLE uninvited (                      -- why somebody was not invited, until they are; jobs can be forgotten
    owner    INTEGER NOT NULL, ref TEXT NOT NULL,
    username TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (owner, ref)
) WITHOUT ROWID
"""

MADE_NAME = """
CREATE TABLE made_name (                      -- the usernames of people, where usernames are made
    owner    INTEGER NOT NULL,
    who      TEXT NOT NULL,                   -- a digest of what the person is recognised by
    username TEXT NOT NULL, folded TEXT NOT NULL,
    ref      TEXT,                            -- NULL as long as nobody is known to have the name
    PRIMARY KEY (owner, who)
) WITHOUT ROWID
"""
MADE_NAME_FOLDED = "CREATE INDEX made_name_folded ON made_name (owner, folded)"
LAST_VALUES = """
CREATE TABLE last_values (                    -- what users were given last, where hand edits are told apart
    owner  INTEGER NOT NULL, ref TEXT NOT NULL,
    fields TEXT NOT NULL,                     -- JSON: {field: text}
    groups TEXT,                              -- JSON: ids of groups; NULL where no sheet has said anything of them
    PRIMARY KEY (owner, ref)
) WITHOUT ROWID
"""
AGREED = """
CREATE TABLE agreed (                         -- what a planned row asks for and its user has: for last_values
    job    TEXT NOT NULL, row INTEGER NOT NULL,
    fields TEXT NOT NULL, groups TEXT,        -- as there
    PRIMARY KEY (job, row)
) WITHOUT ROWID
"""

OPERATION_MEMBERS = "CREATE INDEX operation_members ON operation (job, state) WHERE members IS NOT NULL"
REFUSED = """
CREATE TABLE refused (                        -- what an operation that was done has left out: members, or fields
    job    TEXT NOT NULL, op INTEGER NOT NULL, row INTEGER NOT NULL,
    why    TEXT NOT NULL,
    PRIMARY KEY (job, op, row)
) WITHOUT ROWID
"""

META = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"

_TABLES = """
CREATE TABLE job (
    id           TEXT PRIMARY KEY,
    kind         TEXT NOT NULL,               -- run, apply, undo, invite
    about        TEXT,                        -- the job that an undo takes back
    plan         TEXT,                        -- the id of the saved plan that is applied
    approved     TEXT,                        -- JSON: by whom and when it was let past the limits
    state        TEXT NOT NULL,
    planned      INTEGER NOT NULL DEFAULT 0,  -- 1 once the whole plan is stored: only then anything is written
    started      TEXT NOT NULL,
    finished     TEXT,
    pipeline     TEXT NOT NULL,
    profile      TEXT,
    sets         TEXT NOT NULL,               -- JSON: the --set texts
    fingerprint  TEXT NOT NULL,               -- the SHA-256 of the merged settings
    plugins      TEXT NOT NULL,               -- JSON: distributions and local files, with version and SHA-256
    identity     TEXT NOT NULL,
    sheet        TEXT NOT NULL,               -- JSON: path, sha256, format, reader, worksheet
    counts       TEXT NOT NULL DEFAULT '{}',  -- JSON: rows, valid, invalid, errors, warnings
    totals       TEXT NOT NULL DEFAULT '{}',  -- JSON: how many users and groups the portal had when it was planned
    outcome      TEXT,                        -- JSON: what became of rows and invites, once it has ended
    rejected_file TEXT,                       -- where the rejected rows were written to
    error        TEXT,
    number       INTEGER NOT NULL DEFAULT 0,  -- the turn in which it began: the order of jobs
    turn         INTEGER NOT NULL DEFAULT 0,  -- the turn from which on it may have written
    rejected_says TEXT                        -- digests of the rejected rows and of their file
);
-- What happens to every row. For update, `fields` is the before-image as well.
CREATE TABLE row (
    job      TEXT NOT NULL,
    row      INTEGER NOT NULL,
    username TEXT NOT NULL,
    folded   TEXT NOT NULL,                   -- the username as it will be, folded
    action   TEXT NOT NULL,                   -- create, update, unchanged, deactivate, delete, rejected, …
    password TEXT NOT NULL,
    fields   TEXT NOT NULL,                   -- JSON: {field: [before, after]}, or a text that becomes of nothing, or
                                              -- [before, after, row]: first that row's user is there
    ref      TEXT,
    invite   TEXT,                            -- the notifier's label; NULL where no invite goes out
    channel  TEXT,
    reason   TEXT,                            -- why no invite goes out
    recipient TEXT,                           -- JSON: the attributes an invite needs
    seen     TEXT,                            -- a digest of what the backend said of the user
    known_as TEXT,                            -- JSON: digests for `invited_as`, where an invite is concerned
    made     TEXT,                            -- JSON: the fields that were made, not said
    who      TEXT,                            -- JSON: digests for `made_name`, where usernames are made
    handed   TEXT,                            -- the file that the password was handed over in, where it was made
    hand_edits TEXT,                          -- JSON: what somebody has changed in the portal by hand
    add_to   TEXT,                            -- JSON: the targets that the user is added to, in the cell's order
    remove_from TEXT,                         -- JSON: those that the user is taken out of
    PRIMARY KEY (job, row)
) WITHOUT ROWID;
-- Every group that the job touches; the ref of a new one comes with its creation.
CREATE TABLE target (
    job    TEXT NOT NULL,
    id     INTEGER NOT NULL,
    path   TEXT NOT NULL,                     -- JSON: the levels
    parent INTEGER,
    ref    TEXT,
    is_new INTEGER NOT NULL,                  -- did not exist when the plan was made
    deletes INTEGER NOT NULL,                 -- is to be deleted, if it is empty by then
    PRIMARY KEY (job, id)
) WITHOUT ROWID;
CREATE TABLE operation (
    job    TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    phase  INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    row    INTEGER,
    target INTEGER,
    state  TEXT NOT NULL DEFAULT 'planned',   -- planned, intent, done, noop, failed, unknown
    ref    TEXT,
    detail TEXT,
    members TEXT,                             -- JSON: the rows whose users are added or removed, ascending
    PRIMARY KEY (job, seq)
) WITHOUT ROWID;
-- A query that looks for a row's operations names it with INDEXED BY: SQLite would rather read all those of the job.
CREATE INDEX operation_row ON operation (job, row) WHERE row IS NOT NULL;
CREATE TABLE salt (value BLOB NOT NULL);
INSERT INTO salt VALUES (randomblob(32));
CREATE TABLE problem (
    job TEXT NOT NULL, seq INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, severity TEXT NOT NULL,
    row INTEGER, col TEXT, field TEXT, suggestion TEXT,
    condemns TEXT,                            -- JSON: other rows that it keeps out
    safe INTEGER NOT NULL DEFAULT 0,          -- whether the suggestion is the only thing that can be meant
    also TEXT,                                -- JSON: the further cells that it changes, as fields and texts
    repaired INTEGER NOT NULL DEFAULT 0,      -- whether it was taken on the way in
    PRIMARY KEY (job, seq)
) WITHOUT ROWID;
-- The ledger belongs to (pipeline, backend), not to a job: a rehearsal on another portal does not count.
CREATE TABLE last_sheet (
    pipeline TEXT NOT NULL, identity TEXT NOT NULL,
    job      TEXT NOT NULL,                   -- whose sheet_parts are those of the last completed sheet
    left_as  TEXT,                            -- a digest of all that decides whether they are settled still
    writer   INTEGER,                         -- which writer of the journal it was
    PRIMARY KEY (pipeline, identity)
) WITHOUT ROWID;
CREATE TABLE invite (
    id       INTEGER PRIMARY KEY,             -- the latest of a user counts
    pipeline TEXT NOT NULL, identity TEXT NOT NULL, ref TEXT NOT NULL, purpose TEXT NOT NULL,
    username TEXT NOT NULL,
    state    TEXT NOT NULL,                   -- sending, sent, held, failed
    channel  TEXT NOT NULL,
    message  TEXT NOT NULL UNIQUE,            -- the message's id: the same when it is sent again
    job      TEXT NOT NULL, row INTEGER NOT NULL,
    sent     TEXT, expires TEXT, detail TEXT,
    turn     INTEGER NOT NULL DEFAULT 0       -- in which it was settled
);
CREATE INDEX invite_user ON invite (pipeline, identity, ref, purpose, id);
CREATE INDEX invite_job ON invite (job, row);
CREATE TABLE password_reset (
    pipeline TEXT NOT NULL, identity TEXT NOT NULL, ref TEXT NOT NULL, sheet_sha256 TEXT NOT NULL, job TEXT NOT NULL,
    PRIMARY KEY (pipeline, identity, ref, sheet_sha256)
) WITHOUT ROWID;
"""

SCHEMA = (
    *_TABLES.split(";\n")[:-1],
    TURN,
    "INSERT INTO turn VALUES (0)",
    INVITED_AS,
    INVITED_AS_REF,
    TAKEN_BACK,
    UNCHANGED,
    JOB_UNCHANGED,
    META,
    SHEET_PART,
    SHEET_PART_JOB,
    OWNER,
    MANAGED,
    ROSTER,
    UNINVITED,
    MADE_NAME,
    MADE_NAME_FOLDED,
    LAST_VALUES,
    AGREED,
    OPERATION_MEMBERS,
    REFUSED,
)
