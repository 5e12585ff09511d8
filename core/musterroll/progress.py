"""How long work tells that it goes on."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by the engine; drawn by whoever has a terminal."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A new stage begins, e.g. `Reading the sheet`; `total` steps are known to come, or None."""
        ...

    def advance(self, steps: int = 1) -> None:
        """So many steps of the stage are done."""
        ...


class Silent:
    """Says nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Says nothing."""

    def advance(self, steps: int = 1) -> None:
        """Says nothing."""


SILENT = Silent()
