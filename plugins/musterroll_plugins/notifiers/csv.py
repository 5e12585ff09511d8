"""The notifier `csv`: lists who is to be invited, for people who write to them with a tool of their own."""

from __future__ import annotations

import csv
import io
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo, model_validator

from musterroll import (
    Component,
    Context,
    FilePath,
    Message,
    NotifierError,
    NotifierType,
    Options,
    Purpose,
    Recipient,
    Sent,
    SentStatus,
    Surroundings,
    Template,
    did_you_mean,
    hookimpl,
)
from musterroll_plugins.notifiers import _texts
from musterroll_plugins.notifiers._places import writable_folder
from musterroll_plugins.notifiers._reach import Needs, reaches

_ID = "message"
_FORMULA = frozenset("=+-@")
# A username with an apostrophe before it is another one.
_NEVER_CHANGED = ("username", "email")
_ENCODING = "utf-8-sig"  # with the mark at the beginning by which Excel knows it
_BINARY: int = getattr(os, "O_BINARY", 0)  # Windows would write each line end twice


def _path(path: Path) -> Path:
    _texts.checked(path.name, ("job",))
    return path


def _delimiter(text: str) -> str:
    if text.lower() == "tab":
        return "\t"
    if len(text) != 1 or not text.isascii() or not text.isprintable() or text.isalnum() or text == '"':
        raise ValueError('must be one character, as ";", or "tab"')
    return text


class CsvOptions(Options):
    """Options of the notifier `csv`.

    Attributes:
        path: the file; `{job}` in its name makes one for each job. One that is there already grows.
        columns: fields of users, and `username`, `phone_number` (calling code and phone together, in digits),
            `pipeline`, `job`, `valid_days`, `expires`. A last column, `message`, is added: by it nobody is listed
            twice.
        delimiter: the character between cells, or "tab".
        formulas: what becomes of a value that a spreadsheet program would take for a formula: it gets an apostrophe
            before it (`guard`), or is written as it is (`keep`).
        needs: whom it reaches: users with an address (`email`), with a phone number (`phone`), with either (`any`), or
            everybody (`nothing`).
        channel: what lists of invites call this way.
    """

    path: Annotated[FilePath, AfterValidator(_path)] = Path("invites/{job}.csv")
    columns: tuple[str, ...] = ("username", "email", "phone_number", "forename", "surname", "expires")
    delimiter: Annotated[str, AfterValidator(_delimiter)] = ","
    formulas: Literal["guard", "keep"] = "guard"
    needs: Needs = "email"
    channel: str = "csv"

    @model_validator(mode="after")
    def _as_a_whole(self, info: ValidationInfo) -> CsvOptions:
        if _ID in self.columns:
            raise ValueError(f'columns: leave out "{_ID}"; it is added as the last one')
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("columns: one of them is there twice")
        around = info.context
        if isinstance(around, Surroundings):
            if Purpose.FINISHED in around.on:
                raise ValueError('this notifier lists invites only; take "finished" out of on')
            # The default may name columns that this customer's sheet does not have: they stay empty.
            if around.fields is not None and "columns" in self.model_fields_set:
                _check_columns(self.columns, _texts.known_names(Purpose.INVITE, around.fields))
        return self


def _check_columns(columns: Sequence[str], known: Sequence[str]) -> None:
    for name in columns:
        if name not in known:
            raise ValueError(
                f'columns: there is no "{name}"' + (did_you_mean(name, known) or f"; there are {', '.join(known)}")
            )


