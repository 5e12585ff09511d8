"""What was corrected in a copy of the sheet."""

from __future__ import annotations

from musterroll import column_letter
from musterroll.engine import Fixed
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.escape import shorten
from musterroll_cli.output.tables import Column, show_table
from musterroll_cli.output.text.words import amount

_COLUMNS = (Column("Cell"), Column("Before", wraps=True), Column("After", wraps=True), Column("Code"))
_NAMED = 12  # so many codes


def show_changed_cells(stream: Stream, fixed: Fixed) -> None:
    """Prints the changes, cell by cell."""
    if not fixed.cells:
        return
    assert fixed.changes is not None
    rows = (
        (
            f"{column_letter(one.column)}{one.row}",
            Styled(shorten(one.before or ""), "red"),
            Styled(shorten(one.text), "green"),
            one.code,
        )
        for one in fixed.changes()
    )
    show_table(stream, _COLUMNS, rows)
    stream.line()


def show_fixed(stream: Stream, fixed: Fixed) -> None:
    """Prints how much was corrected, and where the copy is."""
    named = list(fixed.by_code.items())
    listed = ", ".join(f"{count:,} × {code}" for code, count in named[:_NAMED])
    others = ", …" if len(named) > _NAMED else ""
    if not fixed.problems:
        stream.line(f"Nothing can be fixed for certain: 0 of {amount(fixed.of, 'problem')}; no copy is written.")
        return
    verb = "fixed" if fixed.path is not None else "can be fixed"
    stream.line(
        Styled(f"{fixed.problems:,} of {amount(fixed.of, 'problem')} {verb}", "bold green"), f": {listed}{others}"
    )
    if fixed.path is not None:
        stream.line(f"The corrected copy is {fixed.path}; the problems above are what is left in it.")
    else:
        stream.line("Nothing is written; the problems above are what would be left.")
