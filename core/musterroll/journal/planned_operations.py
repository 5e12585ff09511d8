"""The operations that a plan in the journal asks for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice

from musterroll.contract.operations import OPERATIONS, Kind
from musterroll.contract.users import GroupPath
from musterroll.journal.change import Action, PasswordAction, Scalar, field_changes, waiting_fields
from musterroll.journal.damage import decoded
from musterroll.journal.journal import Journal

# So many members go into one operation: few calls for a portal, and a failure that hits few.
_MEMBERS = 100
_BATCH = 1000
_MOST_KNOWN = 20_000  # combinations of groups
_KINDS_THAT_SET: Mapping[tuple[str, Scalar], Kind] = {
    operation.sets: kind for kind, operation in OPERATIONS.items() if operation.sets
}


class PlannedOperations:
    """Derives a job's operations from what its rows become.

    Args:
        journal: where the plan is kept.
        job: the job's id.
    """

    def __init__(self, journal: Journal, job: str) -> None:
        self._journal = journal
        self._job = job

    @decoded
    def add(self, new_groups: Iterable[tuple[int, GroupPath]]) -> None:
        """Adds them: groups by level, users, memberships in batches for each group.

        Args:
            new_groups: the groups to create, by number, parents first.
        """
        seq = 0
        for target, path in new_groups:
            seq += 1
            self._add_of_group(seq, Kind.CREATE_GROUP, target, len(path))
        seq += self._add_of_users(seq, Kind.CREATE_USER, Action.CREATE)
        updates = self._journal.stream(
            "SELECT row, password, fields FROM row WHERE job = ? AND action IN (?, ?) ORDER BY row",
            (self._job, Action.UPDATE, Action.REACTIVATE),
        )
        of_updates = ((row, kind) for row, *update in updates for kind in _kinds_of_update(*update))
        while batch := list(islice(of_updates, _BATCH)):
            self._journal.executemany(
                "INSERT INTO operation (job, seq, phase, kind, row) VALUES (?, ?, ?, ?, ?)",
                [
                    (self._job, seq + n, OPERATIONS[kind].phase, kind.value, row)
                    for n, (row, kind) in enumerate(batch, 1)
                ],
            )
            seq += len(batch)
        # As `refer` writes them; what looks like it and is none is told apart below.
        waiting = self._journal.stream(
            "SELECT row, fields FROM row "
            "WHERE job = ? AND action IN (?, ?, ?) AND fields GLOB '*,[0-9]*]*' ORDER BY row",
            (self._job, Action.CREATE, Action.UPDATE, Action.REACTIVATE),
        )
        of_waiting = (row for row, fields in waiting if waiting_fields(json.loads(fields)))
        phase, kind = OPERATIONS[Kind.REFER].phase, Kind.REFER.value
        while rows := list(islice(of_waiting, _BATCH)):
            self._journal.executemany(
                "INSERT INTO operation (job, seq, phase, kind, row) VALUES (?, ?, ?, ?, ?)",
                [(self._job, seq + n, phase, kind, row) for n, row in enumerate(rows, 1)],
            )
            seq += len(rows)
        seq = self._add_of_members(seq, Kind.REMOVE_MEMBERS, "remove_from")
        seq = self._add_of_members(seq, Kind.ADD_MEMBERS, "add_to")
        for action, leaving in ((Action.DEACTIVATE, Kind.DEACTIVATE), (Action.DELETE, Kind.DELETE_USER)):
            seq += self._add_of_users(seq, leaving, action)
        for target, path in self._journal.execute(
            "SELECT id, path FROM target WHERE job = ? AND deletes ORDER BY id", (self._job,)
        ).fetchall():
            seq += 1
            self._add_of_group(seq, Kind.DELETE_GROUP, target, -len(json.loads(path)))

    def _add_of_users(self, after: int, kind: Kind, action: Action) -> int:
        """Makes an operation for every row of an action, numbered from `after` on; returns how many."""
        return self._journal.change(
            "INSERT INTO operation (job, seq, phase, kind, row) "
            "SELECT job, ? + row_number() OVER (ORDER BY row), ?, ?, row FROM row WHERE job = ? AND action = ?",
            (after, OPERATIONS[kind].phase, kind, self._job, action),
        )

    def _add_of_members(self, seq: int, kind: Kind, column: str) -> int:
        """Makes the operations on memberships, numbered from `seq` on: of each group one for so many members."""
        phase = OPERATIONS[kind].phase
        filling: dict[int, tuple[int, list[int]]] = {}  # by group: the number of the operation, and the rows so far
        known: dict[str, list[int]] = {}
        ready: list[tuple[object, ...]] = []
        insert = "INSERT INTO operation (job, seq, phase, kind, target, members) VALUES (?, ?, ?, ?, ?, ?)"

        def operation(target: int, number: int, members: list[int]) -> tuple[object, ...]:
            return self._job, number, phase, kind.value, target, f"[{','.join(map(str, members))}]"

        query = f"SELECT row, {column} FROM row WHERE job = ? AND {column} IS NOT NULL ORDER BY row"  # noqa: S608 -- constants
        for row, text in self._journal.stream(query, (self._job,)):
            targets = known.get(text)
            if targets is None:
                if len(known) >= _MOST_KNOWN:
                    known.clear()
                targets = known[text] = json.loads(text)
            for target in targets:
                number, members = filling.get(target, (0, None))
                if members is None:
                    seq += 1
                    number, members = filling[target] = seq, []
                members.append(row)
                if len(members) == _MEMBERS:
                    ready.append(operation(target, number, members))
                    del filling[target]
            if len(ready) >= _BATCH:
                self._journal.executemany(insert, ready)
                ready.clear()
        self._journal.executemany(insert, ready)
        rest = (operation(target, number, members) for target, (number, members) in filling.items())
        self._journal.executemany(insert, rest)
        return seq

    def _add_of_group(self, seq: int, kind: Kind, target: int, later: int) -> None:
        self._journal.execute(
            "INSERT INTO operation (job, seq, phase, kind, target) VALUES (?, ?, ?, ?, ?)",
            (self._job, seq, OPERATIONS[kind].phase + later, kind, target),
        )


def _kinds_of_update(password: str, fields: str) -> list[Kind]:
    """The operations that change a user: one for each truth value, and one for all the rest."""
    stored = json.loads(fields)
    waiting = waiting_fields(stored)
    changed = {name: change for name, change in field_changes(stored).items() if name not in waiting}
    kinds = [kind for name, (_, after) in changed.items() if (kind := _KINDS_THAT_SET.get((name, after)))]
    if len(changed) > len(kinds) or password == PasswordAction.RESET:
        kinds.append(Kind.UPDATE_USER)
    return kinds