class Csv:
    """Adds a row for each message. Files are open for one row only, so that a person can move them away any time."""

    def __init__(self, options: CsvOptions, context: Context) -> None:
        self.channel = options.channel
        self._options = options
        self._read_only = context.read_only
        self._files: dict[Path, _File] = {}

    def examine(self) -> str:
        """Says where the rows are written.

        Raises:
            NotifierError: nothing can be written there.
        """
        writable_folder(self._options.path.parent)
        return f"writes {self._options.path}"

    def can_reach(self, user: Recipient) -> bool:
        """As the option `needs` says."""
        return reaches(self._options.needs, user)

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """Writes row by row. A message that is in the file already is sent.

        Raises:
            NotifierError: the file cannot be written.
        """
        if self._read_only:
            raise NotifierError("the notifier was opened for reading only")
        return self._send(messages)

    def close(self) -> None:
        """Has nothing to close."""

    def _send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        for message in messages:
            if message.recipient is None:
                yield Sent(message.id, SentStatus.FAILED, "this notifier lists invites only")
                continue
            values = _texts.values_of(message)
            reason = self._reason_against(values)
            if reason is not None:
                yield Sent(message.id, SentStatus.FAILED, reason)
                continue
            try:
                self._file(values).add(message.id, [self._cell(values.get(name, "")) for name in self._options.columns])
            except NotifierError as error:  # no other row will go in either
                yield Sent(message.id, SentStatus.FAILED, error.message)
                raise
            yield Sent(message.id, SentStatus.SENT)

    def _file(self, values: Mapping[str, str]) -> _File:
        path = self._options.path
        path = path.with_name(Template(path.name).fill({"job": values.get("job", "")}))
        if path not in self._files:
            self._files[path] = _File(path, (*self._options.columns, _ID), self._options.delimiter)
        return self._files[path]

    def _reason_against(self, values: Mapping[str, str]) -> str | None:
        if self._options.formulas == "guard":
            for name in _NEVER_CHANGED:
                if name in self._options.columns and _is_formula(text := values.get(name, "")):
                    return (
                        f'the {name} begins with "{text[0]}", which spreadsheet programs take for a formula; '
                        'set formulas = "keep" if the file is for another program'
                    )
        return None

    def _cell(self, text: str) -> str:
        return f"'{text}" if self._options.formulas == "guard" and _is_formula(text) else text


class _File:
    """One file: a row a message.

    Args:
        path: where it is, or will be.
        columns: its headings; the last one is that of the message's id.
        delimiter: between cells.
    """

    def __init__(self, path: Path, columns: Sequence[str], delimiter: str) -> None:
        self._path, self._columns, self._delimiter = path, list(columns), delimiter
        self._written: set[str] | None = None

    def add(self, message_id: str, cells: Sequence[str]) -> None:
        """Adds a row, and sees to it that it outlives a power cut.

        Raises:
            NotifierError: the file cannot be written, or is another one.
        """
        try:
            if self._written is None:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._written = self._look_through()
            if message_id not in self._written:
                self._append(self._row([*cells, message_id]))
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise NotifierError(
                f"{self._path} cannot be written: {why}; see whether it is open in another program"
            ) from None
        self._written.add(message_id)

    def _look_through(self) -> set[str]:
        """Returns what is there already. Half a row, of a power cut, is taken out: nobody was told that it was sent."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return set()
        try:
            rows = list(csv.reader(io.StringIO(content.decode(_ENCODING), newline=""), delimiter=self._delimiter))
        except (UnicodeDecodeError, csv.Error):
            rows = [[]]
        if rows and rows[0] != self._columns:
            raise NotifierError(
                f"{self._path} is there already, and has other columns than {self._delimiter.join(self._columns)}; "
                "move it away, or name another path"
            )
        if rows and not content.endswith(b"\n"):
            if len(rows[-1]) == len(self._columns) and rows[-1][-1] and content.rstrip().endswith(b'"'):
                self._append(b"\n" if content.endswith(b"\r") else b"\r\n")  # some editor took the end away
            else:
                os.truncate(self._path, content.rfind(b"\n") + 1)
                del rows[-1]
        return {row[-1] for row in rows if len(row) == len(self._columns)}

    def _row(self, cells: Sequence[str]) -> bytes:
        text = io.StringIO(newline="")
        # All in quotes, so that half of the last cell is told from the whole.
        csv.writer(text, delimiter=self._delimiter, quoting=csv.QUOTE_ALL).writerow(cells)
        return text.getvalue().encode()

    def _append(self, content: bytes) -> None:
        file = os.open(self._path, os.O_CREAT | os.O_WRONLY | _BINARY, 0o600)
        try:
            size = os.lseek(file, 0, os.SEEK_END)
            left = content if size else "\ufeff".encode() + self._row(self._columns) + content
            try:
                while left:
                    left = left[os.write(file, left) :]
                os.fsync(file)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(file, size)
                raise
        finally:
            os.close(file)


def _is_formula(text: str) -> bool:
    # Some programs take the wide forms of East Asian keyboards as well.
    return unicodedata.normalize("NFKC", text[:1]) in _FORMULA


@hookimpl
def musterroll_notifiers() -> Iterator[Component]:
    """Announces the notifier."""
    yield NotifierType(
        name="csv",
        summary="Lists who is to be invited in a csv file, for mail merge",
        options=CsvOptions,
        build=Csv,
    )
