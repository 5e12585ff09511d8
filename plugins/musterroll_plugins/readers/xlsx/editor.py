"""Changes cells in a copy of a workbook: its parts are patched, and what has nothing to do with them stays as it is."""

from __future__ import annotations

import posixpath
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO, BinaryIO, cast

from musterroll import SheetEdits, Source, is_front_worksheet
from musterroll_plugins.readers.package.patching import Patcher
from musterroll_plugins.readers.package.worksheets import choose
from musterroll_plugins.readers.package.zip_file import opened, readable
from musterroll_plugins.readers.xlsx.edited_cells import CellsPatcher, deselected
from musterroll_plugins.readers.xlsx.edited_parts import (
    OFFICE,
    LinksPatcher,
    SharedTexts,
    TextsPatcher,
    TypesPatcher,
    WorkbookPatcher,
)
from musterroll_plugins.readers.xlsx.edited_styles import NO_STYLES, EditedStyles
from musterroll_plugins.readers.xlsx.front import front_worksheet
from musterroll_plugins.readers.xlsx.notes import Notes
from musterroll_plugins.readers.xlsx.package import XlsxPackage
from musterroll_plugins.readers.xlsx.workbook import Workbook, Worksheet

_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES, _HEAD = "[Content_Types].xml", 1 << 16
_FRONT_PART = "xl/worksheets/musterroll-problems.xml"
_COMMENTS_PART, _SHAPES_PART = "xl/musterroll-comments.xml", "xl/drawings/musterroll-notes.vml"


class XlsxEditor:
    """Changes cells in a copy of a workbook."""

    def edit(self, source: Source, edits: SheetEdits, target: BinaryIO) -> None:
        """Writes the copy.

        Raises:
            SourceError: the file is damaged.
        """
        with opened(source) as archive, readable(source):
            package = XlsxPackage(archive, source.size)
            part = package.workbook() or ""
            workbook = Workbook(package, part)
            worksheet = choose(source, workbook.worksheets, edits.worksheet)
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
                _Copy(package, part, workbook, worksheet, edits, made).write()


