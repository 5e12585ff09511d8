"""What a directory file looks like inside. SQLite keeps the comments: `.schema` shows them."""

from __future__ import annotations

from musterroll import SqliteFormat

# "MRdb": tells the file from other programs' SQLite files (and `file` can know it).
_APPLICATION_ID = 0x4D526462

# The fields with a column of their own; every other one is in `attributes`.
COLUMNS = ("email", "forename", "surname", "calling_code", "phone")

NEEDED = {
    "meta": "key, value",
    "users": f"id, username, username_key, {', '.join(COLUMNS)}, email_key, attributes, password_hash, active, "
    "operation, created_at, updated_at",
    "groups": "id, parent_id, name, name_key, operation, created_at",
    "memberships": "user_id, group_id",
}
"""The columns that every table must have."""

EMAIL_INDEX = "CREATE INDEX users_by_email ON users (email_key)"
"""Makes the index by address, which a large first import drops until it is done."""

_COUNT = "BEGIN UPDATE meta SET value = value + 1 WHERE key = 'changes'; END"
COUNT_CHANGES = (
    "INSERT OR REPLACE INTO meta VALUES ('changes', 0)",
    f"CREATE TRIGGER IF NOT EXISTS users_updated AFTER UPDATE ON users {_COUNT}",
    f"CREATE TRIGGER IF NOT EXISTS users_deleted AFTER DELETE ON users {_COUNT}",
)
"""Counts meanwhile how often users are changed or deleted: whoever looks up users beside it reads new ones only."""

COUNT_NO_CHANGES = (
    "DROP TRIGGER IF EXISTS users_updated",
    "DROP TRIGGER IF EXISTS users_deleted",
    "DELETE FROM meta WHERE key = 'changes'",
)

_SCHEMA = (
    """
    CREATE TABLE meta (
        key    TEXT PRIMARY KEY,   -- directory_id, musterroll (the version that made the file)
        value  TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE users (
        id             TEXT PRIMARY KEY,             -- a UUID in hexadecimal
        username       TEXT NOT NULL,                -- as it was typed
        username_key   TEXT NOT NULL UNIQUE,         -- folded for comparison: NFKC, without case
        email          TEXT,
        email_key      TEXT,                         -- folded likewise
        forename       TEXT,
        surname        TEXT,
        calling_code   TEXT,
        phone          TEXT,
        attributes     TEXT NOT NULL DEFAULT '{}'    -- own fields, a JSON object of texts
                       CHECK (json_valid(attributes)),
        password_hash  TEXT,                         -- argon2id; NULL: no password
        active         INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
        operation      TEXT,                         -- the import operation that created the user
        created_at     TEXT NOT NULL,                -- ISO 8601, UTC
        updated_at     TEXT NOT NULL
    )
    """,
    EMAIL_INDEX,
    """
    CREATE TABLE groups (
        id          TEXT PRIMARY KEY,
        parent_id   TEXT REFERENCES groups (id) ON DELETE RESTRICT,   -- NULL: a top-level group
        name        TEXT NOT NULL,
        name_key    TEXT NOT NULL,                                    -- folded, unique within the parent
        operation   TEXT,
        created_at  TEXT NOT NULL
    )
    """,
    # NULLs are distinct in a unique index, hence the '' for top-level groups.
    "CREATE UNIQUE INDEX groups_by_name ON groups (ifnull(parent_id, ''), name_key)",
    "CREATE INDEX groups_by_parent ON groups (parent_id)",
    """
    CREATE TABLE memberships (
        user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        group_id  TEXT NOT NULL REFERENCES groups (id) ON DELETE RESTRICT,
        PRIMARY KEY (user_id, group_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX memberships_by_group ON memberships (group_id)",
    """
    CREATE VIEW group_paths (group_id, path) AS   -- as a sheet writes them: Parent|Child
    WITH RECURSIVE
        escaped (id, parent_id, name) AS (
            SELECT id, parent_id, replace(replace(replace(name, '\\', '\\\\'), '|', '\\|'), ';', '\\;') FROM groups
        ),
        paths (id, path) AS (
            SELECT id, name FROM escaped WHERE parent_id IS NULL
            UNION ALL
            SELECT escaped.id, paths.path || '|' || escaped.name
            FROM escaped JOIN paths ON escaped.parent_id = paths.id
        )
    SELECT id, path FROM paths
    """,
    """
    CREATE VIEW user_groups (username, path) AS   -- one line for each membership
    SELECT users.username, group_paths.path
    FROM memberships
    JOIN users ON users.id = memberships.user_id
    JOIN group_paths ON group_paths.group_id = memberships.group_id
    """,
)

# The version was noted twice; who wrote the file was not.
_TO_2 = ("DELETE FROM meta WHERE key = 'schema_version'",)

FORMAT = SqliteFormat(application_id=_APPLICATION_ID, version=2, schema=_SCHEMA, steps={1: _TO_2})
