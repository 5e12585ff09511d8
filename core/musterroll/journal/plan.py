"""A job's plan in the journal: what happens to every row, and the operations that do it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

from musterroll.contract.problems import Problem
from musterroll.contract.users import GroupPath
from musterroll.journal.change import (
    COLUMNS,
    Action,
    Change,
    HandEditCounts,
    InviteDecision,
    PasswordAction,
    PrivilegedGroup,
    field_changes,
)
from musterroll.journal.damage import decoded
from musterroll.journal.journal import Journal
from musterroll.journal.new_rows import NewRows
from musterroll.journal.planned_operations import PlannedOperations
from musterroll.journal.problems import add_problems, stored_problems
from musterroll.journal.sheet_parts import (
    Settled,
    SheetPart,
    add_same_part,
    add_sheet_part,
    forget_sheet_parts,
    rows_of_one_user,
    settled_of_part,
    whole_parts_of,
)
from musterroll.journal.targets import StoredGroups, Target, load_targets
from musterroll.journal.unchanged import (
    UnchangedRow,
    find_unchanged,
    forget_unchanged,
    pack_rows,
    take_out,
    unchanged_rows,
    whole_parts,
)
from musterroll.sheet.summary import SheetCounts

_BATCH = 1000


class NamedUser(NamedTuple):
    """Whom a row names.

    Attributes:
        row: its number.
        folded: the username afterwards, folded.
        username: the same as it will be.
        email: the address of a new user.
        comes: whether the user will be there.
        former: the username before, where the row changes it.
    """

    row: int
    folded: str
    username: str
    email: str | None
    comes: bool
    former: str | None


class PlanStore:
    """Takes a job's plan row by row, streams it back, and derives its operations.

    Args:
        journal: where it is kept.
        job: the job's id.
    """

    def __init__(self, journal: Journal, job: str) -> None:
        self._journal = journal
        self._job = job
        self._rows: list[tuple[object, ...]] = []
        self._agreed: list[tuple[object, ...]] = []
        self._settled: list[UnchangedRow] = []
        self._has_settled = False
        self._to_create: list[tuple[int, GroupPath]] | None = None

    def add_target(self, target: Target, *, deletes: bool = False) -> None:
        """Stores a group that the plan touches. One without a ref is to be created.

        With `deletes` it is to be deleted, if it is empty by then.
        """
        path = json.dumps(target.path, ensure_ascii=False)
        self._journal.execute(
            "INSERT INTO target VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._job, target.id, path, target.parent, target.ref, target.ref is None, deletes),
        )

    def add(self, change: Change, invite: InviteDecision | None = None) -> None:
        """Stores what happens to a row; its groups are stored already.

        Args:
            change: what happens.
            invite: whether the user is invited, where it is not as the change says.
        """
        self._rows.append((self._job, *change.columns(invite or change.invite)))
        if change.agreed is not None:
            self._agreed.append((self._job, change.stored_row, *change.agreed.columns()))

    def add_new(self, rows: NewRows) -> None:
        """Writes down rows that create users as they say; their groups are stored already."""
        names, values = rows.columns(self._job)
        marks = ", ".join("?" * len(names))
        self._journal.executemany(f"INSERT INTO row ({', '.join(names)}) VALUES ({marks})", values)  # noqa: S608 -- constants

    def add_settled(self, rows: Sequence[UnchangedRow]) -> None:
        """Stores rows to which nothing is done, and of which nothing is to be noted when the job ends."""
        self._settled += rows
        self._has_settled |= bool(rows)

    def add_digests(self, part: SheetPart) -> None:
        """Stores the digests of some rows of the sheet, to compare this sheet with others."""
        add_sheet_part(self._journal, self._job, part)

    def add_same_part(self, number: int, settled: Settled) -> None:
        """Stores a part of the sheet that the last completed one has as well, under this number."""
        add_same_part(self._journal, self._job, number, settled)

    def whole_parts_of(self, job: str) -> Mapping[bytes, int]:
        """Returns the numbers of the parts of another job's sheet that can be recognised, by their digests."""
        return whole_parts_of(self._journal, job)

    def settled_of_part(self, number: int) -> Settled:
        """Returns which rows of a part of the last completed sheet were settled when that had been carried out."""
        return settled_of_part(self._journal, number)

    def flush(self, *, last: bool = False) -> None:
        """Writes down the rows that were added; until then they are not seen by anything else.

        Settled ones are packed, as soon as it is known what goes into a pack, or these are the `last` rows.
        """
        self._to_create = None
        ready, self._settled = (self._settled, []) if last else whole_parts(self._settled)
        pack_rows(self._journal, self._job, ready)
        self._journal.executemany(f"INSERT INTO row VALUES ({', '.join('?' * 20)})", self._rows)  # noqa: S608 -- marks
        self._rows.clear()
        if self._agreed:
            self._journal.executemany("INSERT INTO agreed VALUES (?, ?, ?, ?)", self._agreed)
            self._agreed.clear()

    def reject(self, rows: Iterable[int]) -> None:
        """Takes rows that were planned already out again."""
        rows, self._to_create = iter(rows), None
        while batch := list(islice(rows, _BATCH)):
            if self._has_settled:
                for number, username, *_ in take_out(self._journal, self._job, batch):
                    self.add(Change.rejected(number, username, None))
                self.flush(last=True)
            self._journal.executemany(
                f"UPDATE row SET action = '{Action.REJECTED}', invite = NULL, recipient = NULL, "  # noqa: S608 -- a constant
                f"add_to = NULL, remove_from = NULL WHERE job = ? AND row = ?",
                [(self._job, row) for row in batch],
            )

    def named_users(self) -> Iterator[NamedUser]:
        """Streams whom the rows name, in the order of the sheet."""
        for row, folded, action, ref, username, renamed, address in self._journal.stream(
            "SELECT row, folded, action, ref, username, json_extract(fields, '$.username[1]'), "
            "json_extract(fields, '$.email') FROM row WHERE job = ? ORDER BY row",
            (self._job,),
        ):
            comes = action != Action.REJECTED and (ref is not None or action == Action.CREATE)
            yield NamedUser(row, folded, renamed or username, address, comes, username if renamed else None)

    def asks_for(self, row: int, name: str) -> bool:
        """Whether a row wants a field to be something else than it is, or is not known to be without such a wish."""
        query = "SELECT action, fields FROM row WHERE job = ? AND row = ?"
        action, fields = self._journal.execute(query, (self._job, row)).fetchone()
        return action == Action.REJECTED or name in json.loads(fields)

    def refer(self, rows: Iterable[tuple[int, str, str | None, int | None]]) -> None:
        """Says what a field that names another user becomes: (row, field, username, row of that user).

        Without a username the field stays as it is.
        """
        for row, name, username, other in rows:
            query = "SELECT action, password, fields, coalesce(add_to, remove_from) FROM row WHERE job = ? AND row = ?"
            action, password, text, groups = self._journal.execute(query, (self._job, row)).fetchone()
            fields = json.loads(text)
            if name not in fields:  # it names that user already, who was not there
                continue
            before = field_changes(fields)[name].before
            if username is None or before == username:
                del fields[name]
            else:
                fields[name] = [before, username, other]
            if not fields and action == Action.UPDATE and password != PasswordAction.RESET and groups is None:
                action = Action.UNCHANGED
            self._journal.execute(
                "UPDATE row SET action = ?, fields = ? WHERE job = ? AND row = ?",
                (action, json.dumps(fields, ensure_ascii=False, separators=(",", ":")), self._job, row),
            )

    @decoded
    def named_at_once(self, names: Collection[str]) -> Iterator[tuple[int, str, str]]:
        """Streams (row, field, username) of the fields among `names` that wait for nobody."""
        yield from self._journal.stream(
            """
            SELECT r.row, f.key,
                   CASE f.type WHEN 'array' THEN json_extract(f.value, '$[1]') ELSE f.value END AS named
            FROM row AS r, json_each(r.fields) AS f
            WHERE r.job = ?1 AND f.key IN (SELECT value FROM json_each(?2)) AND named IS NOT NULL
            AND NOT (f.type = 'array' AND json_array_length(f.value) > 2) ORDER BY r.row
            """,
            (self._job, json.dumps(sorted(names))),
        )

    def refer_to_renamed(self, names: Collection[str]) -> None:
        """Has fields wait that name somebody by a name that another row gives: first that user has it.

        Args:
            names: the fields that name other users.
        """
        # CROSS JOIN: SQLite keeps the order, and makes an index of whom the names are given to.
        self.refer(
            self._journal.stream(
                """
                WITH named (row, field, username) AS (
                    SELECT r.row, f.key, CASE f.type WHEN 'array' THEN json_extract(f.value, '$[1]') ELSE f.value END
                    FROM row AS r, json_each(r.fields) AS f
                    WHERE r.job = ?1 AND f.key IN (SELECT value FROM json_each(?2))
                ), renamed (folded, row) AS (
                    SELECT folded, max(row) FROM row
                    WHERE job = ?1 AND json_type(fields, '$.username') IS NOT NULL GROUP BY folded
                )
                SELECT named.row, field, username, renamed.row
                FROM named CROSS JOIN renamed ON renamed.folded = mr_fold(username) WHERE username IS NOT NULL
                """,
                (self._job, json.dumps(sorted(names))),
            )
        )

    def doubles(self, column: str) -> Iterator[tuple[int, int]]:
        """Streams (row, first row) of planned rows that share a folded username or a ref."""
        assert column in ("folded", "ref")
        if self._has_settled and column == "folded":
            yield from self._doubles_of_sheet()
            return
        yield from self._journal.stream(
            f"SELECT later.row, first.row FROM row AS later JOIN "  # noqa: S608 -- constants
            f"(SELECT {column} AS value, min(row) AS row FROM row "
            f"WHERE job = ?1 AND action NOT IN (?2, ?3) AND {column} IS NOT NULL "
            f"GROUP BY {column} HAVING count(*) > 1) AS first ON later.{column} = first.value "
            f"WHERE later.job = ?1 AND later.action NOT IN (?2, ?3) AND later.row > first.row ORDER BY later.row",
            (self._job, Action.REJECTED, Action.IGNORED),
        )

    def _doubles_of_sheet(self) -> Iterator[tuple[int, int]]:
        """As `doubles` by username, where only that recognises users: settled rows have no row of their own."""
        for rows in rows_of_one_user(self._journal, self._job):
            kept = [row for row in rows if not self._is_out(row)]
            yield from ((row, kept[0]) for row in kept[1:])

    def _is_out(self, row: int) -> bool:
        query = "SELECT 1 FROM row WHERE job = ? AND row = ? AND action IN (?, ?)"
        return self._journal.execute(query, (self._job, row, Action.REJECTED, Action.IGNORED)).fetchone() is not None

    def refs(self) -> Iterator[str]:
        """Streams the refs of the users that the sheet means, rejected rows included, in ascending order."""
        for (ref,) in self._journal.stream(
            "SELECT ref FROM row WHERE job = ? AND ref IS NOT NULL ORDER BY ref", (self._job,)
        ):
            yield ref

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Stores the sheet's problems, without the values of their cells."""
        add_problems(self._journal, self._job, problems)

    def add_counts(self, counts: SheetCounts) -> None:
        """Stores the sheet's counts."""
        self._journal.execute("UPDATE job SET counts = ? WHERE id = ?", (json.dumps(asdict(counts)), self._job))

    def add_totals(
        self,
        *,
        users: int | None,
        groups: int,
        privileged: Sequence[PrivilegedGroup] = (),
        hand_edits: HandEditCounts | None = None,
    ) -> None:
        """Stores what the backend has, percentages are of these; and what is told apart of the plan."""
        more = {"privileged": privileged, "hand_edits": hand_edits}
        totals = json.dumps({"users": users, "groups": groups, **{name: told for name, told in more.items() if told}})
        self._journal.execute("UPDATE job SET totals = ? WHERE id = ?", (totals, self._job))

    def count_hand_edits(self) -> HandEditCounts | None:
        """Counts the hand edits of rows that are not rejected; None where there are none."""
        all_, kept = self._journal.execute(
            "SELECT count(*), coalesce(sum(json_extract(e.value, '$[4]')), 0) "
            "FROM row AS r, json_each(r.hand_edits) AS e WHERE r.job = ? "
            "AND r.hand_edits IS NOT NULL AND r.action <> ?",
            (self._job, Action.REJECTED),
        ).fetchone()
        return HandEditCounts(kept, all_ - kept) if all_ else None

    @decoded
    def hand_edits(self) -> HandEditCounts | None:
        """Returns how many hand edits there are, as they were counted when the plan was made; None for none."""
        found = self._totals().get("hand_edits")
        return None if found is None else HandEditCounts(*map(int, found))

    @decoded
    def privileged(self) -> tuple[PrivilegedGroup, ...]:
        """Returns the privileged groups that the plan adds members to or removes some from."""
        found = self._totals().get("privileged", ())
        return tuple(PrivilegedGroup(tuple(path), int(add), int(remove)) for path, add, remove in found)

    def _totals(self) -> dict[str, Any]:
        (totals,) = self._journal.execute("SELECT totals FROM job WHERE id = ?", (self._job,)).fetchone()
        found: dict[str, Any] = json.loads(totals)
        return found

    def forget_digests(self) -> None:
        """Forgets the digests of the sheet's rows, unless it is the one that the next sheet is compared with."""
        forget_sheet_parts(self._journal, self._job, unless_last=True)

    def clear(self) -> None:
        """Forgets the plan. What the next sheet is compared with stays."""
        self.forget_digests()
        self._to_create = None
        for table in ("row", "target", "operation", "refused", "problem", "agreed"):
            self._journal.execute(f"DELETE FROM {table} WHERE job = ?", (self._job,))  # noqa: S608 -- constants
        forget_unchanged(self._journal, self._job)

    @decoded
    def changes(self) -> Iterator[Change]:
        """Streams what happens to every row that is not rejected, in the order of the sheet; then absent users."""
        groups = StoredGroups(load_targets(self._journal, self._job))
        stored = (
            Change.of_columns(columns, groups)
            for columns in self._journal.stream(
                f"SELECT {COLUMNS} FROM row AS r WHERE r.job = ? AND r.action <> ? ORDER BY r.row",  # noqa: S608 -- constants
                (self._job, Action.REJECTED),
            )
        )
        yield from merge(stored, unchanged_rows(self._journal, self._job), key=attrgetter("number"))

    def username_of(self, row: int) -> str | None:
        """Returns the username of a row; None where the plan has no such row."""
        found = self._journal.execute("SELECT username FROM row WHERE job = ? AND row = ?", (self._job, row)).fetchone()
        if found is not None:
            return str(found[0])
        packed = find_unchanged(self._journal, self._job, row)
        return None if packed is None else packed.username

    def problems(self) -> Iterator[Problem]:
        """Streams the sheet's problems, without the values of their cells."""
        return stored_problems(self._journal, self._job)

    def count_members(self) -> tuple[int, int]:
        """Returns how many memberships are added, and how many are removed."""
        add, remove = self._journal.execute(
            "SELECT coalesce(sum(json_array_length(add_to)), 0), coalesce(sum(json_array_length(remove_from)), 0) "
            "FROM row WHERE job = ?",
            (self._job,),
        ).fetchone()
        return int(add), int(remove)

    def groups_to_create(self) -> tuple[GroupPath, ...]:
        """Returns the groups that rows need and that did not exist when the plan was made, parents first."""
        return tuple(path for _, path in self._new_targets)

    @decoded
    def existing_groups(self) -> Iterator[tuple[GroupPath, str]]:
        """Streams the groups that the plan touches and that existed when it was made: path and id, by path."""
        for path, ref in self._journal.stream(
            "SELECT path, ref FROM target WHERE job = ? AND NOT is_new ORDER BY path, ref", (self._job,)
        ):
            yield tuple(json.loads(path)), ref

    @property
    def _new_targets(self) -> list[tuple[int, GroupPath]]:
        """The groups to create, by number: found once, as limits, questions and operations all ask for them."""
        if self._to_create is None:
            self._to_create = self._find_new_targets()
        return self._to_create

    @decoded
    def _find_new_targets(self) -> list[tuple[int, GroupPath]]:
        wanted = self._journal.execute(
            """
            WITH RECURSIVE needed (id, row) AS (
                SELECT g.value, min(r.row) FROM (
                    SELECT add_to, min(row) AS row FROM row WHERE job = ?1 AND add_to IS NOT NULL GROUP BY add_to
                ) AS r, json_each(r.add_to) AS g GROUP BY 1
                UNION
                SELECT t.parent, n.row FROM needed AS n JOIN target AS t ON t.job = ?1 AND t.id = n.id
                WHERE t.parent IS NOT NULL
            )
            SELECT t.id, t.path FROM target AS t JOIN needed AS n ON n.id = t.id
            WHERE t.job = ?1 AND t.is_new GROUP BY t.id ORDER BY min(n.row), t.id
            """,
            (self._job,),
        )
        return [(target, tuple(json.loads(path))) for target, path in wanted]

    def derive_operations(self) -> None:
        """Makes the operations of the plan: groups by level, users, memberships in batches for each group."""
        PlannedOperations(self._journal, self._job).add(self._new_targets)

    def forget_operations(self) -> None:
        """Forgets the operations; the plan stays."""
        self._journal.execute("DELETE FROM operation WHERE job = ?", (self._job,))
