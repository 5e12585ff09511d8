"""A job's plan in the journal: what happens to every row, and the operations that do it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter

from musterroll.contract.fields import USERNAME
from musterroll.contract.operations import OPERATIONS, Kind
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.text import fold
from musterroll.contract.users import GroupPath
from musterroll.journal.change import Action, Change, FieldChange, InviteDecision, PasswordAction
from musterroll.journal.damage import decoded, refuse_other_than_text
from musterroll.journal.journal import Journal
from musterroll.journal.kinds import shown_row
from musterroll.journal.unchanged import find_unchanged, forget_unchanged, unchanged_rows
from musterroll.sheet.summary import SheetCounts

REJECTED = "rejected"
# So many members go into one operation: few calls for a portal, and a failure that hits few.
_MEMBERS = 100
_KINDS_THAT_SET = {operation.sets: kind for kind, operation in OPERATIONS.items() if operation.sets}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # json.dumps would make one each time


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
        self._memberships: list[tuple[str, int, int, str, int]] = []

    def add_target(
        self, target: int, path: GroupPath, parent: int | None, ref: str | None, *, deletes: bool = False
    ) -> None:
        """Stores a group that the plan touches. One without a ref is to be created.

        With `deletes` it is to be deleted, if it is empty by then.
        """
        self._journal.execute(
            "INSERT INTO target VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._job, target, json.dumps(path, ensure_ascii=False), parent, ref, ref is None, deletes),
        )

    def add_change(
        self,
        change: Change,
        *,
        add: Iterable[int],
        remove: Iterable[int],
        notifier: str | None,
        recipient: dict[str, str] | None,
        known_as: Sequence[str] = (),
    ) -> None:
        """Stores what happens to a row.

        Args:
            change: what happens; its groups are in `add` and `remove`.
            add: targets that the user is added to.
            remove: targets that the user is taken out of.
            notifier: the label of the notifier that invites.
            recipient: the attributes that the invite needs.
            known_as: by what the user is known again, should the portal lose it; where an invite is concerned.
        """
        assert change.row is not None
        renamed = change.fields.get(USERNAME)
        self._rows.append(
            (
                self._job,
                change.row,
                change.username,
                fold(change.username if renamed is None else str(renamed.after)),
                change.action,
                change.password,
                _encode(change.fields) if change.fields else "{}",
                change.ref,
                notifier,
                change.invite.channel,
                change.invite.reason,
                None if recipient is None else _encode(recipient),
                change.seen,
                _encode(list(known_as)) if known_as else None,
            )
        )
        for kind, targets in (("add", add), ("remove", remove)):
            self._memberships += [(self._job, change.row, target, kind, place) for place, target in enumerate(targets)]

    def add_rejected(self, row: int, username: str, ref: str | None) -> None:
        """Stores a row that cannot go in; `ref` is the existing user that it means, where it means one."""
        nothing = (None,) * 6
        self._rows.append((self._job, row, username, fold(username), REJECTED, "none", "{}", ref, *nothing))

    def add_digests(self, digests: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Stores (row, who, digest) of the sheet's rows, to compare this sheet with others."""
        self._journal.executemany(
            "INSERT INTO sheet_row VALUES (?, ?, ?, ?)", ((self._job, *digest) for digest in digests)
        )

    def flush(self) -> None:
        """Writes down the rows that were added; until then they are not seen by anything else."""
        self._journal.executemany(f"INSERT INTO row VALUES ({', '.join('?' * 14)})", self._rows)  # noqa: S608 -- marks
        self._journal.executemany(
            "INSERT INTO membership (job, row, target, kind, position) VALUES (?, ?, ?, ?, ?)", self._memberships
        )
        self._rows.clear()
        self._memberships.clear()

    def reject(self, rows: Iterable[int]) -> None:
        """Takes rows that were planned already out again."""
        for row in rows:
            self._journal.execute(
                "UPDATE row SET action = ?, invite = NULL, recipient = NULL WHERE job = ? AND row = ?",
                (REJECTED, self._job, row),
            )
            self._journal.execute("DELETE FROM membership WHERE job = ? AND row = ?", (self._job, row))

    def doubles(self, column: str) -> Iterator[tuple[int, int]]:
        """Streams (row, first row) of planned rows that share a folded username or a ref."""
        assert column in ("folded", "ref")
        yield from self._journal.stream(
            f"SELECT later.row, first.row FROM row AS later JOIN "  # noqa: S608 -- constants
            f"(SELECT {column} AS value, min(row) AS row FROM row "
            f"WHERE job = ?1 AND action <> ?2 AND {column} IS NOT NULL "
            f"GROUP BY {column} HAVING count(*) > 1) AS first ON later.{column} = first.value "
            f"WHERE later.job = ?1 AND later.action <> ?2 AND later.row > first.row ORDER BY later.row",
            (self._job, REJECTED),
        )

    def refs(self) -> Iterator[str]:
        """Streams the refs of the users that the sheet means, rejected rows included, in ascending order."""
        for (ref,) in self._journal.stream(
            "SELECT ref FROM row WHERE job = ? AND ref IS NOT NULL ORDER BY ref", (self._job,)
        ):
            yield ref

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Stores the sheet's problems, without the values of their cells."""
        self._journal.executemany(
            "INSERT INTO problem VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    *(self._job, seq, p.code, p.message, p.severity, p.row, p.column, p.field, p.suggestion),
                    json.dumps(p.condemns) if p.condemns else None,
                )
                for seq, p in enumerate(problems)
            ),
        )

    def add_counts(self, counts: SheetCounts) -> None:
        """Stores the sheet's counts."""
        self._journal.execute("UPDATE job SET counts = ? WHERE id = ?", (json.dumps(asdict(counts)), self._job))

    def add_totals(self, *, users: int | None, groups: int) -> None:
        """Stores what the backend has; percentages are of these."""
        totals = json.dumps({"users": users, "groups": groups})
        self._journal.execute("UPDATE job SET totals = ? WHERE id = ?", (totals, self._job))

    def forget_digests(self) -> None:
        """Forgets the digests of the sheet's rows, unless it is the one that the next sheet is compared with."""
        self._journal.execute(
            "DELETE FROM sheet_row WHERE job = ? AND job NOT IN (SELECT job FROM last_sheet)", (self._job,)
        )

    def clear(self) -> None:
        """Forgets the plan. What the next sheet is compared with stays."""
        self.forget_digests()
        for table in ("row", "target", "membership", "operation", "problem"):
            self._journal.execute(f"DELETE FROM {table} WHERE job = ?", (self._job,))  # noqa: S608 -- constants
        forget_unchanged(self._journal, self._job)

    @decoded
    def changes(self) -> Iterator[Change]:
        """Streams what happens to every row that is not rejected, in the order of the sheet; then absent users."""
        memberships = groupby(
            self._journal.stream(
                "SELECT m.row, m.kind, t.path FROM membership AS m "
                "JOIN target AS t ON t.job = m.job AND t.id = m.target WHERE m.job = ? ORDER BY m.row, m.position",
                (self._job,),
            ),
            key=itemgetter(0),
        )
        upcoming = next(memberships, None)
        stored = self._journal.stream(
            "SELECT row, username, action, password, fields, ref, invite, channel, reason, seen FROM row "
            "WHERE job = ? AND action <> ? ORDER BY row",
            (self._job, REJECTED),
        )
        packed = (
            (row, username, Action.UNCHANGED, password, "{}", None, None, None, reason, None)
            for row, username, password, reason in unchanged_rows(self._journal, self._job)
        )
        for row, username, action, password, fields, ref, invite, channel, reason, seen in merge(
            stored, packed, key=itemgetter(0)
        ):
            refuse_other_than_text(username, ref, channel, reason, seen)
            groups: dict[str, list[GroupPath]] = {"add": [], "remove": []}
            if upcoming is not None and upcoming[0] == row:
                for _, kind, path in upcoming[1]:
                    groups[kind].append(tuple(json.loads(path)))
                upcoming = next(memberships, None)
            yield Change(
                row=shown_row(row),
                username=username,
                action=Action(action),
                password=PasswordAction(password),
                fields={name: FieldChange(*pair) for name, pair in json.loads(fields).items()},
                add=tuple(groups["add"]),
                remove=tuple(groups["remove"]),
                invite=InviteDecision(invite is not None, channel if invite else None, reason),
                ref=ref,
                seen=seen,
            )

    def username_of(self, row: int) -> str | None:
        """Returns the username of a row; None where the plan has no such row."""
        found = self._journal.execute("SELECT username FROM row WHERE job = ? AND row = ?", (self._job, row)).fetchone()
        if found is not None:
            return str(found[0])
        packed = find_unchanged(self._journal, self._job, row)
        return None if packed is None else packed.username

    @decoded
    def problems(self) -> Iterator[Problem]:
        """Streams the sheet's problems, without the values of their cells."""
        for code, message, severity, row, column, field, suggestion, condemns in self._journal.stream(
            "SELECT code, message, severity, row, col, field, suggestion, condemns FROM problem "
            "WHERE job = ? ORDER BY seq",
            (self._job,),
        ):
            refuse_other_than_text(code, message, column, field, suggestion)
            yield Problem(
                code=code,
                message=message,
                severity=Severity(severity),
                row=row,
                column=column,
                field=field,
                suggestion=suggestion,
                condemns=tuple(json.loads(condemns)) if condemns else (),
            )

    def groups_to_create(self) -> tuple[GroupPath, ...]:
        """Returns the groups that rows need and that did not exist when the plan was made, parents first."""
        return tuple(path for _, path in self._new_targets())

    @decoded
    def existing_groups(self) -> Iterator[tuple[GroupPath, str]]:
        """Streams the groups that the plan touches and that existed when it was made: path and id, by path."""
        for path, ref in self._journal.stream(
            "SELECT path, ref FROM target WHERE job = ? AND NOT is_new ORDER BY path, ref", (self._job,)
        ):
            yield tuple(json.loads(path)), ref

    @decoded
    def _new_targets(self) -> list[tuple[int, GroupPath]]:
        wanted = self._journal.execute(
            """
            WITH RECURSIVE needed (id, row) AS (
                SELECT target, min(row) FROM membership WHERE job = ?1 AND kind = 'add' GROUP BY target
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

    @decoded
    def derive_operations(self) -> None:
        """Makes the operations of the plan: groups by level, users, memberships in batches for each group."""
        seq = 0
        for target, path in self._new_targets():
            seq += 1
            self._add_operation(seq, Kind.CREATE_GROUP, target=target, later=len(path))
        seq += self._add_of_users(seq, Kind.CREATE_USER, Action.CREATE)
        for row, password, fields in self._journal.stream(
            "SELECT row, password, fields FROM row WHERE job = ? AND action = ? ORDER BY row",
            (self._job, Action.UPDATE),
        ):
            changed = json.loads(fields)
            kinds = [kind for name, (_, after) in changed.items() if (kind := _KINDS_THAT_SET.get((name, after)))]
            if len(changed) > len(kinds) or password == PasswordAction.RESET:
                kinds.append(Kind.UPDATE_USER)
            for kind in kinds:
                seq += 1
                self._add_operation(seq, kind, row=row)
        for what, kind in (("remove", Kind.REMOVE_MEMBERS), ("add", Kind.ADD_MEMBERS)):
            members = self._journal.stream(
                "SELECT target, row FROM membership WHERE job = ? AND kind = ? ORDER BY target, row", (self._job, what)
            )
            for target, of_target in groupby(members, key=itemgetter(0)):
                while batch := list(islice(of_target, _MEMBERS)):
                    seq += 1
                    self._add_operation(seq, kind, target=target)
                    self._journal.executemany(
                        "UPDATE membership SET op = ? WHERE job = ? AND row = ? AND target = ? AND kind = ?",
                        [(seq, self._job, row, target, what) for target, row in batch],
                    )

        for action, leaving in ((Action.DEACTIVATE, Kind.DEACTIVATE), (Action.DELETE, Kind.DELETE_USER)):
            seq += self._add_of_users(seq, leaving, action)
        for target, path in self._journal.execute(
            "SELECT id, path FROM target WHERE job = ? AND deletes ORDER BY id", (self._job,)
        ).fetchall():
            seq += 1
            self._add_operation(seq, Kind.DELETE_GROUP, target=target, later=-len(json.loads(path)))

    def forget_operations(self) -> None:
        """Forgets the operations; the plan stays."""
        self._journal.execute("DELETE FROM operation WHERE job = ?", (self._job,))
        self._journal.execute("UPDATE membership SET op = NULL WHERE job = ?", (self._job,))

    def _add_of_users(self, after: int, kind: Kind, action: Action) -> int:
        """Makes an operation for every row of an action, numbered from `after` on; returns how many."""
        return self._journal.change(
            "INSERT INTO operation (job, seq, phase, kind, row) "
            "SELECT job, ? + row_number() OVER (ORDER BY row), ?, ?, row FROM row WHERE job = ? AND action = ?",
            (after, OPERATIONS[kind].phase, kind, self._job, action),
        )

    def _add_operation(
        self, seq: int, kind: Kind, *, row: int | None = None, target: int | None = None, later: int = 0
    ) -> None:
        self._journal.execute(
            "INSERT INTO operation (job, seq, phase, kind, row, target) VALUES (?, ?, ?, ?, ?, ?)",
            (self._job, seq, OPERATIONS[kind].phase + later, kind, row, target),
        )
