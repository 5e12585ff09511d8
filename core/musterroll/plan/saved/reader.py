"""Reads a saved plan, after making sure that it is as it was saved."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import dropwhile, takewhile
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from pydantic import TypeAdapter, ValidationError

from musterroll.contract.translation import gettext
from musterroll.contract.users import GroupPath
from musterroll.errors import PlanFileError
from musterroll.journal.change import Change
from musterroll.plan.saved.header import SCHEMA, PlanHeader
from musterroll.reports.records import change_of
from musterroll.written.new_file import begins_with

_BEGINNING = b'{"schema": "musterroll-plan/'
_FIRST_LINE = f'{{"schema": "{SCHEMA}",\n'.encode()
_LAST_LINE = re.compile(rb' "digest": "sha256:([0-9a-f]{64})"\}\n')
_LENGTH_OF_LAST_LINE = len(' "digest": "sha256:"}\n') + 64
_HEADER = TypeAdapter(PlanHeader)


def is_saved_plan(path: Path) -> bool:
    """Whether a file begins as saved plans of any version do, whatever became of the rest of it."""
    return begins_with(path, _BEGINNING)


class SavedPlan:
    """A saved plan, open for reading. Close it, or use it in a `with` statement; read one part at a time.

    Args:
        path: the file.

    Raises:
        PlanFileError: it is no plan, or not as it was saved.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except (OSError, ValueError) as error:
            if isinstance(error, FileNotFoundError):
                raise PlanFileError(gettext("{path} does not exist", path=path), code="plan.not_found") from None
            reason = "it is a folder" if path.is_dir() else getattr(error, "strerror", None) or str(error)
            raise PlanFileError(gettext("{path} cannot be read: {reason}", path=path, reason=reason)) from None
        try:
            with self._readable():
                self._verify()
                self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def changes(self) -> Iterator[Change]:
        """Streams what happens to every row."""
        with self._readable():
            yield from map(change_of, self._elements("changes"))

    def existing_groups(self) -> Iterator[tuple[GroupPath, str]]:
        """Streams path and id of the existing groups that the plan touches, by path."""
        with self._readable():
            for group in self._elements("groups"):
                yield tuple(map(str, group["path"])), group["ref"]

    def groups_to_create(self) -> tuple[GroupPath, ...]:
        """Returns the groups that the plan creates, parents first."""
        with self._readable():
            return tuple(tuple(map(str, path)) for path in self._elements("groups_to_create"))

    def _verify(self) -> None:
        """Makes sure that the file is a whole plan, byte by byte as it was saved."""
        first = self._file.readline(2 * len(_FIRST_LINE))
        if not first.startswith(_BEGINNING):
            raise PlanFileError(gettext("{path} is no plan that `musterroll plan -o` saved", path=self.path))
        if first != _FIRST_LINE and first.endswith(b"\n"):
            raise PlanFileError(
                gettext("{path} was saved by another version of musterroll; make the plan again", path=self.path),
                code="plan.version",
            )
        length = self._file.seek(0, 2) - _LENGTH_OF_LAST_LINE
        self._file.seek(max(length, 0))
        last = _LAST_LINE.fullmatch(self._file.read())
        if last is None:
            raise self._damaged(gettext("it is cut off, or was edited"))
        digest = hashlib.sha256()
        self._file.seek(0)
        while length > 0 and (block := self._file.read(min(length, 1 << 16))):
            digest.update(block)
            length -= len(block)
        if digest.hexdigest() != last.group(1).decode():
            raise self._damaged(gettext("it was edited or damaged"))

    def _read_header(self) -> PlanHeader:
        self._file.seek(len(_FIRST_LINE))
        members = b"".join(takewhile(lambda line: line != _line_of("problems"), self._file))
        return _HEADER.validate_json(b"{" + members.rstrip().removesuffix(b",") + b"}")

    def _elements(self, member: str) -> Iterator[Any]:
        """Streams the elements of an array; the writer puts each on a line of its own."""
        self._file.seek(0)
        elements = dropwhile(lambda line: line != _line_of(member), self._file)
        next(elements, None)
        for line in takewhile(lambda line: not line.startswith(b" ]"), elements):
            yield json.loads(line.rstrip().removesuffix(b","))

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PlanFileError(
                gettext("{path} cannot be read: {error}", path=self.path, error=error.strerror or error)
            ) from None
        except (ValidationError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # Its digest is right, and still it is none: somebody made it by hand.
            raise self._damaged(gettext("it was edited")) from None

    def _damaged(self, what: str) -> PlanFileError:
        return PlanFileError(
            gettext(
                "{path} is not as it was saved: {what}. Plans are not edited; make a new one", path=self.path, what=what
            ),
            code="plan.damaged",
        )


def _line_of(member: str) -> bytes:
    """The line that an array begins with."""
    return f' "{member}": [\n'.encode()
