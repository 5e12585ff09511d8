"""Orchard's own rule: temporary staff, whose numbers begin with T, do not work in the office."""

from __future__ import annotations

from musterroll import Options, Row, gettext, rule


class TemporaryOptions(Options):
    """Options of `orchard-temporary-staff`.

    Attributes:
        closed: the departments where temporary staff cannot be.
    """

    closed: tuple[str, ...] = ("Office",)


@rule("orchard-temporary-staff", field="department", code="orchard.temporary")
def temporary_staff(row: Row, options: TemporaryOptions) -> str | None:
    """Temporary staff are in certain departments only."""
    if row["staff_number"].startswith("T") and row["department"] in options.closed:
        message = "Temporary staff cannot be in {department}; correct the department or the staff number"
        return gettext(message, department=row["department"])
    return None
