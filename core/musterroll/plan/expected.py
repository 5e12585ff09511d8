"""`--expect`: how much a plan comes to, as a person expects it; else nothing is done."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from musterroll.contract.text import these_are
from musterroll.contract.translation import counted, gettext
from musterroll.errors import RefusedError, UsageError
from musterroll.journal.change import Action
from musterroll.journal.job import Job
from musterroll.plan.limits import COUNTS
from musterroll.plan.summary import summarise

_UNCHANGED = Action.UNCHANGED.value
_NAMES = (*COUNTS, _UNCHANGED)
_SAID = re.compile(r"\s*([A-Za-z_]*)\s*(=?)\s*(.*?)\s*", re.DOTALL)
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
        said = _SAID.fullmatch(text)
        assert said is not None  # it takes any text
        name, numbers = said[1], said[3]
        if name not in _NAMES:
            raise UsageError(
                gettext(
                    '--expect {text}: "{name}" is nothing that is counted{names}',
                    text=text,
                    name=name,
                    names=these_are(name, _NAMES),
                )
                if name
                else gettext(
                    "--expect {text}: say first what is counted{names}", text=text, names=these_are(name, _NAMES)
                )
            )
        if said[2] != "=" or not (found := _RANGE.fullmatch(numbers)):
            raise UsageError(gettext("--expect {text}: {how}", text=text, how=_how(name, numbers)))
        least, most = int(found[1] or 0), found[2] or found[3]
        if most is None and ".." not in numbers:
            most = str(least)
        if most is not None and int(most) < least:
            raise UsageError(
                gettext(
                    "--expect {text}: {least} is more than {most}; write the smaller number first",
                    text=text,
                    least=least,
                    most=most,
                )
            )
        return cls(name, least, None if most is None else int(most))

    def __str__(self) -> str:
        if self.most == self.least:
            return f"{self.name}={self.least}"
        return f"{self.name}={self.least}..{'' if self.most is None else self.most}"

    def fits(self, count: int) -> bool:
        """Whether a count is expected."""
        return self.least <= count and (self.most is None or count <= self.most)


def _how(name: str, numbers: str) -> str:
    """How to write what was meant: with the person's own numbers where only their signs are others."""
    found = re.fullmatch(r"[:= ]*([0-9]{1,9})(?:\s*[-–:,]\s*([0-9]{1,9}))?", numbers)
    if found is not None:
        return gettext('write "{right}"', right=f"{name}={found[1]}{f'..{found[2]}' if found[2] else ''}")
    return gettext('write how many: "{name}=30", "{name}=30..60", "{name}=30.." or "{name}=..60"', name=name)


def unexpected(expected: Iterable[Expected], job: Job) -> RefusedError | None:
    """Returns why a stored plan is not what a person expects; None where it is."""
    found: list[str] = []
    for one in expected:
        count = (
            COUNTS[one.name](job) if one.name in COUNTS else summarise(job, portal="").actions.get(Action.UNCHANGED, 0)
        )
        if not one.fits(count):
            found.append(gettext("{expected} was expected, and it is {count}", expected=one, count=counted(count)))
    if not found:
        return None
    return RefusedError(gettext("nothing was written: {reasons}", reasons="; ".join(found)), code="expect.differs")
