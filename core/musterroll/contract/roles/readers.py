"""What reads and writes a format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from enum import IntEnum
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from musterroll.contract.cells import Block, SheetInfo, SheetRow
    from musterroll.contract.drafts import Draft
    from musterroll.contract.edits import SheetEdits
    from musterroll.contract.source import Source


class Confidence(IntEnum):
    """How sure a reader is that a file is of its format, judged by the content."""

    NO = 0
    PERHAPS = 1  # e.g. any text for csv
    CERTAIN = 2


class OtherFormat(NamedTuple):
    """What a reader may say of a file that it does not read but knows.

    Attributes:
        kind: what it is, e.g. `a PDF document`.
        advice: what to do with it.
    """

    kind: str
    advice: str


class AmbiguousWorksheetError(Exception):
    """Raised by a reader's `open` when it cannot choose between worksheets; becomes `sheet.ambiguous`.

    Attributes:
        names: the worksheets to choose from.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = tuple(names)


class Sheet(Protocol):
    """An open worksheet."""

    @property
    def info(self) -> SheetInfo:
        """What was opened. Notes on what stands in the rows may come while these are read."""
        ...

    def rows(self) -> Iterator[SheetRow]:
        """Streams the rows in order. Empty rows may be left out; their numbers then are missing.

        Raises:
            SourceError: the file is damaged.
        """
        ...


@runtime_checkable
class ReadsBlocks(Protocol):
    """What an open `Sheet` can do besides: give the same rows in blocks, which is quicker."""

    def blocks(self) -> Iterator[Block]:
        """Streams the rows of `rows()`, in order.

        Raises:
            SourceError: the file is damaged.
        """
        ...


class Reader(Protocol):
    """Reads a spreadsheet format."""

    def sniff(self, source: Source) -> Confidence | OtherFormat:
        """Judges by the content, not by the name. Must be quick and must not raise for foreign bytes.

        Where no reader reads the file, the first one that says what it is has the message.
        """
        ...

    def open(self, source: Source, worksheet: str | None = None) -> AbstractContextManager[Sheet]:
        """Opens one worksheet.

        Args:
            source: the file.
            worksheet: its name; None for the only visible one.

        Raises:
            SourceError: the file is damaged or protected, or has no such worksheet.
            AmbiguousWorksheetError: there are several visible worksheets and none was named.
        """
        ...


class SheetWriter(Protocol):
    """Writes a spreadsheet format, for people to fill in or to correct."""

    def write(self, draft: Draft, target: BinaryIO) -> None:
        """Writes one workbook with one worksheet. Every column holds text: what is typed into it keeps its digits.

        Notes and checks are written where the format has them, and are no values when the file is read again.

        Args:
            draft: the sheet.
            target: takes the bytes.
        """
        ...


class SheetEditor(Protocol):
    """Changes cells in a copy of a sheet of its format, and keeps everything else: formats, notes, other worksheets."""

    def edit(self, source: Source, edits: SheetEdits, target: BinaryIO) -> None:
        """Writes the copy. Nothing becomes a formula.

        Args:
            source: the file; the reader of the same format reads it.
            edits: what is to be changed. What a format cannot show (marks and notes in plain text) is left out.
            target: takes the bytes.

        Raises:
            SourceError: the file is damaged.
            MusterrollError: the copy cannot be made.
        """
        ...
