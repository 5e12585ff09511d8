"""Checks a sheet with frictionless: a schema, and a check of our own for what a schema has no words for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
from frictionless import Check, Checklist, Dialect, Resource, Row, Schema, errors

from speed.peers import rules

HEADINGS = ("Email", "Username", "Forename", "Surname", "Password", "Calling Code", "Phone", "Groups")
_MOST = 10_000_000


def schema() -> Schema:
    """The columns, and what a value of each may be."""
    fields = []
    for heading in HEADINGS:
        constraints: dict[str, object] = {
            "pattern": rules.GROUPS if heading == "Groups" else rules.NO_CONTROL_CHARACTERS
        }
        if heading in rules.LONGEST:
            constraints["maxLength"] = rules.LONGEST[heading]
        if heading in rules.NEEDED:
            constraints["required"] = True
        if heading == "Username":
            constraints["unique"] = True
        form = "email" if heading == "Email" else "default"
        fields.append({"name": heading, "type": "string", "format": form, "constraints": constraints})
    return Schema.from_descriptor({"fields": fields})


@attrs.define(kw_only=True, repr=False)
class FitsTogether(Check):
    """Calling code and phone, password and username."""

    type = "fits-together"
    Errors = [errors.RowConstraintError]  # noqa: RUF012 -- as the library wants it

    def validate_row(self, row: Row) -> Iterator[errors.RowConstraintError]:
        """Yields what is wrong with a row."""
        password, username = row["Password"], row["Username"]
        faults = (
            rules.password_fault(password, username or "") if password else None,
            rules.phone_fault(row["Calling Code"] or "", row["Phone"] or ""),
        )
        for fault in faults:
            if fault is not None:
                yield errors.RowConstraintError.from_row(row, note=fault)


def main() -> None:
    """Prints which rows are bad."""
    path = Path(sys.argv[1])
    dialect = Dialect(comment_rows=[rules.FIRST_ROW - 1])
    # Only paths below a folder are safe for it.
    resource = Resource(path=path.name, basepath=str(path.parent), dialect=dialect, schema=schema())
    report = resource.validate(Checklist(checks=[FitsTogether()]), limit_errors=_MOST)
    rows = report.tasks[0].stats["rows"]
    rules.tell(rows, [number for (number,) in report.flatten(["rowNumber"])])


if __name__ == "__main__":
    main()
