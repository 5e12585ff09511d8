"""The notes at cells: their texts in one part, and in another one the boxes that show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

from musterroll import CellEdit, column_letter
from musterroll_plugins.readers import looks as _looks
from musterroll_plugins.readers.package.patching import Patcher, xml_text
from musterroll_plugins.readers.package.xml import Attributes

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SHAPE = re.compile(rb"<v:shape\b.*?</v:shape>", re.DOTALL)
_PLACE = re.compile(rb"<x:(Row|Column)>\s*(\d+)\s*</x:\1>")
_NOTE = b'ObjectType="Note"'
_OURS = re.compile(rf"(?:\A\s*|\n){re.escape(_looks.NOTE)}")
_Runs = list[tuple[str, bool]]
_SHAPES_HEAD = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/>'
    '</o:shapelayout><v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" '
    'path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>'
    '<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_FIRST_ID = 5000  # above those that a program numbers from 1025 on


class Notes:
    """The notes of a worksheet: those that a person made stay.

    Args:
        data: the part with their texts; None where there is none.
        drops_earlier: whether those of an earlier annotated copy go.
    """

    def __init__(self, data: bytes | None, *, drops_earlier: bool) -> None:
        self._found = _Comments()
        if data is not None:
            self._found.copy(BytesIO(data))
        if drops_earlier:
            kept = ((ref, author, _without_ours(runs)) for ref, (author, runs) in self._found.comments.items())
            self._found.comments = {ref: (author, runs) for ref, author, runs in kept if runs}

    def write_texts(self, edits: Iterable[CellEdit], target: BinaryIO) -> None:
        """Writes the part with the texts."""
        authors, stay = self._found.authors, dict(self._found.comments)
        by = len(authors)
        names = "".join(f"<author>{xml_text(name)}</author>" for name in (*authors, _looks.NOTES_BY))
        head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        target.write(f'{head}<comments xmlns="{_MAIN}"><authors>{names}</authors><commentList>'.encode())
        for edit in edits:
            if edit.note:
                place = f"{column_letter(edit.column)}{edit.row}"
                author, before = stay.pop(place, (by, []))
                gap = "\n" if before else ""
                runs = [*before, (f"{gap}{_looks.NOTE}{edit.note}", False)]
                target.write(_comment(place, author, runs).encode("ascii", "xmlcharrefreplace"))
        for place, (author, runs) in stay.items():
            target.write(_comment(place, author, runs).encode("ascii", "xmlcharrefreplace"))
        target.write(b"</commentList></comments>")

    def write_shapes(self, edits: Iterable[CellEdit], before: bytes | None, target: BinaryIO) -> None:
        """Writes the part with the boxes.

        Args:
            edits: the edits; those with notes get a box.
            before: the part as it was; None where there was none.
            target: takes the bytes.
        """
        have: set[str] = set()
        if before is None or b"</xml>" not in before or b"xmlns:v=" not in before:
            target.write(_SHAPES_HEAD.encode())
        else:
            kept, at = before[: before.rindex(b"</xml>")], 0
            for shape in _SHAPE.finditer(kept):
                target.write(kept[at : shape.start()])
                at = shape.end()
                place = _place_of(shape[0])
                if place is None or place in self._found.comments:
                    target.write(shape[0])
                    have.add(place or "")
            target.write(kept[at:])
        for number, edit in enumerate(_noted(edits), _FIRST_ID):
            if f"{column_letter(edit.column)}{edit.row}" not in have:
                target.write(_shape(edit, number).encode())
        target.write(b"</xml>")


def _noted(edits: Iterable[CellEdit]) -> Iterator[CellEdit]:
    return (edit for edit in edits if edit.note)


def _comment(place: str, author: int, runs: _Runs) -> str:
    text = "".join(
        f'<r>{"<rPr><b/></rPr>" if bold else ""}<t xml:space="preserve">{xml_text(part)}</t></r>' for part, bold in runs
    )
    return f'<comment ref="{place}" authorId="{author}"><text>{text}</text></comment>'


def _without_ours(runs: _Runs) -> _Runs:
    """What a person wrote of a comment; nothing of one that is ours."""
    found = _OURS.search("".join(part for part, _ in runs))
    if found is None:
        return runs
    left, kept = found.start(), _Runs()
    for part, bold in runs:
        if left > 0:
            kept.append((part[:left], bold))
        left -= len(part)
    return kept


def _place_of(shape: bytes) -> str | None:
    """The cell of a box; None where it is something else."""
    found = {name: int(number) for name, number in _PLACE.findall(shape)}
    if _NOTE not in shape or len(found) != len((b"Row", b"Column")):
        return None
    return f"{column_letter(found[b'Column'])}{found[b'Row'] + 1}"


def _shape(edit: CellEdit, number: int) -> str:
    column, row = edit.column, edit.row - 1
    high = 4 + len(edit.note or "") // 40
    anchor = f"{column + 1}, 15, {max(row - 1, 0)}, 10, {column + 5}, 15, {max(row - 1, 0) + high}, 4"
    return (
        f'<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;visibility:hidden" '
        'fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow on="t" color="black" '
        'obscured="t"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto">'
        '<div style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/>'
        f"<x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row>"
        f"<x:Column>{column}</x:Column></x:ClientData></v:shape>"
    )


class _Comments(Patcher):
    """Reads the part with the texts.

    Attributes:
        authors: who made them.
        comments: by the cell: the number of the author, and the text in pieces, which are bold or not.
    """

    def __init__(self) -> None:
        super().__init__(lambda data: None)
        self.parser.CharacterDataHandler = self.parts.append
        self.authors: list[str] = []
        self.comments: dict[str, tuple[int, _Runs]] = {}
        self._ref, self._author = "", 0
        self._runs = _Runs()
        self._in_text = self._in_properties = False

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        self.parts.clear()
        if name == "comment":
            author = attributes.get("authorId", "0")
            self._ref, self._author = attributes.get("ref", ""), int(author) if author.isdecimal() else 0
            self._runs.clear()
            self._bold = False
        elif name == "rPr":
            self._in_properties = True
        elif name == "b" and self._in_properties:
            self._bold = attributes.get("val", "1") not in {"0", "false"}
        elif name == "r":
            self._bold = False

    def closed(self, name: str) -> None:
        """Hears of an end tag."""
        if name == "author":
            self.authors.append(self.text())
        elif name == "t":
            self._runs.append((self.text(), self._bold))
        elif name == "rPr":
            self._in_properties = False
        elif name == "comment":
            self.comments[self._ref] = (self._author, list(self._runs))
        self.parts.clear()
