"""Where the keys of a TOML text stand, for messages. tomllib does not say.

The text is one that tomllib has read, or that it could not read; then what stands before the fault is found.
"""

from __future__ import annotations

import re
import tomllib
from itertools import count
from typing import NamedTuple

from musterroll.pipeline.origins import KeyPath

_SPACE = re.compile(r"[ \t]*")
_NOTHING = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_STRING = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''',
    re.DOTALL,
)
_SCALAR = re.compile(r"[^\s,\]}#]+(?: \d\d:[^\s,\]}#]+)?")  # dates may have a space in them


class Position(NamedTuple):
    """Where a key or an element stands: indexes into the text.

    Attributes:
        start: of the key, or of the value where it has none.
        value: of the value; that of a table's head is its first bracket.
        end: behind the value.
    """

    start: int
    value: int
    end: int


class _UnreadableError(Exception):
    """This is no TOML."""


class Positions:
    """The keys of a text: their paths, with indexes for elements of arrays.

    Attributes:
        found: the position of each.
        open_at: where a bracket stands that is never closed; None where there is none.
        repeated: where a key stands that stood there before, and where that was; None where there is none.
    """

    def __init__(self, text: str) -> None:
        self.found: dict[KeyPath, Position] = {}
        self.open_at: int | None = None
        self.repeated: tuple[int, int] | None = None
        self._text = text
        self._said: dict[KeyPath, int] = {}  # without the tables that are only parts of longer names
        self._lengths: dict[KeyPath, int] = {}  # of arrays of tables
        self._brackets: list[int] = []
        try:
            self._read()
        except (_UnreadableError, RecursionError, tomllib.TOMLDecodeError):
            self.open_at = self._brackets[-1] if self._brackets else None

    def _read(self) -> None:
        table: KeyPath = ()
        at = self._skip(0, _NOTHING)
        while at < len(self._text):
            if self._text[at] == "[":
                table, at = self._head(at)
            else:
                at = self._pair(at, table)
            at = self._skip(at, _NOTHING)

    def _head(self, at: int) -> tuple[KeyPath, int]:
        is_array = self._text.startswith("[[", at)
        keys, end = self._keys(self._skip(at + 1 + is_array, _SPACE))
        end = self._expect("]" * (1 + is_array), self._skip(end, _SPACE))
        path: KeyPath = ()
        for number, key in enumerate(keys):
            path = (*path, key)
            self.found.setdefault(path, Position(at, at, end))
            if is_array and number == len(keys) - 1:
                self._lengths[path] = self._lengths.get(path, 0) + 1
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        self._note(path, Position(at, at, end))
        return path, end

    def _note(self, path: KeyPath, position: Position) -> None:
        first = self._said.setdefault(path, position.start)
        if first != position.start and self.repeated is None:
            self.repeated = position.start, first
        self.found.setdefault(path, position)

    def _pair(self, at: int, table: KeyPath) -> int:
        keys, end = self._keys(at)
        value = self._skip(self._expect("=", self._skip(end, _SPACE)), _SPACE)
        path: KeyPath = (*table, *keys)
        end = self._value(value, path)
        self._note(path, Position(at, value, end))
        for length in range(len(table) + 1, len(path)):
            self.found.setdefault(path[:length], Position(at, value, end))
        return end

    def _value(self, at: int, path: KeyPath) -> int:
        opening = self._text[at : at + 1]
        if opening in ("[", "{"):
            self._brackets.append(at)
            end = self._array(at + 1, path) if opening == "[" else self._inline(at + 1, path)
            self._brackets.pop()
            return end
        found = _STRING.match(self._text, at) if opening in ("'", '"') else _SCALAR.match(self._text, at)
        if found is None:
            raise _UnreadableError
        return found.end()

    def _array(self, at: int, path: KeyPath) -> int:
        for number in count():
            at = self._skip(at, _NOTHING)
            if self._text.startswith("]", at):
                break
            start, at = at, self._value(at, (*path, number))
            self.found.setdefault((*path, number), Position(start, start, at))
            at = self._skip(at, _NOTHING)
            if not self._text.startswith(",", at):
                break
            at += 1
        return self._expect("]", at)

    def _inline(self, at: int, path: KeyPath) -> int:
        while True:
            at = self._skip(at, _NOTHING)
            if self._text.startswith("}", at):
                break
            at = self._skip(self._pair(at, path), _NOTHING)
            if not self._text.startswith(",", at):
                break
            at += 1
        return self._expect("}", at)

    def _keys(self, at: int) -> tuple[list[str], int]:
        keys = []
        while found := _KEY.match(self._text, at):
            word, at = found.group(), found.end()
            keys.append(next(iter(tomllib.loads(f"{word} = 0"))))
            dot = _DOT.match(self._text, at)
            if dot is None:
                return keys, at
            at = dot.end()
        raise _UnreadableError

    def _skip(self, at: int, what: re.Pattern[str]) -> int:
        found = what.match(self._text, at)
        return found.end() if found else at

    def _expect(self, what: str, at: int) -> int:
        if not self._text.startswith(what, at):
            raise _UnreadableError
        return at + len(what)
