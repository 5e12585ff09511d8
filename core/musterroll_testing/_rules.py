"""How the kit asks validators and group resolvers: as the engine does, with what people paste into cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from musterroll.contract.problems import Problem
from musterroll.contract.roles import GroupResolver, RowValidator, SheetValidator
from musterroll.contract.rows import Row
from musterroll.contract.users import GroupPath
from musterroll.registry.guards.built import RESOLVER, VALIDATOR, look_at_built
from musterroll.registry.guards.rules import Findings, Rule, all_found
from musterroll.registry.masks import masked
from musterroll.registry.plugin_errors import AnswerError

CANARY = "Canary-7c1f-Sesame"
# Some rules speak only of short ones, or of long ones; and whoever quotes one may do so in many ways.
PASSWORDS = (CANARY, "Cnry7!", CANARY * 20, 'Canary-"7c1f"\\ä <&>')
STRANGE = (
    "0",
    " ",
    "\N{ZERO WIDTH SPACE}",
    "\x00",
    "\U0001f469\u200d\U0001f4bb",
    "é",
    "Ｂｏ",
    "\u202eabc",
    "'=1+1",
    "a\nb",
)
"""What people paste into cells."""
LONG = "x" * 100_000
NO_GROUPS = (";", "|", "\\", "a;;b")
"""What is no list of groups."""


def found_by(validator: RowValidator | SheetValidator, rows: Iterable[Row]) -> Iterator[Problem]:
    """Yields what a rule finds in a sheet, each looked at as the engine does.

    Raises:
        AnswerError: it is not what a rule may find; why, in words.
    """
    look_at_built(validator, VALIDATOR)
    rule, findings, following = Rule.of_validator("", validator), Findings(), 0
    for row in rows:
        if row.number != following:
            findings.start(row, following)
        following = row.number + 1
        for found in rule.all_found(validator.check(row)):
            findings.problem(found, row)
            yield found  # type: ignore[misc]  # it was looked at
    findings.end(following)
    if isinstance(validator, SheetValidator):
        for found in all_found(validator.finish(), "finish"):
            findings.problem(found, None)
            yield found  # type: ignore[misc]


def resolved_by(resolver: GroupResolver, row: Row) -> list[GroupPath | Problem]:
    """Returns what a group resolver finds in a row; see `found_by`."""
    look_at_built(resolver, RESOLVER)
    findings, rule = Findings(), Rule.of_resolver("", resolver)
    findings.start(row, 0)
    found = list(rule.all_found(resolver.resolve(row)))
    return [findings.problem(one, row) if isinstance(one, Problem) else findings.path(one) for one in found]


def refuse_told_passwords(problem: Problem, secrets: Collection[str]) -> None:
    """Fails where a problem tells a password.

    Raises:
        AnswerError: it does; where, in words.
    """
    told = [
        name
        for name in ("code", "message", "value", "suggestion")
        if (text := getattr(problem, name)) and masked(text, list(secrets), of_secret=True) != text
    ]
    # What stands in the cell of a field that is no secret is none, even where a password is the same.
    told = [name for name in told if name != "value" or problem.field == "password"]
    if told:
        raise AnswerError(f"the {' and the '.join(told)} of the problem {problem.code:.50} tells the row's password")
