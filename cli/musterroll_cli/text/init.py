"""What `init` made, and what to do next."""

from __future__ import annotations

from pathlib import Path

from musterroll.engine import Start
from musterroll_cli.console import Stream, Styled
from musterroll_cli.tables import Column, show_table
from musterroll_cli.text.words import quoted


def show_start(stream: Stream, start: Start) -> None:
    """Prints what was made, and the next two commands."""
    told = (
        (start.pipeline, "how the sheet gets into the portal, with every setting explained"),
        (start.blank, "the blank sheet, to be filled in"),
        (start.sample, "a sheet with three made-up users"),
    )
    show_table(stream, (Column(), Column(wraps=True)), [(Styled(str(path), "bold"), text) for path, text in told])
    stream.line()
    stream.line("Next:")
    if start.folder.absolute() != Path.cwd():
        stream.line(f"  cd {quoted(str(start.folder))}")
    stream.line(f"  musterroll plan {start.sample.name}")
    stream.line(f"  musterroll run {start.sample.name}")
