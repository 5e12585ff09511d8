"""Reads most of a document without parsing it: what a pattern proves to be plain is taken from the text itself.

The parser gets everything else, in order, as if the plain elements were not there. Since each of those is complete
and well-formed, the parser judges the rest as it would judge the whole, and finds the same mistakes. What the quick
way cannot prove it leaves to the parser, and it raises nothing of its own.
"""

from __future__ import annotations

import re
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import IO, Any, TypeAlias, TypeVar
from xml.parsers import expat

from musterroll import Cell, takes_plain_way
from musterroll_plugins.readers.package import xml as _xml
from musterroll_plugins.readers.package.xml import Attributes, XmlHandler

# Text without markup, in a pattern. `text_of` and `texts_of` prove what it has found.
TEXT = r"[^<]*+"
# What stands in a start tag behind its name, up to `>`. `attributes_of` proves it; in an empty element it ends in `/`.
HEAD = r"[^>]*+"
IS_EMPTY, IS_OPEN = r"(?<=/>)", r"(?<!/>)"
_BLANKS = " \t\n"
_SPACE = f"[{_BLANKS}]*+"
# What stands for a character. Every XML has the names; a document's own ones are for the parser.
_ENTITY = re.compile("&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));|&")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
# What XML cannot hold, or not in a text, and the carriage return, which becomes a line feed.
_REFUSED = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|]]>")
_NO_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # whichever way it is written
_STEP, _MOST_COLUMNS = 8, 64  # each takes time in every row, even where it is empty
_LONGEST_HEAD = 500  # characters
_MOST_KNOWN = 2000  # start tags, and contents of cells of one kind, that are remembered

T = TypeVar("T")

# The pieces of a text that a pattern has split. None stands for a group that has no part in its match; where a group
# always has one, its pieces are all texts.
Found: TypeAlias = list[Any]


