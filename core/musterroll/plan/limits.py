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

from musterroll.contract.translation import counted, fraction, gettext, gettext_noop, ngettext, ngettext_noop
from musterroll.errors import RefusedError
from musterroll.journal.change import FIRST_OFF_SHEET_ROW, Action, PasswordAction
from musterroll.journal.job import Job
from musterroll.journal.roster import Roster
from musterroll.journal.sheet_parts import sheet_digests
from musterroll.pipeline.pipeline import Pipeline
from musterroll.pipeline.settings import LimitSettings
from musterroll.plan.summary import count_stored

_EMAIL = "email"


class Base(StrEnum):
    """What a percentage is of."""

    USERS = gettext_noop("the portal's {total} users")
    GROUPS = gettext_noop("the portal's {total} groups")
    ROWS = gettext_noop("the sheet's {total} rows")
    BOTH_SHEETS = gettext_noop("the {total} users of this sheet and the last one")


class _Rule(NamedTuple):
    told: tuple[str, str]  # of one, and of several
    base: Base


_RULES = {
    "create": _Rule(ngettext_noop("{count} user would be created", "{count} users would be created"), Base.USERS),
    "update": _Rule(ngettext_noop("{count} user would be updated", "{count} users would be updated"), Base.USERS),
    "email_change": _Rule(
        ngettext_noop("{count} e-mail address would be changed", "{count} e-mail addresses would be changed"),
        Base.USERS,
    ),
    "group_add": _Rule(
        ngettext_noop("{count} membership would be added", "{count} memberships would be added"), Base.USERS
    ),
    "group_remove": _Rule(
        ngettext_noop("{count} membership would be removed", "{count} memberships would be removed"), Base.USERS
    ),
    "privileged": _Rule(
        ngettext_noop(
            "{count} membership in privileged groups would be changed",
            "{count} memberships in privileged groups would be changed",
        ),
        Base.USERS,
    ),
    "new_groups": _Rule(
        ngettext_noop("{count} group would be created", "{count} groups would be created"), Base.GROUPS
    ),
    "password_reset": _Rule(
        ngettext_noop("{count} password would be reset", "{count} passwords would be reset"), Base.USERS
    ),
    "deactivate": _Rule(
        ngettext_noop("{count} user would be deactivated", "{count} users would be deactivated"), Base.USERS
    ),
    "delete": _Rule(ngettext_noop("{count} user would be deleted", "{count} users would be deleted"), Base.USERS),
    "invite": _Rule(ngettext_noop("{count} invite would be sent", "{count} invites would be sent"), Base.ROWS),
    "reject": _Rule(ngettext_noop("{count} row is rejected", "{count} rows are rejected"), Base.ROWS),
    "rows_changed": _Rule(
        ngettext_noop(
            "{count} user differs from the last completed sheet", "{count} users differ from the last completed sheet"
        ),
        Base.BOTH_SHEETS,
    ),
}


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A limit that a plan exceeds. As text: `update: 812 users would be updated (20.3 % of …), the limit is 20%`.

    Attributes:
        name: its key under `[limits]`.
        limit: what the pipeline says.
        count: what the plan comes to.
        total: what a percentage is of; None for a limit that is a number.
        by_default: whether nobody has set it: then it says how to.
    """

    name: str
    limit: int | str
    count: int
    total: int | None
    by_default: bool = False

    def __str__(self) -> str:
        rule = _RULES[self.name]
        what = ngettext(*rule.told, self.count, count=counted(self.count))
        if self.total:
            base = gettext(rule.base, total=counted(self.total))
            what += gettext(" ({part} % of {base})", part=self._percentage(), base=base)
        limit = _shown(self.limit) if isinstance(self.limit, str) else counted(self.limit)
        told = gettext("{name}: {what}, the limit is {limit}", name=self.name, what=what, limit=limit)
        if not self.by_default:
            return told
        if self.name == "privileged":
            return told + gettext(
                " where nobody is asked; another one is set under [limits], e.g. privileged = {count}", count=self.count
            )
        return told + gettext(
            ' where the pipeline says nothing else; another one is set under [limits], e.g. {name} = "50%"',
            name=self.name,
        )

    def _percentage(self) -> str:
        """Rounded up, so that what is just above the limit does not look equal to it."""
        places = max(1, _places(_percentage(str(self.limit))))
        part = Decimal(self.count * 100) / Decimal(self.total or 1)
        return fraction(part.quantize(Decimal(1).scaleb(-places), ROUND_CEILING), places)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a job.

    Attributes:
        settings: `[limits]`.
        by_default: the keys that nobody has set. They are for sheets, and for portals that have many users.
    """

    settings: LimitSettings
    by_default: frozenset[str] = frozenset()

    @classmethod
    def of_sheet(cls, pipeline: Pipeline) -> Limits:
        """Those of a job that takes a sheet in."""
        return cls(pipeline.settings.limits, pipeline.default_limits)

    @classmethod
    def of_the_rest(cls, pipeline: Pipeline) -> Limits:
        """Those of any other job: it has no sheet that could be the wrong one, so only what somebody has set counts."""
        settings = pipeline.settings.limits
        unset = {name for name in _RULES if name in pipeline.default_limits or name == "rows_changed"}
        return cls(settings.model_copy(update=dict.fromkeys(unset)), pipeline.default_limits - unset)

    def where_nobody_is_asked(self) -> Limits:
        """The same where nobody looks at what is going to be done: privileged groups stay as they are."""
        if self.settings.privileged is not None:
            return self
        return Limits(self.settings.model_copy(update={"privileged": 0}), self.by_default | {"privileged"})

    def without(self, name: str) -> Limits:
        """The same but for one that does not hold."""
        return Limits(self.settings.model_copy(update={name: None}), self.by_default - {name})

    @property
    def are_set(self) -> bool:
        """Whether somebody has set one."""
        return any(self.limit(name) is not None and name not in self.by_default for name in _RULES)

    def limit(self, name: str) -> int | str | None:
        """The limit of that name; None where there is none."""
        limit: int | str | None = getattr(self.settings, name)
        return limit

    def users_at_least(self, name: str) -> int:
        """How many users the portal must have, so that a percentage of them holds."""
        is_of_default = "from_users" in self.by_default and name not in self.by_default
        return 1 if is_of_default else max(1, self.settings.from_users)

    @property
    def needs_users(self) -> str | None:
        """The first limit that is a percentage of the portal's users and that somebody has set; None without."""
        return next((name for name in self._of_users() if name not in self.by_default), None)

    def may_stop(self, job: Job) -> bool:
        """Whether a limit that nobody has set may stop a stored plan: only then it matters how many users there are."""
        found = (name for name in self._of_users() if name in self.by_default)
        return any(
            COUNTS[name](job) * 100 > _percentage(str(self.limit(name))) * self.users_at_least(name) for name in found
        )

    def _of_users(self) -> Iterator[str]:
        for name, rule in _RULES.items():
            if rule.base is Base.USERS and isinstance(self.limit(name), str):
                yield name