class _Copy:
    """One copy at work. Parts are written once each; `done` are those that need not be copied any more."""

    def __init__(
        self,
        package: XlsxPackage,
        part: str,
        workbook: Workbook,
        worksheet: Worksheet,
        edits: SheetEdits,
        made: zipfile.ZipFile,
    ) -> None:
        self._package, self._part, self._made, self._edits = package, part, made, edits
        self._workbook, self._worksheet = workbook, worksheet
        self._links = package.relationships(part)
        self._types: list[str] = []
        self._workbook_links: list[str] = []
        self._done: set[str] = set()
        self._dropped_types: set[str] = set()
        styles = next((one.target for one in self._links.values() if one.kind == "styles"), None)
        self._styles_part = styles if styles is not None and styles in package else None
        self._styles = EditedStyles(self._read(self._styles_part) if self._styles_part else NO_STYLES.encode())

    def write(self) -> None:
        """Writes all parts."""
        emptied = self._write_cells()
        self._write_texts(emptied)
        front = self._write_front()
        self._write_workbook(front)
        self._write_styles()
        calc = next((one.target for one in self._links.values() if one.kind == "calcChain"), None)
        if calc is not None:  # made anew by the program; it would name formulas that are gone
            self._done.add(calc.lower())
            self._dropped_types.add(calc.lower())
        self._write_links(calc)
        self._write_types()
        others = {one.part.lower() for one in self._workbook.worksheets}
        for name, entry in self._package.entries():
            if name.lower() in self._done:
                continue
            with self._package.open(name) as stream, self._new(entry.filename) as out:
                if self._edits.front is not None and name.lower() in others:
                    out.write(deselected(stream.read(_HEAD)))
                shutil.copyfileobj(stream, out)

    def _read(self, part: str) -> bytes:
        with self._package.open(part) as stream:
            return stream.read()

    @contextmanager
    def _new(self, part: str) -> Iterator[IO[bytes]]:
        self._done.add(part.lower())
        with self._made.open(part, "w", force_zip64=True) as stream:
            yield stream

    def _copied(self, part: str, patcher: Callable[[Callable[[bytes], object]], Patcher]) -> None:
        with self._package.open(part) as stream, self._new(part) as out:
            patcher(out.write).copy(stream)

    def _write_cells(self) -> set[int]:
        """Writes the worksheet, and the notes; returns the shared texts that nothing refers to any more."""
        edits, part = self._edits, self._worksheet.part
        links = self._package.relationships(part)
        link = self._write_notes(part, {one.kind: one.target for one in links.values()})
        found: list[CellsPatcher] = []

        def patcher(write: Callable[[bytes], object]) -> CellsPatcher:
            first = edits.front is not None

            def head_first(data: bytes) -> object:
                nonlocal first
                data, first = (deselected(data) if first else data), first and b"<sheetData" not in data
                return write(data)

            found.append(
                CellsPatcher(head_first, edits.cells(), edits.blanked, edits.blanked_from, self._styles.marked, link)
            )
            return found[0]

        self._copied(part, patcher)
        emptied = found[0].emptied - found[0].kept
        if emptied:
            for other in self._workbook.worksheets:
                if other.part != part and other.part in self._package:
                    texts = SharedTexts()
                    with self._package.open(other.part) as stream:
                        texts.read(stream)
                    emptied -= texts.numbers
        return emptied

    def _write_notes(self, part: str, linked: dict[str, str]) -> str | None:
        """Writes notes and their boxes; returns the id by which the worksheet is to name the boxes, if it does not."""
        edits = self._edits
        has_notes = any(edit.note for edit in edits.cells())
        earlier = linked.get("comments")
        if not has_notes and (earlier is None or not edits.drops_earlier_notes):
            return None
        if earlier is not None and earlier not in self._package:
            earlier = None
        shapes = linked.get("vmlDrawing")
        before = self._read(shapes) if shapes is not None and shapes in self._package else None
        notes = Notes(self._read(earlier) if earlier else None, drops_earlier=edits.drops_earlier_notes)
        with self._new(earlier or _COMMENTS_PART) as out:
            notes.write_texts(edits.cells(), cast("BinaryIO", out))
        with self._new(shapes if before is not None and shapes else _SHAPES_PART) as out:
            notes.write_shapes(edits.cells(), before, cast("BinaryIO", out))
        added = []
        if earlier is None:
            added.append(_link("mrComments", "comments", f"/{_COMMENTS_PART}"))
            self._types.append(_override(_COMMENTS_PART, f"{_SPREADSHEET}.comments+xml"))
        if before is None:
            added.append(_link("mrNotes", "vmlDrawing", f"/{_SHAPES_PART}"))
        self._types.append(
            '<Default Extension="vml" ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>'
        )
        folder, name = posixpath.split(part)
        self._write_added(posixpath.join(folder, "_rels", f"{name}.rels"), added)
        return "mrNotes" if before is None else None

    def _write_added(self, part: str, added: list[str]) -> None:
        """Writes a part of relationships with some more of them."""
        if part in self._package:
            data = _with(self._read(part), added)
        else:
            space = "http://schemas.openxmlformats.org/package/2006/relationships"
            head = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Relationships xmlns="{space}">'
            data = f"{head}{''.join(added)}</Relationships>".encode()
        with self._new(part) as out:
            out.write(data)

    def _write_texts(self, emptied: set[int]) -> None:
        part = next((one.target for one in self._links.values() if one.kind == "sharedStrings"), None)
        if emptied and part is not None and part in self._package:
            self._copied(part, lambda write: TextsPatcher(write, emptied))

    def _write_front(self) -> str | None:
        """Writes the worksheet in front; returns its part where the workbook does not have it yet."""
        front = self._edits.front
        if front is None:
            return None
        earlier = next((one for one in self._workbook.worksheets if is_front_worksheet(one.name)), None)
        part = _FRONT_PART if earlier is None else earlier.part
        with self._new(part) as out:
            out.write(front_worksheet(front, self._worksheet.name, self._styles).encode("ascii", "xmlcharrefreplace"))
        if earlier is not None:
            folder, name = posixpath.split(part)
            self._done.add(posixpath.join(folder, "_rels", f"{name}.rels").lower())  # it refers to nothing now
            return None
        self._types.append(_override(part, f"{_SPREADSHEET}.worksheet+xml"))
        return part

    def _write_workbook(self, front: str | None) -> None:
        if self._edits.front is None:
            return
        name = self._edits.front.name if front is not None else None
        if front is not None:
            self._workbook_links.append(_link("mrProblems", "worksheet", f"/{front}"))
        self._copied(self._part, lambda write: WorkbookPatcher(write, name))

    def _write_styles(self) -> None:
        part = self._styles_part
        if part is None:
            part = "xl/musterroll-styles.xml"
            self._workbook_links.append(_link("mrStyles", "styles", f"/{part}"))
            self._types.append(_override(part, f"{_SPREADSHEET}.styles+xml"))
        with self._new(part) as out:
            out.write(self._styles.made())

    def _write_links(self, without: str | None) -> None:
        """Writes the relationships of the workbook."""
        folder, name = posixpath.split(self._part)
        part = posixpath.join(folder, "_rels", f"{name}.rels")
        ids = {key for key, one in self._links.items() if one.target == without}
        if part in self._package and (ids or self._workbook_links):
            self._copied(part, lambda write: LinksPatcher(write, ids, self._workbook_links))

    def _write_types(self) -> None:
        self._copied(_TYPES, lambda write: TypesPatcher(write, self._dropped_types, self._types))


def _link(key: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{target}"/>'


def _override(part: str, kind: str) -> str:
    return f'<Override PartName="/{part}" ContentType="{kind}"/>'


def _with(data: bytes, added: list[str]) -> bytes:
    written: list[bytes] = []
    LinksPatcher(written.append, set(), added).copy(BytesIO(data))
    return b"".join(written)
