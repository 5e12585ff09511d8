"""How the kit asks what looks at rows: as the engine does, with what people paste into cells."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from musterroll.contract.batch import Batch
from musterroll.contract.fields import PASSWORD, Field, FieldSet
from musterroll.contract.problems import Problem
from musterroll.contract.roles import GroupResolver, RowValidator, SheetValidator, Transform
from musterroll.contract.rows import Row, Value
from musterroll.contract.users import GroupPath
from musterroll.registry.guards.built import RESOLVER, TRANSFORM, VALIDATOR, look_at_built
from musterroll.registry.guards.rules import Findings, Rule, all_found, places_of
from musterroll.registry.guards.transform import GuardedTransform, without_secrets
from musterroll.registry.masks import masked
from musterroll.registry.plugin_errors import AnswerError
from musterroll.registry.watch import Watch

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
_BATCH = 15  # rows
NO_GROUPS = (";", "|", "\\", "a;;b")
"""What is no list of groups."""


def found_by(
    validator: RowValidator | SheetValidator, rows: Sequence[Row], *, in_batches: bool = False
) -> Iterator[Problem]:
    """Yields what a rule finds in a sheet, each looked at as the engine does.

    Args:
        validator: the rule.
        rows: the sheet's rows.
        in_batches: whether it is asked only about the rows that its proof does not leave out.

    Raises:
        AnswerError: it is not what a rule may find; why, in words.
    """
    look_at_built(validator, VALIDATOR)
    rule, findings, following = Rule.of_validator("", validator), Findings(), 0
    for row, is_asked in _asked(rule, rows, in_batches=in_batches):
        if row.number != following:
            findings.start(row, following)
        following = row.number + 1
        for found in rule.all_found(validator.check(row)) if is_asked else ():
            findings.problem(found, row)
            yield found  # type: ignore[misc]  # it was looked at
    findings.end(following)
    if isinstance(validator, SheetValidator):
        for found in all_found(validator.finish(), "finish"):
            findings.problem(found, None)
            yield found  # type: ignore[misc]


def _asked(rule: Rule, rows: Sequence[Row], *, in_batches: bool) -> Iterator[tuple[Row, bool]]:
    """The rows, and whether the rule is asked about them: in batches, those that its proof does not leave out."""
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        proof = rule.proof if in_batches else None
        suspects = range(len(batch)) if proof is None else places_of(proof(Batch.of(batch)), len(batch))
        for place, row in enumerate(batch):
            yield row, place in suspects


def resolved_by(resolver: GroupResolver, row: Row) -> list[GroupPath | Problem]:
    """Returns what a group resolver finds in a row; see `found_by`."""
    look_at_built(resolver, RESOLVER)
    findings, rule = Findings(), Rule.of_resolver("", resolver)
    findings.start(row, 0)
    found = list(rule.all_found(resolver.resolve(row)))
    return [findings.problem(one, row) if isinstance(one, Problem) else findings.path(one) for one in found]


def transformed_by(transform: Transform, row: Row) -> Mapping[str, str | Value | Problem]:
    """Returns what a transform says of a row; see `found_by`."""
    look_at_built(transform, TRANSFORM)
    fields = FieldSet(Field(name=name, heading=name, secret=name == PASSWORD) for name in row.values)
    guard = GuardedTransform(transform, "", Watch(), fields, None)
    return dict(guard.looked_at(transform.apply(without_secrets(row)), row))


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
