"""Sheets to measure with, as spreadsheet programs save them: csv, xlsx (texts shared, as Excel does), ods.

    python -m speed.sheets FILE ROWS QUALITY

They are made once and kept in a folder.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import IO

from speed.people import GUIDANCE, HEADINGS, Quality, users
from support import documents, workbooks

HERE = Path(__file__).parent
_ZIP_TIME = (2026, 1, 1, 0, 0, 0)
_DRAWN = frozenset({"Forename", "Surname", "Calling Code", "Groups"})  # a sheet has few different ones
# A format for texts, as the columns of the blank sheet have.
_STYLES = (
    '<fonts count="1"><font><sz val="11"/></font></fonts>'
    '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="49" applyNumberFormat="1"/></cellXfs>'
)
# openpyxl, by which others read workbooks, goes by what is said here.
_KINDS = "".join(
    f'<Override PartName="/xl/{part}.xml" ContentType="application/vnd.openxmlformats-officedocument.{kind}+xml"/>'
    for part, kind in (
        ("workbook", "spreadsheetml.sheet.main"),
        ("worksheets/sheet1", "spreadsheetml.worksheet"),
        ("sharedStrings", "spreadsheetml.sharedStrings"),
        ("styles", "spreadsheetml.styles"),
    )
)
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="application/xml"/>{_KINDS}</Types>'
)
_MARK = "<!-- rows -->"


def sheet(form: str, rows: int, quality: Quality, cache: Path) -> Path:
    """Returns a sheet of so many users, made by a process of its own where it is not there yet.

    Args:
        form: `csv`, `xlsx`, `ods`.
        rows: how many users.
        quality: how many of them are bad.
        cache: where sheets are kept.
    """
    path = cache.resolve() / _version() / f"{rows}-{quality.name.lower()}.{form}"
    if not path.parent.exists():
        for outdated in path.parent.parent.glob("sheets-*"):
            shutil.rmtree(outdated)
        path.parent.mkdir(parents=True)
    if not path.exists():
        # Elsewhere, since what a process once held counts as the peak of those that it starts.
        command = [sys.executable, "-m", "speed.sheets", str(path), str(rows), quality.name]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": search_path()})  # noqa: S603 -- ourselves
    return path


def search_path() -> str:
    """Returns where Python finds `speed` and `support`, for PYTHONPATH."""
    root = Path(__file__).parents[2]
    return os.pathsep.join((str(root / "benchmarks"), str(root / "tests")))


def _version() -> str:
    """Names the folder after what makes the sheets, so that none is kept that would be made differently now."""
    sources = b"".join((HERE / name).read_bytes() for name in ("people.py", "sheets.py"))
    return f"sheets-{hashlib.sha256(sources).hexdigest()[:8]}"


def write(path: Path, rows: int, quality: Quality) -> None:
    """Writes a sheet in the format of the file's name; it is there whole or not at all."""
    unfinished = path.with_name(f"{path.stem}.{os.getpid()}.part")
    try:
        WRITERS[path.suffix.removeprefix(".")](unfinished, _lines(rows, quality))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _lines(rows: int, quality: Quality) -> Iterator[tuple[str, ...]]:
    yield HEADINGS
    yield GUIDANCE
    for cells in users(rows, quality):
        yield tuple(cells[heading] for heading in HEADINGS)


def _write_csv(path: Path, lines: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)


def _write_xlsx(path: Path, lines: Iterable[tuple[str, ...]]) -> None:
    parts = workbooks.parts(workbooks.worksheet(_MARK), texts=_MARK, styles=_STYLES)
    parts["[Content_Types].xml"] = _TYPES
    with tempfile.TemporaryFile("w+", encoding="utf-8") as texts:
        shared = _SharedTexts(texts)
        rows = (
            f'<row r="{number}" spans="1:8">{"".join(_xlsx_cells(number, line, shared))}</row>'
            for number, line in enumerate(lines, 1)
        )
        _pack(path, parts, {"xl/worksheets/sheet1.xml": rows, "xl/sharedStrings.xml": shared.read()})


def _xlsx_cells(number: int, line: tuple[str, ...], shared: _SharedTexts) -> Iterator[str]:
    for letter, heading, text in zip("ABCDEFGH", HEADINGS, line, strict=True):
        if text:
            yield f'<c r="{letter}{number}" s="1" t="s"><v>{shared.place_of(text, repeats=heading in _DRAWN)}</v></c>'


class _SharedTexts:
    """The texts of a workbook, in a file until the worksheet is written."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._places, self._count = file, dict[str, int](), 0

    def place_of(self, text: str, *, repeats: bool) -> int:
        if repeats and text in self._places:
            return self._places[text]
        place, self._count = self._count, self._count + 1
        if repeats:
            self._places[text] = place
        self._file.write(f"<si><t>{escape(text, quote=False)}</t></si>\n")
        return place

    def read(self) -> Iterator[str]:
        self._file.seek(0)
        for line in self._file:
            yield line.rstrip("\n")


def _write_ods(path: Path, lines: Iterable[tuple[str, ...]]) -> None:
    rows = (
        f'<table:table-row table:style-name="ro1">{"".join(map(_ods_cell, line))}</table:table-row>' for line in lines
    )
    _pack(path, documents.parts(documents.table(_MARK)), {"content.xml": rows})


def _ods_cell(text: str) -> str:
    if not text:
        return "<table:table-cell/>"
    kind = 'office:value-type="string" calcext:value-type="string"'
    return f"<table:table-cell {kind}><text:p>{escape(text, quote=False)}</text:p></table:table-cell>"


def _pack(path: Path, parts: Mapping[str, str], streams: Mapping[str, Iterable[str]]) -> None:
    """Writes a package; into some parts goes a stream, in the place of the mark."""
    with zipfile.ZipFile(path, "w") as package:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            with package.open(entry, "w", force_zip64=True) as part:
                head, _, tail = text.partition(_MARK)
                part.write(head.encode())
                for piece in streams.get(name, ()):
                    part.write(piece.encode())
                part.write(tail.encode())


WRITERS: Mapping[str, Callable[[Path, Iterable[tuple[str, ...]]], None]] = MappingProxyType(
    {"csv": _write_csv, "xlsx": _write_xlsx, "ods": _write_ods}
)
"""What writes the lines of a sheet, by the name of the format."""


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), Quality[sys.argv[3]])
