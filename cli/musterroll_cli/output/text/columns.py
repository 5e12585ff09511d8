"""Prints what the columns of a sheet were taken for."""

from __future__ import annotations

from collections.abc import Sequence

from musterroll import gettext, gettext_noop
from musterroll.engine import FoundColumn
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.tables import Column, show_table

_BECAUSE = {"near": gettext_noop("the heading is nearly that"), "content": gettext_noop("by what it holds")}


def show_columns(stream: Stream, columns: Sequence[FoundColumn]) -> None:
    """Prints a line for each column."""
    rows = []
    for one in columns:
        meaning = Styled(one.field or "-", "bold" if one.field else "dim")
        rows.append((one.letter, one.heading, meaning, gettext(_BECAUSE.get(one.reason or "", ""))))
    show_table(
        stream,
        (Column(), Column(gettext_noop("Heading"), wraps=True), Column(gettext_noop("Field")), Column("", wraps=True)),
        rows,
    )
    stream.gap()
