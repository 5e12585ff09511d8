"""Acme's own rule: a staff number is A and five digits, of which the last is a check digit."""

from __future__ import annotations

import re

from musterroll import Problem, Row, rule

_FORM = re.compile(r"A(\d{4})(\d)", re.ASCII)


def check_digit(digits: str) -> int:
    """The last digit of the weighted sum: each digit times its place."""
    return sum(place * int(digit) for place, digit in enumerate(digits, start=1)) % 10


@rule("acme-staff-number", field="staff_number", code="acme.staff_number")
def staff_number(row: Row) -> str | Problem | None:
    """Staff numbers have a check digit."""
    match = _FORM.fullmatch(row["staff_number"])
    if match is None:
        return "A staff number is A and five digits, e.g. A10015"
    if check_digit(match[1]) == int(match[2]):
        return None
    message = "The last digit does not fit the others; look the number up on the badge"
    suggestion = f"A{match[1]}{check_digit(match[1])}"
    return row.problem("staff_number", "acme.staff_number", message, suggestion=suggestion)
