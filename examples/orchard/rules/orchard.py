"""Orchard's own rule: temporary staff, whose numbers begin with T, do not work in the office."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from musterroll import Context, Options, Problem, Row, ValidatorType, hookimpl


class TemporaryOptions(Options):
    """Options of `orchard-temporary-staff`.

    Attributes:
        closed: the departments where temporary staff cannot be.
    """

    closed: tuple[str, ...] = ("Office",)


class TemporaryStaff:
    """Checks the department of temporary staff."""

    def __init__(self, options: TemporaryOptions, context: Context) -> None:
        self._closed = options.closed

    def check(self, row: Row) -> Iterator[Problem]:
        if row["staff_number"].startswith("T") and row["department"] in self._closed:
            message = "Temporary staff cannot be in {department}; correct the department or the staff number"
            yield row.problem("department", "orchard.temporary", message, department=row["department"])


@hookimpl
def musterroll_validators() -> Iterable[ValidatorType[Any]]:
    yield ValidatorType(
        name="orchard-temporary-staff",
        summary="Temporary staff are in certain departments only",
        options=TemporaryOptions,
        build=TemporaryStaff,
    )
