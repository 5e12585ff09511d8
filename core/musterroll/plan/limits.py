"""`[limits]`: what a plan would do, against how much it may do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from musterroll.errors import RefusedError
from musterroll.journal.change import FIRST_OFF_SHEET_ROW, Action, PasswordAction
from musterroll.journal.job import Job
from musterroll.journal.roster import Roster
from musterroll.journal.sheet_parts import sheet_digests
from musterroll.pipeline.settings import LimitSettings
from musterroll.plan.summary import count_stored

_EMAIL = "email"


class Base(StrEnum):
    """What a percentage is of."""

    USERS = "the portal's {} users"
    GROUPS = "the portal's {} groups"
    ROWS = "the sheet's {} rows"
    BOTH_SHEETS = "the {} users of this sheet and the last one"


class _Rule(NamedTuple):
    one: str
    many: str
    what: str
    base: Base


_RULES = {
    "create": _Rule("user", "users", "would be created", Base.USERS),
    "update": _Rule("user", "users", "would be updated", Base.USERS),
    "email_change": _Rule("e-mail address", "e-mail addresses", "would be changed", Base.USERS),
    "group_add": _Rule("membership", "memberships", "would be added", Base.USERS),
    "group_remove": _Rule("membership", "memberships", "would be removed", Base.USERS),
    "new_groups": _Rule("group", "groups", "would be created", Base.GROUPS),
    "password_reset": _Rule("password", "passwords", "would be reset", Base.USERS),
    "deactivate": _Rule("user", "users", "would be deactivated", Base.USERS),
    "invite": _Rule("invite", "invites", "would be sent", Base.ROWS),
    "reject": _Rule("row is", "rows are", "rejected", Base.ROWS),
    "rows_changed": _Rule("user differs", "users differ", "from the last completed sheet", Base.BOTH_SHEETS),
}


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A limit that a plan exceeds. As text: `update: 812 users would be updated (20.3 % of …), the limit is 20%`.

    Attributes:
        name: its key under `[limits]`.
        limit: what the pipeline says.
        count: what the plan comes to.
        total: what a percentage is of; None for a limit that is a number.
    """

    name: str
    limit: int | str
    count: int
    total: int | None

    def __str__(self) -> str:
        rule = _RULES[self.name]
        limit = self.limit if isinstance(self.limit, str) else f"{self.limit:,}"
        part = f" ({self._percentage()} % of {rule.base.format(f'{self.total:,}')})" if self.total else ""
        things = rule.one if self.count == 1 else rule.many
        return f"{self.name}: {self.count:,} {things} {rule.what}{part}, the limit is {limit}"

    def _percentage(self) -> Decimal:
        """Rounded up, so that what is just above the limit does not look equal to it."""
        places = min(-1, int(_percentage(str(self.limit)).as_tuple().exponent))
        part = Decimal(self.count * 100) / Decimal(self.total or 1)
        return part.quantize(Decimal(1).scaleb(places), ROUND_CEILING)


def counts_users(limits: LimitSettings) -> str | None:
    """Returns the first limit that is a percentage of the portal's users; None where there is none."""
    for name, rule in _RULES.items():
        if rule.base is Base.USERS and isinstance(getattr(limits, name), str):
            return name
    return None


def limit_refusal(limits: LimitSettings, job: Job, roster: Roster, going_on: str) -> RefusedError | None:
    """Returns why a stored plan must not be carried out; None where no limit is exceeded.

    Args:
        limits: `[limits]`.
        job: the job with the plan.
        roster: for the last completed sheet.
        going_on: tells the person how to go on.
    """
    exceeded = list(_exceeded(limits, job, roster))
    if not exceeded:
        return None
    return RefusedError(f"nothing was written: {'; '.join(map(str, exceeded))}; {going_on}", code="limit.exceeded")


def _exceeded(limits: LimitSettings, job: Job, roster: Roster) -> Iterator[Exceeded]:
    """Yields the limits that a stored plan exceeds. A percentage of nothing is not applied."""
    for name in _RULES:
        limit: int | str | None = getattr(limits, name)
        if limit is None:
            continue
        count, total = _drift(job, roster) if name == "rows_changed" else _counted(name, job)
        if isinstance(limit, int):
            if count > limit:
                yield Exceeded(name, limit, count, None)
        elif total and count * 100 > _percentage(limit) * total:
            yield Exceeded(name, limit, count, total)


def _percentage(text: str) -> Decimal:
    return Decimal(text.rstrip("% "))


def _counted(name: str, job: Job) -> tuple[int, int | None]:
    """What the plan comes to, and what a percentage of it is of."""
    base = _RULES[name].base
    if base is Base.ROWS:
        return _COUNTS[name](job), count_stored(job, "row", "row < ?", FIRST_OFF_SHEET_ROW)
    (totals,) = job.journal.execute("SELECT totals FROM job WHERE id = ?", (job.id,)).fetchone()
    return _COUNTS[name](job), json.loads(totals).get("users" if base is Base.USERS else "groups")


def _rows(where: str, *values: object) -> Callable[[Job], int]:
    return lambda job: count_stored(job, "row", where, *values)


def _memberships(kind: str) -> Callable[[Job], int]:
    return lambda job: count_stored(job, "membership", "kind = ?", kind)


_COUNTS: dict[str, Callable[[Job], int]] = {
    "create": _rows("action = ?", Action.CREATE),
    "update": _rows("action = ?", Action.UPDATE),
    "email_change": _rows("action = ? AND json_type(fields, ?) IS NOT NULL", Action.UPDATE, f"$.{_EMAIL}"),
    "group_add": _memberships("add"),
    "group_remove": _memberships("remove"),
    "new_groups": lambda job: len(job.plan.groups_to_create()),
    "password_reset": _rows("password = ?", PasswordAction.RESET),
    "deactivate": _rows("action IN (?, ?)", Action.DEACTIVATE, Action.DELETE),
    "invite": _rows("invite IS NOT NULL"),
    "reject": _rows("action = ?", Action.REJECTED),
}


def _drift(job: Job, roster: Roster) -> tuple[int, int]:
    """How many users are new, gone or changed against the last completed sheet, and how many both sheets have.

    The first sheet differs from nothing.
    """
    if roster.last_sheet() is None:
        return 0, 0
    return compare(sheet_digests(job.journal, job.id), roster.last_digests())


def compare(one: Iterator[tuple[bytes, bytes]], other: Iterator[tuple[bytes, bytes]]) -> tuple[int, int]:
    """Compares two sheets, each as (who, digest) by who: how many users differ, and how many both have together."""
    differing = everybody = 0
    for _, found in groupby(merge(one, other), key=itemgetter(0)):
        digests = [digest for _, digest in found]
        everybody += 1
        differing += len(digests) != 2 or digests[0] != digests[1]
    return differing, everybody
