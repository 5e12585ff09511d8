"""Exactly one JSON document, written while its contents are still being found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from musterroll.commands import documents
from musterroll.errors import MusterrollError

# Inside strings only: the rest of a document is ASCII. These would command or disorder a terminal, or cannot
# be encoded; JSON reads the escape as the same character.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


class Document:
    """One JSON object, written member by member. Whatever happens, `finish` leaves a complete document.

    Args:
        write: takes the text, piece by piece.
        command: the command, e.g. `jobs list`; None where the command line names none.
        members: the command's members, of `engine.MEMBERS`: those that are never added are written as they are there.
        pipeline: the pipeline's name, as far as it is known.
        profile: likewise.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        command: str | None,
        members: Mapping[str, Any],
        *,
        pipeline: str | None = None,
        profile: str | None = None,
    ) -> None:
        self._write = write
        self._missing = dict(members)
        self.is_finished = False
        self._separator = "{"
        self.add(documents.opening(command, pipeline=pipeline, profile=profile))

    def add(self, members: Mapping[str, Any]) -> None:
        """Writes members. An iterator is streamed as an array, one element a line, at any depth."""
        for name, value in members.items():
            self._missing.pop(name, None)
            self._write(f"{self._separator}{_encoded(name)}: ")
            self._separator = ",\n "
            self._value(value)

    def finish(self, status: str, error: MusterrollError | None) -> None:
        """Writes what is missing, and closes the document."""
        self.add(dict(self._missing))
        self.add(documents.closing(status, error))
        self._write("}\n")
        self.is_finished = True

    def _value(self, value: Any) -> None:
        if isinstance(value, Iterator):
            self._array(value)
        elif isinstance(value, Mapping) and any(isinstance(part, Iterator) for part in value.values()):
            self._object(value)
        else:
            self._write(_encoded(value))

    def _array(self, elements: Iterator[Any]) -> None:
        self._write("[")
        separator = "\n  "
        try:
            for element in elements:
                self._write(separator + _encoded(element))
                separator = ",\n  "
        finally:  # a stream that breaks still leaves an array
            self._write("]")

    def _object(self, members: Mapping[str, Any]) -> None:
        self._write("{")
        try:
            for number, (key, value) in enumerate(members.items()):
                self._write(f"{', ' if number else ''}{_encoded(key)}: ")
                self._value(value)
        finally:
            self._write("}")


def _encoded(value: Any) -> str:
    # `default`: TOML has dates; a secret prints as its mask.
    try:
        text = json.dumps(value, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:  # TOML has nan and inf, JSON has not
        text = json.dumps(json.loads(json.dumps(value, default=str), parse_constant=str), ensure_ascii=False)
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
