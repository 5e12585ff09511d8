"""Where text goes: plain to files and pipes, styled to terminals. Everything is made visible on its way."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, TextIO, TypeAlias

from musterroll_cli.output.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, RenderableType
    from rich.text import Text

    from musterroll.errors import Mistake


class Styled(NamedTuple):
    """Text with a style of rich's, e.g. `bold red`."""

    text: str
    style: str


Piece: TypeAlias = str | Styled
Pieces: TypeAlias = Piece | tuple[Piece, ...]

_USUAL_LINES = 24
# For terminals and files whose encoding is older than these characters.
_PLAIN = str.maketrans({"→": "->", "…": "..."})


def plain_text(pieces: Pieces) -> str:
    """Returns the text without styles."""
    if isinstance(pieces, str):
        return pieces
    if isinstance(pieces, Styled):
        return pieces.text
    return "".join(plain_text(piece) for piece in pieces)


class OutputError(Exception):
    """Standard output cannot be written any more.

    Attributes:
        cause: why.
    """

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Stream:
    """Standard output or standard error.

    Args:
        file: the open text file; None (closed by the caller's shell) swallows everything.
        vital: whether it matters that something cannot be written.
    """

    def __init__(self, file: TextIO | None, *, vital: bool = True) -> None:
        self.file = file if file is not None else io.StringIO()
        self._vital = vital
        self._ends_empty = True  # nothing yet, or an empty line
        self.is_terminal = file is not None and _is_terminal(file)
        self._is_unicode = (getattr(file, "encoding", None) or "utf-8").lower().startswith("utf")

    @property
    def width(self) -> int | None:
        """How many places a line has; None where that does not matter, as in a file."""
        if self.is_terminal:
            return self.rich.size.width
        return _number_in("COLUMNS")

    @property
    def height(self) -> int | None:
        """How many lines can be seen at once; None where that does not matter, as in a file."""
        if self.is_terminal:
            return self.rich.size.height
        return None if self.width is None else _number_in("LINES") or _USUAL_LINES

    @cached_property
    def rich(self) -> Console:
        """The console of a terminal. With NO_COLOR it styles nothing, where rich would go on with bold and dim text."""
        from rich.console import Console  # noqa: PLC0415 -- only terminals pay for it

        colors: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
        return Console(file=self.file, highlight=False, markup=False, emoji=False, color_system=colors)

    def seen(self, text: str) -> str:
        """Returns the text as it may be written here: visible, and in characters that can be encoded."""
        text = visible(text)
        return text if self._is_unicode else text.translate(_PLAIN)

    def rich_text(self, pieces: Pieces) -> Text:
        """Makes rich's text of pieces. Markup in them means nothing."""
        from rich.text import Text  # noqa: PLC0415 -- only terminals pay for it

        text = Text()
        for piece in (pieces,) if isinstance(pieces, str | Styled) else pieces:
            content, style = piece if isinstance(piece, Styled) else (piece, "")
            text.append(self.seen(content), style or None)
        return text

    def line(self, *pieces: Piece) -> None:
        """Writes one line."""
        if self.is_terminal:
            self.print(self.rich_text(pieces), soft_wrap=True)
        else:
            self.write(self.seen(plain_text(pieces)) + "\n")

    def gap(self) -> None:
        """Writes an empty line between two parts, where the one above has written anything."""
        if not self._ends_empty:
            self.line()
            self._ends_empty = True

    def print(self, what: RenderableType, *, soft_wrap: bool = False) -> None:
        """Shows something of rich's on a terminal."""
        self._ends_empty = False
        self.rich.print(what, soft_wrap=soft_wrap)

    def lines(self, text: str, style: str = "") -> None:
        """Writes a text of several lines."""
        for line in text.splitlines() or [""]:
            self.line(Styled(line, style) if style else line)

    def write(self, text: str) -> None:
        """Writes text that was made visible already, as it is.

        Raises:
            OutputError: it cannot be written, and that matters.
        """
        self._ends_empty = False
        try:
            self.file.write(text)
        except OSError as error:
            if self._vital:
                raise OutputError(error) from error

    @property
    def bytes(self) -> BinaryIO:
        """What takes bytes as they are."""
        return getattr(self.file, "buffer", None) or io.BytesIO()

    def flush(self) -> None:
        """Sees to it that everything is written.

        Raises:
            OutputError: it cannot be written, and that matters.
        """
        try:
            self.file.flush()
        except OSError as error:
            if self._vital:
                raise OutputError(error) from error


def show_mistakes(stream: Stream, mistakes: Iterable[Mistake]) -> None:
    """Prints the mistakes of a pipeline, each with the line that it is in."""
    from musterroll import term  # noqa: PLC0415 -- help does without

    for mistake in mistakes:
        stream.line(Styled(f"{term('error')}: ", "bold red"), str(mistake))
        for line in mistake.excerpt:
            stream.line(line)


def _number_in(name: str) -> int | None:
    text = os.environ.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) else None


def _is_terminal(file: TextIO) -> bool:
    try:
        return file.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # closed
        return False


def end_output(error: OSError) -> int:
    """Gives standard output up, in peace where its reader has seen enough (`| head`).

    Returns:
        The exit status that this makes: 0, or 2 where something that was wanted is lost.
    """
    # What is buffered still would fail once more when the interpreter ends.
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    # Windows calls a closed pipe an invalid argument.
    if isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL):
        return 0
    message = f"the output cannot be written: {error.strerror or error}"
    Stream(sys.stderr, vital=False).line(Styled("error: ", "bold red"), message)
    return 2


def prepare_output(*, as_json: bool) -> None:
    """Makes sure that no character can break the output.

    JSON is UTF-8 everywhere. Text keeps the encoding of its surroundings, except in files and pipes on
    Windows, whose inherited code pages lack most of the world's names.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        redirected = os.name == "nt" and not sys.stdout.isatty() and "PYTHONIOENCODING" not in os.environ
        encoding = "utf-8" if as_json or redirected else None
        # A character that cannot be encoded becomes an escape, which JSON happens to read as that character.
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
