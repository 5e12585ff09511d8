"""A job's operations in the journal: what is open, what was handed over, what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from operator import itemgetter
from types import MappingProxyType, NoneType
from typing import Any, NamedTuple, TypeAlias, cast

from musterroll.contract.operations import FLAGS, OPERATIONS, GroupRef, Kind, UserRef
from musterroll.contract.users import GroupPath
from musterroll.journal.change import PasswordAction, field_changes, shown_row, waiting_fields
from musterroll.journal.damage import decoded, refuse_other_than_text, storable
from musterroll.journal.journal import Journal
from musterroll.journal.targets import Target


class OpState(StrEnum):
    """Where an operation stands."""

    PLANNED = "planned"
    INTENT = "intent"  # handed to the backend, no answer yet
    DONE = "done"
    NOOP = "noop"
    FAILED = "failed"
    UNKNOWN = "unknown"


class PlannedUser(NamedTuple):
    """What an operation has to know of its row.

    Attributes:
        row: the number under which the journal keeps it.
        username: as stored for an existing user, as in the sheet for a new one.
        ref: the backend's id of the user, where there is one already.
        password: what happens to the password.
        after: what the attributes that differ are to be; flags, which operations of their own change, are none.
        before: what they are; of a user who is created nothing.
        lacks: the usernames of others whom the change names, and who are not there.
    """

    row: int
    username: str
    ref: str | None
    password: PasswordAction
    after: Mapping[str, str | None]
    before: Mapping[str, str | None]
    lacks: tuple[str, ...] = ()


class StoredOp(NamedTuple):
    """A stored operation: of a user (`user`), or of a group (`group`, `parent`, `members`)."""

    seq: int
    kind: Kind
    user: PlannedUser | None = None
    group: Target | None = None
    parent: GroupRef | None = None
    members: tuple[UserRef, ...] = ()


_KINDS = {kind.value: kind for kind in Kind}
_PASSWORDS = {action.value: action for action in PasswordAction}
_PHASES_OF_MEMBERS = frozenset(OPERATIONS[kind].phase for kind in (Kind.ADD_MEMBERS, Kind.REMOVE_MEMBERS))
_MOST_OF_MEMBERS = 500  # operations at once: each has up to a hundred members
_TEXT = frozenset({str})
_TEXTS = frozenset({str, NoneType})
_Texts: TypeAlias = Mapping[str, str | None]
_NOTHING: _Texts = MappingProxyType({})


class OperationStore:
    """The operations of one job.

    Args:
        journal: where they are kept.
        job: the job's id.
    """

    def __init__(self, journal: Journal, job: str) -> None:
        self._journal = journal
        self._job = job

    def next_phase(self, begin: int) -> int | None:
        """Returns the next phase, from one on, that has operations to hand over; None where there is none."""
        query = "SELECT min(phase) FROM operation WHERE job = ? AND state = 'planned' AND phase >= ?"
        (phase,) = self._journal.execute(query, (self._job, begin)).fetchone()
        return None if phase is None else int(phase)

    def count_open(self) -> int:
        """Returns how many operations are not settled."""
        query = "SELECT count(*) FROM operation WHERE job = ? AND state IN ('planned', 'intent', 'unknown')"
        (count,) = self._journal.execute(query, (self._job,)).fetchone()
        return int(count)

    def planned(self, phase: int, after: int, limit: int) -> list[StoredOp]:
        """Returns the next operations of a phase to hand over, by ascending number."""
        if phase in _PHASES_OF_MEMBERS:
            limit = min(limit, _MOST_OF_MEMBERS)
        return self._load("o.phase = ? AND o.state = 'planned' AND o.seq > ?", (phase, after), limit)

    def doubtful(self, limit: int, *, after: int = 0) -> list[StoredOp]:
        """Returns operations that were handed over and have no answer."""
        return self._load("o.state IN ('intent', 'unknown') AND o.seq > ?", (after,), limit)

    def anything_handed_over(self) -> bool:
        """Whether any operation was ever handed to the backend, or any invite to a notifier."""
        invites = "SELECT 1 FROM invite WHERE job = ? LIMIT 1"
        return self.any_begun() or self._journal.execute(invites, (self._job,)).fetchone() is not None

    def any_begun(self) -> bool:
        """Whether any operation was ever handed to the backend."""
        query = "SELECT 1 FROM operation WHERE job = ? AND state <> 'planned' LIMIT 1"
        return self._journal.execute(query, (self._job,)).fetchone() is not None

    def any_failed(self) -> bool:
        """Whether the backend refused an operation."""
        query = "SELECT 1 FROM operation WHERE job = ? AND state = 'failed' LIMIT 1"
        return self._journal.execute(query, (self._job,)).fetchone() is not None

    def needs_passwords(self) -> bool:
        """Whether an operation that is not done yet needs a password of the sheet."""
        query = """
            SELECT 1 FROM operation AS o JOIN row AS r ON r.job = o.job AND r.row = o.row
            WHERE o.job = ? AND o.state NOT IN ('done', 'noop')
            AND o.kind IN ('create_user', 'update_user') AND r.password IN ('set', 'reset') LIMIT 1
        """
        return self._journal.execute(query, (self._job,)).fetchone() is not None

    @decoded
    def _load(self, where: str, values: Sequence[int], limit: int) -> list[StoredOp]:
        query = (
            f"SELECT o.seq, o.kind, o.target, r.row, r.username, r.ref, r.password, r.fields, o.members "  # noqa: S608 -- constants
            f"FROM operation AS o "
            f"LEFT JOIN row AS r ON r.job = o.job AND r.row = o.row WHERE o.job = ? AND {where} ORDER BY o.seq LIMIT ?"
        )
        found = self._journal.execute(query, (self._job, *values, limit)).fetchall()
        refuse_other_than_text(*[one[4] for one in found], *[one[5] for one in found])
        changes = iter(_taken_apart([one[7] for one in found if one[7] is not None]))
        members = iter(self._members([one[8] for one in found if one[8] is not None]))
        planned = self._planned_part if self._has_references else _planned_user
        return [
            self._of_group(seq, _KINDS[kind], target, () if of_members is None else next(members))
            if target is not None
            else StoredOp(seq, _KINDS[kind], planned(kind, row, name, ref, password, next(changes, None)))
            for seq, kind, target, row, name, ref, password, _, of_members in found
        ]

    @cached_property
    def _has_references(self) -> bool:
        """Whether there are operations that write a part of a row's fields only."""
        query = "SELECT 1 FROM operation WHERE job = ? AND kind = ? LIMIT 1"
        return self._journal.execute(query, (self._job, Kind.REFER)).fetchone() is not None

    def _planned_part(
        self, kind: str, row: int, username: str, ref: str | None, password: str, fields: Any
    ) -> PlannedUser:
        """As `_planned_user`, with the fields only that an operation of this kind writes."""
        waiting = waiting_fields(fields)
        refers = kind == Kind.REFER
        part = {name: change for name, change in fields.items() if (name in waiting) is refers}
        user = _planned_user(kind, row, username, ref, password, part)
        if not refers:
            return user
        lacks = tuple(str(user.after[name]) for name, other in waiting.items() if not self._is_there(other))
        return user._replace(password=PasswordAction.KEEP, lacks=lacks)

    def _is_there(self, row: int) -> bool:
        """Whether the user of a row is there under the name that the row gives."""
        query = (
            "SELECT 1 FROM operation INDEXED BY operation_row WHERE job = ? AND row = ? "
            "AND kind IN ('create_user', 'update_user') AND state IN ('done', 'noop')"
        )
        return self._journal.execute(query, (self._job, row)).fetchone() is not None

    def _of_group(self, seq: int, kind: Kind, target: int, members: tuple[UserRef, ...]) -> StoredOp:
        path, ref, above, parent = self._journal.execute(
            "SELECT t.path, t.ref, p.path, p.ref FROM target AS t LEFT JOIN target AS p ON p.job = t.job "
            "AND p.id = t.parent WHERE t.job = ? AND t.id = ?",
            (self._job, target),
        ).fetchone()
        return StoredOp(
            seq,
            kind,
            group=Target(tuple(json.loads(path)), target, ref=ref),
            parent=GroupRef(parent or "", tuple(json.loads(above))) if above else None,
            members=members,
        )

    def _members(self, texts: Sequence[str]) -> list[tuple[UserRef, ...]]:
        """The members of operations, of each those who exist; the others' own operations say why they do not."""
        operations = _taken_apart(texts)
        wanted = sorted({row for rows in operations for row in rows})
        # CROSS JOIN: SQLite keeps the order, which is that of the rows.
        query = (
            "SELECT r.row, r.ref, r.username FROM json_each(?) AS m CROSS JOIN row AS r ON r.job = ? "
            "AND r.row = m.value WHERE r.ref IS NOT NULL"
        )
        found = self._journal.execute(query, (json.dumps(wanted), self._job)).fetchall() if wanted else ()
        there = {row: UserRef(ref, username) for row, ref, username in found}
        return [tuple([there[row] for row in rows if row in there]) for rows in operations]

    def set_states(self, states: Sequence[tuple[OpState, str | None, int]]) -> None:
        """Says where operations stand: (state, why, number). A reason stays until there is another.

        Neighbours of which the same is said are one statement; of one operation the last word counts.
        """
        runs: list[list[Any]] = []  # state, why, first and last number
        run: list[Any] = [None, None, 0, 0]
        for state, why, seq in sorted(states, key=itemgetter(2)):
            if seq == run[3] + 1 and state is run[0] and why == run[1]:
                run[3] = seq
            else:
                run = [state, why, seq, seq]
                runs.append(run)
        self._journal.executemany(
            "UPDATE operation SET state = ?, detail = coalesce(?, detail) WHERE job = ? AND seq BETWEEN ? AND ?",
            [
                (state.value, None if why is None else storable(why), self._job, first, last)
                for state, why, first, last in runs
            ],
        )

    def fail_planned(self, phase: int, why: str) -> int:
        """Gives up what is left of a phase; returns how many operations. A reason that is known stays."""
        return self._journal.change(
            "UPDATE operation SET state = 'failed', detail = coalesce(detail, ?) "
            "WHERE job = ? AND phase = ? AND state = 'planned'",
            (why, self._job, phase),
        )

    def set_users(self, refs: Mapping[int, str]) -> None:
        """Keeps the backend's ids of users that were created, by row."""
        query = "UPDATE row SET ref = given(row) WHERE job = ? AND row BETWEEN ? AND ? AND given(row) IS NOT NULL"
        self._journal.execute_given(query, (self._job,), refs)

    def set_groups(self, groups: Sequence[tuple[str, int]]) -> None:
        """Keeps the backend's ids of groups that were created: (id, target)."""
        self._journal.executemany(
            "UPDATE target SET ref = ? WHERE job = ? AND id = ?", [(ref, self._job, target) for ref, target in groups]
        )

    def set_refused(self, seq: int, refused: Mapping[str, str]) -> None:
        """Keeps which members of a membership operation were refused, by the user's ref, and why."""
        self._journal.executemany(
            "INSERT OR REPLACE INTO refused SELECT o.job, o.seq, r.row, ?3 "
            "FROM operation AS o CROSS JOIN json_each(o.members) AS m "
            "CROSS JOIN row AS r ON r.job = o.job AND r.row = m.value WHERE o.job = ?1 AND o.seq = ?2 AND r.ref = ?4",
            [(self._job, seq, storable(why), ref) for ref, why in refused.items()],
        )

    def set_refused_fields(self, seq: int, row: int, refused: Mapping[str, str]) -> None:
        """Keeps why a change of a user was done without some fields."""
        why = storable("; ".join(dict.fromkeys(refused.values())))
        self._journal.execute("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?)", (self._job, seq, row, why))

    def reopen_memberships(self, rows: Sequence[int]) -> None:
        """Makes the memberships of some rows due again, unless they have failed. Those that are members stay."""
        if rows:
            self._journal.execute(
                "UPDATE operation SET state = 'planned' WHERE job = ?1 AND members IS NOT NULL AND state <> 'failed' "
                "AND EXISTS (SELECT 1 FROM json_each(members) WHERE value IN (SELECT value FROM json_each(?2)))",
                (self._job, json.dumps(list(rows))),
            )

    def retry_failed(self) -> None:
        """Makes what failed open again, and what was done but for a part."""
        # A membership of a user that could not be created is done without that user; it is due again as well.
        self._journal.execute(
            """
            UPDATE operation SET state = 'planned', detail = NULL
            WHERE job = ?1 AND (state = 'failed' OR seq IN (SELECT op FROM refused WHERE job = ?1) OR EXISTS (
                SELECT 1 FROM json_each(members) AS m CROSS JOIN row AS r ON r.job = ?1 AND r.row = m.value
                WHERE r.ref IS NULL))
            """,
            (self._job,),
        )
        self._journal.execute("DELETE FROM refused WHERE job = ?", (self._job,))

    @decoded
    def failures(self) -> Iterator[tuple[int | None, str | None, Kind, GroupPath, str, str | None]]:
        """Streams (row, username, kind, group, state, detail) of what failed or is unknown, for every row."""
        for row, username, kind, path, state, detail in self._journal.stream(
            """
            SELECT o.row, r.username, o.kind, t.path,
                   CASE o.state WHEN 'intent' THEN 'unknown' ELSE o.state END, o.detail
            FROM operation AS o LEFT JOIN row AS r ON r.job = o.job AND r.row = o.row
            LEFT JOIN target AS t ON t.job = o.job AND t.id = o.target
            WHERE o.job = ?1 AND o.state IN ('failed', 'unknown', 'intent')
            AND o.kind NOT IN ('add_members', 'remove_members')
            UNION ALL
            SELECT r.row, r.username, o.kind, t.path,
                   CASE o.state WHEN 'intent' THEN 'unknown' ELSE o.state END, o.detail
            FROM operation AS o CROSS JOIN json_each(o.members) AS m
            CROSS JOIN row AS r ON r.job = o.job AND r.row = m.value
            JOIN target AS t ON t.job = o.job AND t.id = o.target
            WHERE o.job = ?1 AND o.members IS NOT NULL AND o.state IN ('failed', 'unknown', 'intent')
            AND NOT EXISTS (SELECT 1 FROM refused AS f WHERE f.job = o.job AND f.op = o.seq AND f.row = r.row)
            UNION ALL
            SELECT r.row, r.username, o.kind, t.path, 'failed', f.why
            FROM refused AS f JOIN row AS r ON r.job = f.job AND r.row = f.row
            JOIN operation AS o ON o.job = f.job AND o.seq = f.op
            LEFT JOIN target AS t ON t.job = o.job AND t.id = o.target WHERE f.job = ?1
            ORDER BY 1, 3
            """,
            (self._job,),
        ):
            refuse_other_than_text(username, detail)
            shown = None if row is None else shown_row(row)
            yield shown, username, Kind(kind), tuple(json.loads(path)) if path else (), state, detail

    @decoded
    def of_row(self, row: int) -> list[tuple[Kind, GroupPath, str, str | None]]:
        """Returns (kind, group, state, detail) of what there is to do for a row, in its order."""
        found = self._journal.execute(
            """
            SELECT o.phase, o.seq, o.kind, NULL, CASE WHEN f.why IS NOT NULL THEN 'failed' ELSE o.state END,
                   coalesce(f.why, o.detail)
            FROM operation AS o LEFT JOIN refused AS f ON f.job = o.job AND f.op = o.seq AND f.row = o.row
            WHERE o.job = ?1 AND o.row = ?2
            UNION ALL
            SELECT o.phase, o.seq, o.kind, t.path, CASE WHEN f.why IS NOT NULL THEN 'failed' ELSE o.state END,
                   coalesce(f.why, o.detail)
            FROM operation AS o JOIN target AS t ON t.job = o.job AND t.id = o.target
            CROSS JOIN json_each(o.members) AS m ON m.value = ?2
            LEFT JOIN refused AS f ON f.job = o.job AND f.op = o.seq AND f.row = m.value
            WHERE o.job = ?1 AND o.members IS NOT NULL ORDER BY 1, 2
            """,
            (self._job, row),
        )
        return [
            (Kind(kind), tuple(json.loads(path)) if path else (), state, detail)
            for _, _, kind, path, state, detail in found
        ]


def _taken_apart(texts: Sequence[str]) -> list[Any]:
    """Takes JSON texts apart, as one text: that takes half the time."""
    found: list[Any] = json.loads(f"[{','.join(texts)}]")
    if len(found) != len(texts):
        raise ValueError("one text holds several values")
    return found


def _planned_user(_kind: str, row: int, username: str, ref: str | None, password: str, fields: Any) -> PlannedUser:
    """Makes one of what is stored; name and id are known to be texts.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: the journal is damaged.
    """
    if _TEXT.issuperset(map(type, fields.values())):
        return PlannedUser(row, username, ref, _PASSWORDS[password], fields, _NOTHING)
    changes = [(name, change) for name, change in field_changes(fields).items() if name not in FLAGS]
    before, after = ({name: change[side] for name, change in changes} for side in (0, 1))
    if not _TEXTS.issuperset(map(type, (*before.values(), *after.values()))):
        raise TypeError("neither a text nor empty")
    return PlannedUser(row, username, ref, _PASSWORDS[password], cast("_Texts", after), cast("_Texts", before))
