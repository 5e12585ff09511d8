"""The usernames that rows would get, where the portal was not asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from musterroll import gettext
from musterroll.engine import ProposedName
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.tables import Cells, Column, show_table
from musterroll_cli.output.text.words import and_more

_SHOWN = 20
"""So many names are shown, unless the person asks for all."""


def show_proposed_names(stream: Stream, names: Iterable[ProposedName], *, verbose: bool) -> None:
    """Prints the names, and who decides."""
    hidden = 0

    def rows() -> Iterator[Cells]:
        nonlocal hidden
        for place, name in enumerate(names):
            if place < _SHOWN or verbose:
                told = Styled(gettext("none"), "yellow") if name.username is None else name.username
                yield gettext("row {row}", row=name.row), told, name.reason or ""
            else:
                hidden += 1

    if next(iter(names), None) is None:
        return
    stream.line(
        gettext(
            "Usernames that would be made. The portal decides: it may have one of them already, or know somebody by "
            "another one. `musterroll plan` asks it."
        )
    )
    show_table(stream, (Column(), Column(), Column(wraps=True)), rows(), indent=2)
    if hidden:
        stream.line(and_more(hidden))
    stream.gap()
