"""Acme's own rule: a staff number is A and five digits, of which the last is a check digit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from musterroll import Context, Options, Problem, Row, ValidatorType, hookimpl

_CODE = "acme.staff_number"
_FORM = re.compile(r"A(\d{4})(\d)", re.ASCII)


def check_digit(digits: str) -> int:
    """The last digit of the weighted sum: each digit times its place."""
    return sum(place * int(digit) for place, digit in enumerate(digits, start=1)) % 10


class StaffNumber:
    """Checks the form and the check digit."""

    def __init__(self, options: Options, context: Context) -> None:
        pass

    def check(self, row: Row) -> Iterator[Problem]:
        number = row["staff_number"]
        if not number:
            return
        match = _FORM.fullmatch(number)
        if match is None:
            yield row.problem("staff_number", _CODE, "A staff number is A and five digits, e.g. A10015")
        elif check_digit(match[1]) != int(match[2]):
            right = f"A{match[1]}{check_digit(match[1])}"
            message = "The last digit does not fit the others; look the number up on the badge"
            yield row.problem("staff_number", _CODE, message, suggestion=right)


@hookimpl
def musterroll_validators() -> Iterable[ValidatorType[Any]]:
    yield ValidatorType(
        name="acme-staff-number", summary="Staff numbers have a check digit", options=Options, build=StaffNumber
    )
