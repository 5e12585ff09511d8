"""What a job did, row by row: what can be taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from musterroll.contract.operations import Kind
from musterroll.contract.users import GroupPath
from musterroll.journal.change import FieldChange, PasswordAction
from musterroll.journal.damage import decoded, refuse_other_than_text
from musterroll.journal.journal import Journal
from musterroll.journal.plan import REJECTED

# What has no answer may have happened: what is found in the portal decides.
_DONE = "('done', 'intent', 'unknown')"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneRow:
    """What a job did to one user.

    Attributes:
        row: the row's number in the job.
        username: as it was before; of a new user, as created.
        ref: the backend's id; None where nobody knows whether the user was created.
        kinds: what was done to the user; empty where only memberships were changed.
        fields: before and after, by field name.
        password: what was to happen to the password.
        added: targets that the user was added to.
        removed: targets that the user was taken out of.
        invited: whether an invite went out, or may have.
    """

    row: int
    username: str
    ref: str | None
    kinds: frozenset[Kind]
    fields: dict[str, FieldChange]
    password: PasswordAction
    added: tuple[int, ...]
    removed: tuple[int, ...]
    invited: bool

    @property
    def is_anything(self) -> bool:
        """Whether anything was done at all."""
        return bool(self.kinds or self.added or self.removed or self.invited)


@dataclass(frozen=True, slots=True)
class DoneTarget:
    """A group that a job touched; `created` by it."""

    id: int
    path: GroupPath
    parent: int | None
    ref: str
    created: bool


@decoded
def done_rows(journal: Journal, job: str) -> Iterator[DoneRow]:
    """Streams what a job did, in the order of its rows; rows that it did nothing to are left out."""
    memberships = groupby(
        journal.stream(
            f"SELECT m.row, m.kind, m.target FROM membership AS m "  # noqa: S608 -- a constant
            f"JOIN operation AS o ON o.job = m.job AND o.seq = m.op "
            f"WHERE m.job = ? AND m.refused IS NULL AND o.state IN {_DONE} ORDER BY m.row, m.position",
            (job,),
        ),
        key=itemgetter(0),
    )
    upcoming = next(memberships, None)
    for row, username, ref, fields, password, kinds, invited in journal.stream(
        f"SELECT r.row, r.username, r.ref, r.fields, r.password, "  # noqa: S608 -- a constant
        f"(SELECT group_concat(o.kind) FROM operation AS o INDEXED BY operation_row "
        f" WHERE o.job = r.job AND o.row = r.row AND o.state IN {_DONE}), "
        f"(SELECT count(*) FROM invite AS i WHERE i.job = r.job AND i.row = r.row AND i.state <> 'failed') "
        f"FROM row AS r WHERE r.job = ? AND r.action <> ? ORDER BY r.row",
        (job, REJECTED),
    ):
        refuse_other_than_text(username, ref)
        targets: dict[str, list[int]] = {"add": [], "remove": []}
        if upcoming is not None and upcoming[0] == row:
            for _, kind, target in upcoming[1]:
                targets[kind].append(target)
            upcoming = next(memberships, None)
        done = DoneRow(
            row=row,
            username=username,
            ref=ref,
            kinds=frozenset(Kind(kind) for kind in kinds.split(",")) if kinds else frozenset(),
            fields={name: FieldChange(*pair) for name, pair in json.loads(fields).items()},
            password=PasswordAction(password),
            added=tuple(targets["add"]),
            removed=tuple(targets["remove"]),
            invited=bool(invited),
        )
        if done.is_anything:
            yield done


@decoded
def done_targets(journal: Journal, job: str) -> list[DoneTarget]:
    """Returns the groups that a job touched and that exist, parents first."""
    found = journal.execute(
        f"SELECT t.id, t.path, t.parent, t.ref, EXISTS (SELECT 1 FROM operation AS o WHERE o.job = t.job "  # noqa: S608 -- a constant
        f"AND o.target = t.id AND o.kind = ? AND o.state IN {_DONE}) "
        f"FROM target AS t WHERE t.job = ? AND t.ref IS NOT NULL",
        (Kind.CREATE_GROUP, job),
    )
    targets = [
        DoneTarget(id_, tuple(json.loads(path)), parent, ref, bool(created))
        for id_, path, parent, ref, created in found
    ]
    return sorted(targets, key=lambda target: len(target.path))
