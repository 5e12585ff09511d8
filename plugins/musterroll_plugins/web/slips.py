"""Slips of paper with first passwords: where they lie, and which of them count.

They are beside the sheet, in a folder of their own, a page of them named by the work that has made it. It counts once
the journal has noted it: a page that a killed worker left before that is offered to nobody, since its users get other
passwords.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from musterroll.engine import HandedOver
from musterroll_plugins.web.private import ID

_FOLDER, _SUFFIX = "first-passwords", ".html"


@dataclass(frozen=True, slots=True)
class Slips:
    """A page of slips, to be printed.

    Attributes:
        id: the id of the work that has made it.
        people: how many slips it has.
        path: where it is, or was.
    """

    id: str
    people: int
    path: Path

    @property
    def are_there(self) -> bool:
        """Whether nobody has deleted it."""
        return self.path.is_file() and not self.path.is_symlink()


def place_of_slips(sheet: Path, work: str) -> Path:
    """Where the slips go that a work makes with an uploaded sheet."""
    return sheet.with_name(_FOLDER) / f"{work}{_SUFFIX}"


def noted_slips(sheet: Path, noted: Iterable[HandedOver]) -> Iterator[Slips]:
    """Yields the slips of an uploaded sheet that the journal has noted, also those that are deleted by now."""
    for one in noted:
        path = Path(one.path)
        # By their names: the state may have been moved since.
        if path.parts[-3:-1] == (sheet.parent.name, _FOLDER) and ID.fullmatch(path.stem):
            yield Slips(path.stem, one.people, place_of_slips(sheet, path.stem))


def has_slips(sheet: Path) -> bool:
    """Whether a job has made slips of an uploaded sheet, noted or not, which nobody has deleted."""
    return any(sheet.with_name(_FOLDER).glob(f"*{_SUFFIX}"))