class SkimmingHandler(XmlHandler):
    """Listens to a document of many like elements, and skips those that are plain.

    Attributes:
        prefix: of the elements' names in this document, with its colon.

    Args:
        tag: the name of such an element, as most programs write it.
    """

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.note_start(tag)
        self._ended_at = -1
        self._is_utf8 = True
        self.parser.XmlDeclHandler = self._declared

    @abstractmethod
    def pattern(self, space: str) -> re.Pattern[str]:
        """What matches one plain element, from its start tag on, and the white space behind it.

        What was found with one pattern may show that another one is better.

        Args:
            space: what matches white space between tags.
        """

    @abstractmethod
    def take(self, found: Found, stride: int) -> None:
        """Takes what the pattern has found. Nothing is done with it before it is accepted.

        Whatever is in it must be proved: start tags by `attributes_of`, texts by `text_of`.

        Args:
            found: what `split` has made of a text: the groups of each match behind what stood in front of it.
            stride: how many pieces stand from one match to the next.

        Raises:
            NotPlainError: some of it is not plain after all, or another pattern is needed.
        """

    @abstractmethod
    def accept(self, start: int, stop: int, size: int) -> bool:
        """Makes some of the elements that were taken part of the result, unless they do not go with those before.

        Args:
            start: the place of the first one among those that were taken.
            stop: that behind the last one.
            size: about how many characters they are.
        """

    @abstractmethod
    def is_settled(self) -> bool:
        """Whether what is open, and what came before, has no bearing on the next element."""

    def note_start(self, tag: str) -> None:
        """Hears how one of the elements is called."""
        self.prefix = tag[: tag.rfind(":") + 1]
        self._end_tag = f"</{tag}>".encode()

    def note_end(self) -> None:
        """Hears that one of the elements has ended."""
        self._ended_at = self.parser.CurrentByteIndex

    def skim(self, stream: IO[bytes]) -> Iterator[None]:
        """Reads a stream like `feed`, quickly where that can be done; yields now and then.

        Raises:
            DamagedError: the XML is of no sane shape.
            expat.ExpatError: it is not well-formed.
        """
        if takes_plain_way():
            yield from self.feed(stream)
            return
        yield from self.parse(stream.read(_xml.PIECE // 4))  # by which it is known how the elements are called
        rest = b""
        while data := stream.read(_xml.READ):
            data, rest = self._divided(rest, data)
            at, end = 0, len(data)
            while at < end:
                if self._is_between():
                    pieces = [memoryview(data)[at:]]
                    del data  # what is this large is not held longer than need be
                    at = end
                    yield from self._skip(pieces)
                else:
                    # A little, so that the parser reaches the first of the elements, and what they refer to is read.
                    stop = self._end_of(data, data.find(self._end_tag, at + _xml.PIECE)) or end
                    yield from self.parse(data[at:stop])
                    at = stop
            if not end or not self._is_between():
                yield from self.parse(rest)
                rest = b""
        yield from self.parse(rest)
        self.parser.Parse(b"", True)

    def _divided(self, rest: bytes, data: bytes) -> tuple[bytes, bytes]:
        """Puts what was read behind what was left, and divides it behind the last element that ends there."""
        end = self._end_of(data, data.rfind(self._end_tag))
        if end:
            return b"".join((rest, memoryview(data)[:end])), data[end:]
        data = rest + data  # the tag may have begun before
        end = self._end_of(data, data.rfind(self._end_tag))
        return data[:end], data[end:]

    def _end_of(self, data: bytes, at: int) -> int:
        return at + len(self._end_tag) if at >= 0 else 0

    def _is_between(self) -> bool:
        """Whether the parser stands right behind the end of an element: in no comment, no text, no other element."""
        return self._ended_at == self.fed - len(self._end_tag) and self._is_utf8 and self.is_settled()

    def _skip(self, pieces: list[memoryview]) -> Iterator[None]:
        """Reads the one piece, which is taken from its list."""
        data = pieces.pop()
        try:
            text = str(data, "utf-8")
            pattern, gaps = self._split(text)
        except (NotPlainError, UnicodeDecodeError):
            yield from self.parse(data.tobytes())
            return
        del data
        start, each = 0, len(text) // len(gaps)
        for stop, gap in enumerate(gaps if "".join(gaps).strip(_BLANKS) else ()):
            if gap.strip(_BLANKS):
                if not self.accept(start, stop, (stop - start) * each):
                    break
                start = stop
                # The white space behind an element is skipped as that behind plain ones is.
                whole = gap.rstrip(_BLANKS)
                yield from self.parse(whole.encode())
                if not self._is_between():
                    yield from self.parse(gap[len(whole) :].encode())
                    break
        else:
            if self.accept(start, len(gaps) - 1, (len(gaps) - 1 - start) * each):
                yield
                return
        rest = next(islice(pattern.finditer(text), start, None), None)
        if rest is not None:
            yield from self.parse(text[rest.start() :].encode())

    def _split(self, text: str) -> tuple[re.Pattern[str], Found]:
        """Finds the plain elements of a text, takes them, and returns what stands between them."""
        space = _SPACE if "\n" in text else ""  # what need not be matched takes no time
        pattern = self.pattern(space)
        while True:
            found = pattern.split(text)
            try:
                self.take(found, pattern.groups + 1)
            except NotPlainError:
                before, pattern = pattern, self.pattern(space)
                if pattern == before:
                    raise
            else:
                return pattern, found[:: pattern.groups + 1]

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        self._is_utf8 = encoding is None or encoding.lower() == "utf-8"


class NotPlainError(Exception):
    """What a pattern has found is for the parser."""


class SoundHeads:
    """Knows of start tags that they are well-formed.

    Args:
        name: the name of the elements.
        known: attributes that stand in front of what is proved.
    """

    def __init__(self, name: str, known: str = "") -> None:
        self._name, self._known = name, known
        self._sound: set[str] = set()

    def prove(self, heads: Iterable[str]) -> set[str]:
        """Proves what stands in start tags, and returns each once.

        Raises:
            NotPlainError: one of them is not well-formed.
        """
        distinct = set(heads)
        for head in distinct - self._sound:
            attributes_of(self._name, self._known + head)
            if len(self._sound) == _MOST_KNOWN:
                self._sound.clear()
            self._sound.add(head)
        return distinct


class Memo(dict[T, Cell]):
    """Remembers what cells were made of what."""

    def __init__(self, make: Callable[[T], Cell]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, content: T) -> Cell:
        cell = self._make(content)
        if len(self) < _MOST_KNOWN:
            self[content] = cell
        return cell


def stepped(width: int) -> int:
    """How many columns a pattern is made for, so that there are only a few patterns; wider rows are for the parser."""
    return min(-(-max(width, 1) // _STEP) * _STEP, _MOST_COLUMNS)


def attributes_of(name: str, head: str) -> Attributes:
    """The attributes in a start tag as the parser reads them.

    Args:
        name: the name of the element.
        head: what stands behind it in the tag, up to `>`.

    Raises:
        NotPlainError: the parser would not read them.
    """
    found: list[tuple[str, Attributes]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda *element: found.append(element)
    try:
        if len(head) > _LONGEST_HEAD:
            raise NotPlainError
        parser.Parse(f"<{name}{head.removesuffix('/')}/>".encode(), True)
    except expat.ExpatError:
        raise NotPlainError from None
    if found[0][0] != name:
        raise NotPlainError
    return found[0][1]


def text_of(raw: str) -> str:
    """The text that the parser makes of what stands between tags or in quotation marks.

    Raises:
        NotPlainError: it would refuse or change it.
    """
    if _REFUSED.search(raw):
        raise NotPlainError
    return _ENTITY.sub(_character, raw) if "&" in raw else raw


def texts_of(raws: Found) -> Found:
    """Many texts, or None for None, like `text_of`."""
    try:
        joined = "".join(raws)
    except TypeError:
        joined = "".join(filter(None, raws))
    # Most are printable, which is known more quickly.
    if ("]" in joined or not joined.isprintable()) and _REFUSED.search(joined):
        raise NotPlainError
    if "&" not in joined:
        return raws
    return [_ENTITY.sub(_character, raw) if raw and "&" in raw else raw for raw in raws]


def _character(found: re.Match[str]) -> str:
    name, decimal, hexadecimal = found.groups()
    if name is not None:
        return _NAMED[name]
    number = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else 0
    if number > sys.maxunicode or _NO_CHARACTER.match(character := chr(number)):
        raise NotPlainError
    return character
