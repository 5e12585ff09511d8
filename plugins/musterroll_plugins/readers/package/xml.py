"""Reads XML as a stream, in bounded memory, whatever the bytes are."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import IO
from xml.parsers import expat

from musterroll import ErrorCell, gettext

Attributes = dict[str, str]

TEXT_LIMIT = 1 << 20  # characters in one text; Excel's own limit is 32,767
ROW_LIMIT = 1 << 26  # bytes of memory for the texts that stand in the cells of one row
DEPTH_LIMIT = 64
MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
TRUTHS = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
_TOKEN_LIMIT = 1 << 20  # bytes of one tag or comment
# Bytes that are unpacked at once. What is made of more does not fit into caches, and is fetched from the system and
# given back again and again.
READ = 1 << 17
# Small, because a piece's rows wait together: 16 kB can be 600 rows, each up to 16,384 cells wide.
PIECE = 1 << 14
_LONG = 18  # digits: more than programs hold
_MOST_SHOWN = 100  # characters of what cannot be read
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?", re.ASCII | re.IGNORECASE)


class DamagedError(Exception):
    """The bytes are not what they should be; the text goes into the message for the person."""


def count(stream: IO[bytes], part: bytes, *, most: int) -> int:
    """Counts how often a part of a tag stands in a document without parsing it, which takes a tenth of the time.

    Texts and comments count as well, and in UTF-16 nothing is found.

    Args:
        stream: the document.
        part: what is counted.
        most: where to stop counting.
    """
    found, rest, less = 0, b"", len(part) - 1
    while found < most and (piece := stream.read(READ)):
        found += (rest + piece[:less]).count(part) + piece.count(part)
        rest = (rest + piece[-less:])[-less:]  # one may lie across two pieces
    return found


class Names(dict[str, str]):
    """Maps tags to their local names, so that prefixes and both generations of namespaces read alike."""

    def __missing__(self, tag: str) -> str:
        name = tag.rpartition(":")[2]
        if len(self) < 10_000:
            self[tag] = name
        return name


class XmlHandler:
    """The base of what listens to a document; bounds its depth, the length of its texts and its tokens.

    A subclass overrides `opened` and `closed`, which get local names. `parts` collects the text since it was
    last cleared; somebody must clear it now and then. `fed` is how many bytes the parser got. `start` and `end` are
    what the parser calls: they are for subclasses that cannot afford a second call for every tag.
    """

    def __init__(self) -> None:
        self.names = Names()
        self.parts: list[str] = []
        self.depth = self.fed = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.parts.append
        self.parser.StartDoctypeDeclHandler = _refuse_doctype

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""

    def closed(self, name: str) -> None:
        """Hears of an end tag."""

    def feed(self, stream: IO[bytes]) -> Iterator[None]:
        """Parses a stream; yields after each piece.

        Raises:
            DamagedError: the XML is of no sane shape.
            expat.ExpatError: it is not well-formed.
        """
        while data := stream.read(READ):
            yield from self.parse(data)
        self.parser.Parse(b"", True)

    def parse(self, data: bytes) -> Iterator[None]:
        """Parses what comes next in a stream; yields after each piece.

        Raises:
            DamagedError: the XML is of no sane shape.
            expat.ExpatError: it is not well-formed.
        """
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            self.parser.Parse(piece, False)
            self.fed += len(piece)
            if self.fed - self.parser.CurrentByteIndex > _TOKEN_LIMIT or len(self.parts) > TEXT_LIMIT // 4096:
                raise DamagedError(gettext("a part of it is longer than it can be"))
            yield

    def read(self, stream: IO[bytes]) -> None:
        """Parses a stream to its end."""
        for _ in self.feed(stream):
            pass

    def text(self) -> str:
        """The text that was collected."""
        return self.parts[0] if len(self.parts) == 1 else "".join(self.parts)

    def start(self, tag: str, attributes: Attributes) -> None:
        """Hears of a start tag first."""
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise too_deep()
        self.opened(self.names[tag], attributes)

    def end(self, tag: str) -> None:
        """Hears of an end tag first."""
        self.depth -= 1
        self.closed(self.names[tag])


class ElementHandler(XmlHandler):
    """Hands every start tag to a function: enough for parts that hold everything in attributes."""

    def __init__(self, opened: Callable[[str, Attributes], None]) -> None:
        super().__init__()
        self._opened = opened

    def opened(self, name: str, attributes: Attributes) -> None:
        """Hears of a start tag."""
        self.parts.clear()
        self._opened(name, attributes)


def _refuse_doctype(*_: object) -> None:
    raise DamagedError(gettext("it declares a document type, which no spreadsheet program writes"))


def too_deep() -> DamagedError:
    """What is wrong where `DEPTH_LIMIT` is exceeded."""
    return DamagedError(gettext("its parts are nested too deeply"))


def unreadable(text: str, reason: str) -> ErrorCell:
    """The cell for what a file holds where nothing can be made of it.

    Args:
        text: what it holds.
        reason: why it cannot be read; must not repeat it, since it may be a password.
    """
    return ErrorCell(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…", reason)


def memory_of(text: str) -> int:
    """The bytes that a text in a list takes: one wide character makes all of them wide."""
    return sys.getsizeof(text) + 8


def memory_of_all(texts: Sequence[str]) -> int:
    """The bytes that texts in a list take."""
    return sum(map(str.__sizeof__, texts)) + 8 * len(texts)


def number_of(text: str) -> int | float | None:
    """Reads a number; None where none stands there. A long integer is read as programs hold it: 15 or so digits."""
    if len(text) < _LONG and text.isdecimal() and text.isascii():
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else None


def numbers_of(texts: Sequence[str | None]) -> list[int | float | None]:
    """Reads numbers like `number_of`, and None for None. Much quicker where all are whole and of a usual length."""
    digits = "".join(filter(None, texts))
    if digits.isdecimal() and digits.isascii() and "" not in texts and len(max(filter(None, texts), key=len)) < _LONG:
        return [None if text is None else int(text) for text in texts]
    return [None if text is None else number_of(text) for text in texts]


def truth(value: str | None) -> bool:
    """Reads an attribute that is a truth value."""
    return value in {"1", "true", "on"}
