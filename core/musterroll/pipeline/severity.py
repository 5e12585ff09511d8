"""`[severity]` and `strict`: what a problem is to this customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from musterroll.contract.codes import ANY_FIELD, Explanation, explanations, explanations_of
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.text import did_you_mean
from musterroll.pipeline.check import Check
from musterroll.pipeline.origins import at, plain
from musterroll.pipeline.settings import SeverityChoice

_ERRORS = "errors"  # the place of codes that are no problems


class Severities:
    """Says what a problem is to this customer.

    Args:
        chosen: by code; as found where nothing is said.
        strict: whether every warning is an error.
    """

    def __init__(self, chosen: Mapping[str, SeverityChoice], *, strict: bool) -> None:
        self._chosen, self._strict = chosen, strict

    def of(self, problem: Problem) -> Problem | None:
        """Returns the problem as it counts; None where it is to be ignored."""
        choice = self._chosen.get(problem.code)
        if choice == "ignore":
            return None
        severity = problem.severity if choice is None else Severity(choice)
        if self._strict and severity is Severity.WARNING and not is_fixed(explanations_of(problem.code)):
            severity = Severity.ERROR
        if severity is problem.severity:
            return problem
        others = problem.also_rejects if severity is Severity.ERROR else ()
        return replace(problem, severity=severity, also_rejects=others)


def is_fixed(said: tuple[Explanation, ...]) -> bool:
    """Whether the severity of a code is the same for every customer."""
    return any(one.is_fixed for one in said)


def check_severity(check: Check) -> None:
    """Complains of codes under `[severity]` that do not exist, or whose severity is not the customer's to choose."""
    table = at(check.tree, ("severity",))
    said = None if table is None else plain(table)
    if not isinstance(said, dict) or check.fields is None:
        return
    match = plain(found) if (found := at(check.tree, ("match",))) is not None else ()
    for code in said:
        path = ("severity", code)
        if not check.is_sound(*path):
            continue
        if is_fixed(_known(code)) or code in {f"{field}.duplicate" for field in match}:
            check.complain(path, "is an error for every customer: what has it cannot be imported")
        else:
            _refuse_unknown(check, path, code)


def check_repairs(check: Check) -> None:
    """Complains of codes under `repairs` that do not exist, and warns of those that are never repaired."""
    node = at(check.tree, ("repairs",))
    said = None if node is None else plain(node)
    if isinstance(said, list) and check.fields is not None:
        for place, code in enumerate(said):
            path = ("repairs", place)
            if not check.is_sound(*path):
                continue
            _refuse_unknown(check, path, code)
            if (known := _known(code)) and not any(one.is_repaired for one in known):
                can = ", ".join(one.code for one in explanations() if one.is_repaired)
                check.warn(
                    path, f'"{code}" is never repaired: it has no suggestion, or guesses only; repaired are {can}'
                )


def _known(code: str) -> tuple[Explanation, ...]:
    return tuple(one for one in explanations_of(code) if one.place != _ERRORS)


def _refuse_unknown(check: Check, path: tuple[str | int, ...], code: str) -> None:
    """Complains of a code that should be one of ours, by its subject, and is none."""
    problems = [one.code for one in explanations() if one.place != _ERRORS]
    subject = code.partition(".")[0]
    if not _known(code) and subject in {one.partition(".")[0] for one in problems} - {ANY_FIELD} | set(
        check.fields or ()
    ):
        own = [f"{subject}.{one.partition('.')[2]}" for one in problems if one.startswith(f"{ANY_FIELD}.")]
        check.complain(path, f"there is no such code{did_you_mean(code, [*problems, *own])}")
