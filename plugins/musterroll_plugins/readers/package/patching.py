"""Copies an XML document as a stream and changes some of it on the way: every other byte stays what it was.

What is put in is ASCII, so it is right in every encoding that a part can have but UTF-16, which is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import IO

from musterroll import gettext
from musterroll_plugins.readers import looks as _looks
from musterroll_plugins.readers.package import xml as _xml
from musterroll_plugins.readers.package.xml import DamagedError, XmlHandler

_START_TAG = re.compile(rb"<[^\s/>\"']+(?:\"[^\"]*\"|'[^']*'|[^\"'>])*>")
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")


def xml_text(text: str) -> str:
    """The text as it stands between tags or in quotation marks, in ASCII."""
    held = escape(_looks.without_unholdable(text))
    return held.replace("\r", "&#13;").encode("ascii", "xmlcharrefreplace").decode()


class Patcher(XmlHandler):
    """Copies a document; a subclass changes it in `opened` and `closed`, from the beginning to the end.

    Args:
        write: takes the bytes.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        super().__init__()
        self.parser.CharacterDataHandler = None  # few need texts
        self._write = write
        self._buffer, self._offset = b"", 0  # what is not written yet, and where it begins
        self.held: int | None = None  # from here on nothing is written, as it may still be replaced

    def copy(self, stream: IO[bytes]) -> None:
        """Copies a stream to its end.

        Raises:
            DamagedError: the XML is of no sane shape, or in an encoding that cannot be edited.
            expat.ExpatError: it is not well-formed.
        """
        while data := stream.read(_xml.PIECE):
            if not self.fed and data.startswith(_WIDE):
                raise DamagedError(gettext("a part of it is in UTF-16, which cannot be edited"))
            self._buffer += data
            for _ in self.parse(data):
                pass
            self._flush(min(self.parser.CurrentByteIndex, self._offset + len(self._buffer)))
        self.parser.Parse(b"", True)
        self.held = None
        self._flush(self._offset + len(self._buffer))

    def _flush(self, end: int) -> None:
        if self.held is not None:
            end = min(end, self.held)
        if end > self._offset:
            self._write(self._buffer[: end - self._offset])
            self._buffer, self._offset = self._buffer[end - self._offset :], end

    @property
    def place(self) -> int:
        """Where the tag is that is just heard of."""
        return self.parser.CurrentByteIndex

    def start_tag(self, start: int) -> bytes:
        """The start tag at a place that was not written yet."""
        found = _START_TAG.match(self._buffer, start - self._offset)
        if found is None:
            raise DamagedError(gettext("a part of it cannot be edited"))
        return found[0]

    def end_of(self, start: int) -> int:
        """Where the element ends that began at a place, and whose end is just heard of."""
        tag = self.start_tag(start)
        if tag.endswith(b"/>"):
            return start + len(tag)
        return self._offset + self._buffer.index(b">", self.place - self._offset) + 1

    def raw(self, start: int, end: int) -> bytes:
        """What stands between two places that were not written yet."""
        return self._buffer[start - self._offset : end - self._offset]

    def replace(self, start: int, end: int, new: str) -> None:
        """Puts something else in the place of what stands there; nothing before it can be changed any more."""
        self.held = None
        self._flush(start)
        self._write(new.encode("ascii", "xmlcharrefreplace"))
        self._buffer, self._offset = self._buffer[end - self._offset :], end


def with_attributes(tag: bytes, **values: str | None) -> str:
    """Returns a start tag with other attributes; None takes one away. The underscore stands for a colon."""
    text = tag.decode("utf-8")
    closing = "/>" if text.endswith("/>") else ">"
    text = text.removesuffix(closing).rstrip()
    for key, value in values.items():
        name = key.replace("__", "-").replace("_", ":")
        text = re.sub(rf"\s+{re.escape(name)}\s*=\s*(?:\"[^\"]*\"|'[^']*')", "", text)
        if value is not None:
            text += f' {name}="{xml_text(value)}"'
    return text + closing
