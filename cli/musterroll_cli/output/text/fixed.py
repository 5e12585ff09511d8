"""What was corrected in a copy of the sheet."""

from __future__ import annotations

from musterroll import column_letter, counted, gettext, gettext_noop, ngettext
from musterroll.engine import Fixed
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.escape import shorten
from musterroll_cli.output.tables import Column, show_table
from musterroll_cli.output.text.words import amount

_COLUMNS = (
    Column(gettext_noop("Cell")),
    Column(gettext_noop("Before"), wraps=True),
    Column(gettext_noop("After"), wraps=True),
    Column(gettext_noop("Code")),
)
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
    stream.gap()


def show_fixed(stream: Stream, fixed: Fixed) -> None:
    """Prints how much was corrected, and where the copy is."""
    named = list(fixed.by_code.items())
    listed = ", ".join(f"{counted(count)} × {code}" for code, count in named[:_NAMED])
    others = ", …" if len(named) > _NAMED else ""
    if not fixed.problems:
        stream.line(
            gettext(
                "Nothing can be fixed for certain: 0 of {problems}; no copy is written.",
                problems=amount(fixed.of, "problem"),
            )
        )
        return
    how_many = {"count": counted(fixed.problems), "problems": amount(fixed.of, "problem")}
    told = (
        gettext("{count} of {problems} fixed", **how_many)
        if fixed.path is not None
        # Other languages say it in another way of one.
        else ngettext(
            "{count} of {problems} can be fixed", "{count} of {problems} can be fixed", fixed.problems, **how_many
        )
    )
    stream.line(Styled(told, "bold green"), f": {listed}{others}")
    if fixed.path is not None:
        stream.line(
            gettext(
                "The corrected copy is {path}; the problems above are what is left in it.",
                path=fixed.path,
            )
        )
    else:
        stream.line(gettext("Nothing is written; the problems above are what would be left."))
