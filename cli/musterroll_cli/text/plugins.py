"""The list of plugins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from musterroll.plugin.registry import Listing
from musterroll_cli.console import Stream, Styled
from musterroll_cli.tables import Cells, Column, show_table

_COLUMNS = (
    Column("Kind"),
    Column("Name"),
    Column("Status"),
    Column("From", wraps=True),
    Column("Summary", wraps=True),
)


def show_plugins(stream: Stream, listing: Iterable[Listing]) -> None:
    """Prints what is installed and from where; what is broken, with the reason."""
    show_table(stream, _COLUMNS, _rows(listing))


def _rows(listing: Iterable[Listing]) -> Iterator[Cells]:
    for entry in listing:
        source = " ".join(filter(None, (entry.distribution, entry.version)))
        yield (
            (entry.kind or "").replace("_", " "),
            Styled(entry.name or entry.plugin, "bold"),
            Styled(entry.status, "green" if entry.status == "ok" else "red"),
            source,
            entry.detail or entry.summary or "",
        )
