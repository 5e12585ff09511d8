"""Journals of earlier versions are brought forward step by step, each step from one version to the next."""

from __future__ import annotations

from musterroll.contract.sqlite import SqliteFormat
from musterroll.journal.schema import (
    AGREED,
    APPLICATION_ID,
    INVITED_AS,
    INVITED_AS_REF,
    JOB_UNCHANGED,
    LAST_VALUES,
    MADE_NAME,
    MADE_NAME_FOLDED,
    MANAGED,
    META,
    OPERATION_MEMBERS,
    OWNER,
    REFUSED,
    ROSTER,
    SCHEMA,
    SHEET_PART_JOB,
    TAKEN_BACK,
    TURN,
    UNCHANGED,
    UNINVITED,
    VERSION,
)

# What happened when is told by a counter since: by the times that were noted before, as far as they can be trusted.
_TO_4 = (
    "ALTER TABLE job ADD COLUMN number INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE job ADD COLUMN turn INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE job ADD COLUMN rejected_says TEXT",
    "ALTER TABLE row ADD COLUMN known_as TEXT",
    "ALTER TABLE invite ADD COLUMN turn INTEGER NOT NULL DEFAULT 0",
    TURN,
    INVITED_AS,
    INVITED_AS_REF,
    TAKEN_BACK,
    UNCHANGED,
    JOB_UNCHANGED,
    """
    CREATE TABLE moment AS SELECT what, id, row_number() OVER (ORDER BY at, id) AS turn FROM (
        SELECT 'job' AS what, id, started AS at FROM job
        UNION ALL SELECT 'approval', id, json_extract(approved, '$.at') FROM job WHERE approved IS NOT NULL
        UNION ALL SELECT 'invite', id, sent FROM invite WHERE sent IS NOT NULL)
    """,
    "CREATE UNIQUE INDEX moment_id ON moment (what, id)",
    "UPDATE job SET number = (SELECT turn FROM moment WHERE what = 'job' AND id = job.id)",
    "UPDATE job SET turn = coalesce((SELECT turn FROM moment WHERE what = 'approval' AND id = job.id), number)",
    "UPDATE invite SET turn = coalesce((SELECT turn FROM moment WHERE what = 'invite' AND id = invite.id), 0)",
    "INSERT INTO turn SELECT count(*) FROM moment",
    "DROP TABLE moment",
)

# A part of a job was one pack; of plans that were not carried out, memberships did not know their operation.
_TO_6 = (
    "ALTER TABLE job_unchanged RENAME TO former",
    JOB_UNCHANGED,
    "INSERT INTO job_unchanged SELECT * FROM former",
    "DROP TABLE former",
    """
    UPDATE membership SET op = made.op FROM (
        SELECT job, row, target, kind,
               (1 << 40) + dense_rank() OVER (PARTITION BY job ORDER BY kind, target, part) AS op
        FROM (SELECT *, (row_number() OVER (PARTITION BY job, kind, target ORDER BY row) - 1) / 100 AS part
              FROM membership WHERE op IS NULL)) AS made
    WHERE membership.op IS NULL AND membership.job = made.job AND membership.row = made.row
    AND membership.target = made.target AND membership.kind = made.kind
    """,
)

# Suggestions were all guesses.
_TO_7 = (
    "ALTER TABLE problem ADD COLUMN safe INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE problem ADD COLUMN also TEXT",
    "ALTER TABLE problem ADD COLUMN repaired INTEGER NOT NULL DEFAULT 0",
)

_SHEET_PART_OF_8 = """
CREATE TABLE sheet_part (job TEXT NOT NULL, rows TEXT NOT NULL, who BLOB NOT NULL, digest BLOB NOT NULL)
"""
_OWNER = "(SELECT number FROM owner AS o WHERE o.pipeline = t.pipeline AND o.identity = t.identity)"

# Digests had a row each; users had the names of the pipeline and of the portal.
_TO_8 = (
    _SHEET_PART_OF_8,
    "INSERT INTO sheet_part SELECT job, json_array(row), who, digest FROM sheet_row ORDER BY job, row",
    SHEET_PART_JOB,
    "DROP TABLE sheet_row",
    OWNER,
    """
    INSERT INTO owner (pipeline, identity) SELECT pipeline, identity FROM managed
    UNION SELECT pipeline, identity FROM roster UNION SELECT pipeline, identity FROM uninvited
    """,
    *(
        statement
        for table, made, columns in (
            ("managed", MANAGED, "job"),
            ("roster", ROSTER, "job"),
            ("uninvited", UNINVITED, "reason"),
        )
        for statement in (
            f"ALTER TABLE {table} RENAME TO former",
            made,
            f"INSERT INTO {table} SELECT {_OWNER}, ref, username, {columns} FROM former AS t",  # noqa: S608 -- constants
            "DROP TABLE former",
        )
    ),
)

# Neither usernames nor passwords were made.
_TO_9 = (
    "ALTER TABLE row ADD COLUMN made TEXT",
    "ALTER TABLE row ADD COLUMN who TEXT",
    "ALTER TABLE row ADD COLUMN handed TEXT",
    MADE_NAME,
    MADE_NAME_FOLDED,
)

# What users were given was not kept.
_TO_10 = ("ALTER TABLE row ADD COLUMN hand_edits TEXT", LAST_VALUES, AGREED)

# Whether a sheet's rows were settled was not kept.
_TO_11 = (
    "ALTER TABLE sheet_part ADD COLUMN whole BLOB",
    "ALTER TABLE sheet_part ADD COLUMN settled TEXT",
    "ALTER TABLE last_sheet ADD COLUMN left_as TEXT",
    "ALTER TABLE last_sheet ADD COLUMN writer INTEGER",
)

_OF_ROW = """
    (SELECT json_group_array(target) FROM (
        SELECT m.target FROM membership AS m
        WHERE m.job = row.job AND m.row = row.row AND m.kind = '{kind}' ORDER BY m.position))
"""

# A membership was a row of a table.
_TO_12 = (
    "ALTER TABLE row ADD COLUMN add_to TEXT",
    "ALTER TABLE row ADD COLUMN remove_from TEXT",
    "ALTER TABLE operation ADD COLUMN members TEXT",
    f"""
    UPDATE row SET add_to = nullif({_OF_ROW.format(kind="add")}, '[]'),
                   remove_from = nullif({_OF_ROW.format(kind="remove")}, '[]')
    WHERE EXISTS (SELECT 1 FROM membership AS m WHERE m.job = row.job AND m.row = row.row)
    """,  # noqa: S608 -- constants
    """
    UPDATE operation SET members = (SELECT json_group_array(row) FROM (
        SELECT m.row FROM membership AS m WHERE m.job = operation.job AND m.op = operation.seq ORDER BY m.row))
    WHERE kind IN ('add_members', 'remove_members')
    """,
    REFUSED,
    "INSERT INTO refused SELECT job, op, row, refused FROM membership WHERE refused IS NOT NULL",
    "DROP TABLE membership",
    OPERATION_MEMBERS,
)

FORMAT = SqliteFormat(
    application_id=APPLICATION_ID,
    version=VERSION,
    schema=SCHEMA,
    steps={3: _TO_4, 4: (META,), 5: _TO_6, 6: _TO_7, 7: _TO_8, 8: _TO_9, 9: _TO_10, 10: _TO_11, 11: _TO_12},
)
"""Of a journal."""
