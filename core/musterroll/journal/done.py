"""What a job did, row by row: what can be taken back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

from musterroll.contract.operations import FLAGS, OPERATIONS, Kind
from musterroll.journal.change import (
    COLUMNS,
    Action,
    Change,
    FieldChange,
    InviteDecision,
    PasswordAction,
    waiting_fields,
)
from musterroll.journal.damage import decoded
from musterroll.journal.journal import Journal
from musterroll.journal.targets import StoredGroups, Target, load_targets

# What has no answer may have happened: what is found in the portal decides.
_DONE = "('done', 'intent', 'unknown')"
_DOUBT = "?"  # behind the kind of what has none


@decoded
def done_changes(journal: Journal, job: str) -> Iterator[Change]:
    """Streams what a job did, in the order of its rows; rows that it did nothing to are left out.

    Each is as it was planned, without what did not come about; `invite` says whether an invite went out, or may have.
    """
    groups, members = StoredGroups(load_targets(journal, job)), _DoneMembers(journal, job)
    for *columns, kinds, invited in journal.stream(
        f"SELECT {COLUMNS}, "  # noqa: S608 -- a constant
        f"(SELECT group_concat(o.kind || CASE o.state WHEN 'done' THEN '' ELSE '{_DOUBT}' END) "
        f" FROM operation AS o INDEXED BY operation_row "
        f" WHERE o.job = r.job AND o.row = r.row AND o.state IN {_DONE}), "
        f"EXISTS (SELECT 1 FROM invite AS i WHERE i.job = r.job AND i.row = r.row AND i.state <> 'failed') "
        f"FROM row AS r WHERE r.job = ? AND r.action <> ? ORDER BY r.row",
        (job, Action.REJECTED),
    ):
        planned, of_groups = Change.of_columns(columns, groups), members.of(columns[0])
        waiting = waiting_fields(json.loads(columns[4]))
        named = kinds.split(",") if kinds else ()
        kinds_of_row = {Kind(kind.removesuffix(_DOUBT)) for kind in named}
        carried_out = {kind for kind in kinds_of_row if OPERATIONS[kind].undone_by}
        if planned.action is Action.CREATE and f"{Kind.REFER}{_DOUBT}" in named:
            # Whoever is new may name nobody yet: that is no change of somebody else.
            fields = {name: change for name, change in planned.fields.items() if name not in waiting}
            planned = replace(planned, fields=fields)
        is_deleted = planned.action is Action.DELETE and bool(kinds)
        done = replace(
            planned,
            action=planned.action if carried_out or is_deleted else Action.UNCHANGED,
            fields=_changed(planned.fields, carried_out, waiting),
            password=planned.password if carried_out - _OF_FLAGS - {Kind.REFER} else PasswordAction.KEEP,
            invite=InviteDecision(send=bool(invited)),
            add=tuple(group for group in planned.add if (Kind.ADD_MEMBERS, group.id) in of_groups),
            remove=tuple(group for group in planned.remove if (Kind.REMOVE_MEMBERS, group.id) in of_groups),
        )
        if done.action is not Action.UNCHANGED or done.add or done.remove or done.invite.send:
            yield done


class _DoneMembers:
    """Hands out what was done to the groups of a job's rows, which are asked for by ascending number."""

    def __init__(self, journal: Journal, job: str) -> None:
        stored = journal.stream(
            f"SELECT m.value, o.kind, o.target FROM operation AS o CROSS JOIN json_each(o.members) AS m "  # noqa: S608 -- a constant
            f"WHERE o.job = ? AND o.members IS NOT NULL AND o.state IN {_DONE} "
            f"AND NOT EXISTS (SELECT 1 FROM refused AS f WHERE f.job = o.job AND f.op = o.seq AND f.row = m.value) "
            f"ORDER BY 1",
            (job,),
        )
        self._rows = groupby(stored, key=itemgetter(0))
        self._next = next(self._rows, None)

    def of(self, row: int) -> frozenset[tuple[Kind, int]]:
        """Returns the groups that a row's user was added to or taken out of: kind of operation and number."""
        while self._next is not None and self._next[0] < row:  # a row that nobody asks for
            self._next = next(self._rows, None)
        if self._next is None or self._next[0] != row:
            return frozenset()
        done = frozenset((Kind(kind), target) for _, kind, target in self._next[1])
        self._next = next(self._rows, None)
        return done


_OF_FLAGS = {kind for kind, operation in OPERATIONS.items() if operation.sets}


def _changed(fields: Mapping[str, FieldChange], kinds: set[Kind], waiting: Collection[str]) -> dict[str, FieldChange]:
    """The fields whose operation was carried out."""
    done = {operation.sets[0] for kind in kinds if (operation := OPERATIONS[kind]).sets}
    if Kind.REFER in kinds:
        done.update(waiting)
    if kinds - _OF_FLAGS - {Kind.REFER}:
        done.update(name for name in fields if name not in FLAGS and name not in waiting)
    return {name: change for name, change in fields.items() if name in done}


def touched_groups(journal: Journal, job: str) -> list[Target]:
    """Returns the groups that a job touched and that exist, parents first."""
    existing = (target for target in load_targets(journal, job).values() if target.ref is not None)
    return sorted(existing, key=lambda target: len(target.path))


def created_groups(journal: Journal, job: str) -> frozenset[int]:
    """Returns the numbers of the groups that a job created."""
    query = f"SELECT target FROM operation WHERE job = ? AND kind = ? AND state IN {_DONE}"  # noqa: S608 -- a constant
    return frozenset(target for (target,) in journal.execute(query, (job, Kind.CREATE_GROUP)))