def limit_refusal(
    limits: Limits, job: Job, roster: Roster, going_on: str, *, invites: int | None = None
) -> RefusedError | None:
    """Returns why a stored plan must not be carried out; None where no limit is exceeded.

    Args:
        limits: those of the job.
        job: the job with the plan.
        roster: for the last completed sheet.
        going_on: tells the person how to go on.
        invites: how many invites there would be, where it is not as many as are planned.
    """
    if job.record.sheet.chosen is not None:  # some rows only: what is missing is no difference
        limits = limits.without("rows_changed")
    exceeded = list(_exceeded(limits, job, roster, invites))
    if not exceeded:
        return None
    return RefusedError(
        gettext("nothing was written: {reasons}; {instead}", reasons="; ".join(map(str, exceeded)), instead=going_on),
        code="limit.exceeded",
    )


def _exceeded(limits: Limits, job: Job, roster: Roster, invites: int | None) -> Iterator[Exceeded]:
    """Yields the limits that a stored plan exceeds. A percentage of nothing, or of few users, is not applied."""
    (text,) = job.journal.execute("SELECT totals FROM job WHERE id = ?", (job.id,)).fetchone()
    totals = json.loads(text)
    for name, rule in _RULES.items():
        limit, by_default = limits.limit(name), name in limits.by_default
        if limit is None:
            continue
        if isinstance(limit, int):
            if (count := _count(name, job, roster, invites)[0]) > limit:
                yield Exceeded(name, limit, count, None, by_default)
        elif rule.base is not Base.USERS or (totals.get("users") or 0) >= limits.users_at_least(name):
            count, total = _count(name, job, roster, invites)
            total = totals.get(rule.base.name.lower()) if total is None else total
            if total and count * 100 > _percentage(limit) * total:
                yield Exceeded(name, limit, count, total, by_default)


def _shown(limit: str) -> str:
    """A percentage as people of the language write it."""
    number = _percentage(limit)
    return limit.replace(str(number), fraction(number, _places(number)))


def _places(number: Decimal) -> int:
    """How many digits there are behind the point."""
    return -int(number.as_tuple().exponent)


def _percentage(text: str) -> Decimal:
    return Decimal(text.rstrip("% "))


def _count(name: str, job: Job, roster: Roster, invites: int | None) -> tuple[int, int | None]:
    """What the plan comes to, and what a percentage of it is of; None where that is one of the portal's totals."""
    if name == "rows_changed":
        return _drift(job, roster)
    of_rows = _RULES[name].base is Base.ROWS
    count = invites if name == "invite" and invites is not None else COUNTS[name](job)
    return count, count_stored(job, "row", "row < ?", FIRST_OFF_SHEET_ROW) if of_rows else None


def _rows(where: str, *values: object) -> Callable[[Job], int]:
    return lambda job: count_stored(job, "row", where, *values)


COUNTS: dict[str, Callable[[Job], int]] = {
    "create": _rows("action = ?", Action.CREATE),
    "update": _rows("action IN (?, ?)", Action.UPDATE, Action.REACTIVATE),
    "email_change": _rows("action = ? AND json_type(fields, ?) IS NOT NULL", Action.UPDATE, f"$.{_EMAIL}"),
    "group_add": lambda job: job.plan.count_members()[0],
    "group_remove": lambda job: job.plan.count_members()[1],
    "privileged": lambda job: sum(group.add + group.remove for group in job.plan.privileged()),
    "new_groups": lambda job: len(job.plan.groups_to_create()),
    "password_reset": _rows("password = ?", PasswordAction.RESET),
    "deactivate": _rows("action IN (?, ?)", Action.DEACTIVATE, Action.DELETE),
    "delete": _rows("action = ? AND row < ?", Action.DELETE, FIRST_OFF_SHEET_ROW),
    "invite": _rows("invite IS NOT NULL"),
    "reject": _rows("action = ?", Action.REJECTED),
}
"""What a stored plan comes to, by the names of limits."""


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
