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
    problems = [one.code for one in explanations() if one.place != _ERRORS]
    subjects = {code.partition(".")[0] for code in problems} - {ANY_FIELD}
    for code in said:
        path = ("severity", code)
        if not check.is_sound(*path):
            continue
        subject = code.partition(".")[0]
        known = tuple(one for one in explanations_of(code) if one.place != _ERRORS)
        if is_fixed(known) or code in {f"{field}.duplicate" for field in match}:
            check.complain(path, "is an error for every customer: what has it cannot be imported")
        elif not known and subject in subjects | set(check.fields):
            own = [f"{subject}.{one.partition('.')[2]}" for one in problems if one.startswith(f"{ANY_FIELD}.")]
            check.complain(path, f"there is no such code{did_you_mean(code, [*problems, *own])}")
