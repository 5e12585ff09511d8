"""`--expect`: how much a plan comes to, as a person expects it; else nothing is done."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from musterroll.contract.text import did_you_mean
from musterroll.errors import RefusedError, UsageError
from musterroll.journal.change import Action
from musterroll.journal.job import Job
from musterroll.plan.limits import COUNTS
from musterroll.plan.summary import summarise

_UNCHANGED = Action.UNCHANGED.value
_NAMES = (*COUNTS, _UNCHANGED)
_RANGE = re.compile(r"([0-9]{1,9})(?:\.\.([0-9]{1,9})?)?|\.\.([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a person expects.

    Attributes:
        name: of what: a key of `[limits]`, or `unchanged`.
        least: so many at the least.
        most: so many at the most; None for any.
    """

    name: str
    least: int
    most: int | None

    @classmethod
    def of(cls, text: str) -> Expected:
        """Reads `create=30..60`, `create=30..`, `create=..60` or `create=30`.

        Raises:
            UsageError: it is none of these.
        """
        name, sign, numbers = text.partition("=")
        name = name.strip()
        if not sign or not (found := _RANGE.fullmatch(numbers.strip())):
            raise UsageError(
                f'--expect {text}: write what and how many, e.g. "create=30..60", "update=..20" or "deactivate=0"'
            )
        if name not in _NAMES:
            known = ", ".join(_NAMES)
            raise UsageError(
                f'--expect {text}: "{name}" is nothing that is counted{did_you_mean(name, _NAMES)}; these are: {known}'
            )
        least, most = int(found[1] or 0), found[2] or found[3]
        if most is None and ".." not in numbers:
            most = str(least)
        if most is not None and int(most) < least:
            raise UsageError(f"--expect {text}: {least} is more than {most}; write the smaller number first")
        return cls(name, least, None if most is None else int(most))

    def __str__(self) -> str:
        if self.most == self.least:
            return f"{self.name}={self.least}"
        return f"{self.name}={self.least}..{'' if self.most is None else self.most}"

    def fits(self, count: int) -> bool:
        """Whether a count is expected."""
        return self.least <= count and (self.most is None or count <= self.most)


def unexpected(expected: Iterable[Expected], job: Job) -> RefusedError | None:
    """Returns why a stored plan is not what a person expects; None where it is."""
    found: list[str] = []
    for one in expected:
        count = (
            COUNTS[one.name](job) if one.name in COUNTS else summarise(job, portal="").actions.get(Action.UNCHANGED, 0)
        )
        if not one.fits(count):
            found.append(f"{one} was expected, and it is {count:,}")
    if not found:
        return None
    return RefusedError(f"nothing was written: {'; '.join(found)}", code="expect.differs")
