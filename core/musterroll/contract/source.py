"""The file that a sheet is read from."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from contextlib import suppress
from functools import cached_property
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from musterroll.contract.text import nearest
from musterroll.contract.translation import gettext
from musterroll.errors import SourceError

_ON_WINDOWS = os.name == "nt"
_SHARING = frozenset({32, 33})  # what Windows calls sharing and lock violations
_COMPANIONS = (
    (re.compile(r"~\$(.+)"), "Excel"),
    (re.compile(r"\.~lock\.(.+)#"), "LibreOffice"),
    (re.compile(r"\.~(?!lock\.)(.+)"), "WPS Office"),
    (re.compile(r"\._(.+)"), "macOS"),
)
_LARGEST_COMPANION = 4096
_NEARLY = 0.75
_NO_SHEETS = frozenset({"", ".toml"})  # folders, pipeline files
_LOOKED_AT = 1_000  # files of a folder, for one that is nearly called so


STANDARD_INPUT = "standard input"
_SPOOLED = "musterroll-"


class Source:
    """Seekable bytes with a name. What came from standard input is a file that is called so (`spooled`).

    Args:
        path: an existing file.

    Raises:
        SourceError: the path is missing, a folder, a pipe, what a program keeps beside a sheet, or may not be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        shown = self.called
        try:
            if path.is_dir():
                raise SourceError(
                    gettext("{path} is a folder; name the spreadsheet file in it", path=shown),
                    code="source.is_a_folder",
                )
            # A pipe would be waited for without end, and cannot be read twice.
            if path.exists() and not path.is_file():
                raise SourceError(
                    gettext(
                        "{path} cannot be read: it is no file but a pipe or a device; save the sheet as a file",
                        path=shown,
                    )
                )
            _refuse_companion(path)
            with path.open("rb") as file:
                self.head = file.read(65536)
                self.size = file.seek(0, 2)
        except FileNotFoundError:
            raise SourceError(_not_found(path, shown), code="source.not_found") from None
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

    @property
    def called(self) -> str:
        """What a person knows it as: the path as it was given, or standard input."""
        return called(self.path)

    @property
    def called_everywhere(self) -> str:
        """Likewise, from any folder."""
        return called(self.path) if _is_spooled(self.path) else str(self.path.absolute())

    @property
    def beside(self) -> Path:
        """A path beside which files about it belong: of standard input one in the current folder."""
        return Path.cwd() / STANDARD_INPUT.replace(" ", "-") if _is_spooled(self.path) else self.path

    def open(self) -> BufferedReader:
        """Opens the bytes for reading from their beginning; the caller closes.

        Raises:
            SourceError: the file cannot be read any more.
        """
        try:
            return self.path.open("rb")
        except OSError as error:
            raise _unreadable(self.path, error) from None

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal."""
        with self.open() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def called(path: Path) -> str:
    """What a person knows the file of a sheet as."""
    return STANDARD_INPUT if _is_spooled(path) else str(path)


def spooled(stream: BinaryIO, folder: Path, largest: int) -> Path:
    """Keeps a sheet that comes from standard input as a file, for the owner only, so that it can be read twice.

    Args:
        stream: the bytes.
        folder: takes a folder for it; who calls takes that away.
        largest: so many bytes at the most.

    Raises:
        SourceError: there are more.
        OSError: the file cannot be written.
    """
    file = Path(tempfile.mkdtemp(prefix=_SPOOLED, dir=folder)) / STANDARD_INPUT
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
        while piece := stream.read(1 << 20):
            if copy.tell() + len(piece) > largest:
                message = gettext(
                    "{input} has more than {count} MiB; save the sheet as a file and name that",
                    input=STANDARD_INPUT,
                    count=largest >> 20,
                )
                raise SourceError(message, code="source.too_large")
            copy.write(piece)
    return file


def _is_spooled(path: Path) -> bool:
    return path.name == STANDARD_INPUT and path.parent.name.startswith(_SPOOLED)


def _unreadable(path: Path, error: OSError | ValueError) -> SourceError:
    reason = getattr(error, "strerror", None) or str(error)
    if _is_held_open(path, error):
        return SourceError(
            gettext(
                "{path} cannot be read while another program, probably Excel, has it open; close it there and try "
                "again",
                path=path,
            ),
            code="source.in_use",
        )
    return SourceError(gettext("{path} cannot be read: {reason}", path=path, reason=reason))


def _is_held_open(path: Path, error: OSError | ValueError) -> bool:
    """Whether a file cannot be read because of a program, and not because of its owner."""
    if getattr(error, "winerror", None) in _SHARING:
        return True
    if not isinstance(error, PermissionError):
        return getattr(error, "errno", None) == errno.EBUSY
    # Windows says no more than that it is denied; on a shared folder Excel's own mark tells it.
    marks = (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#"))
    return _ON_WINDOWS or any(map(os.path.lexists, marks))


def _not_found(path: Path, shown: str) -> str:
    """Says that there is no such file, with the one beside it that is nearly called so."""
    near = None
    with suppress(OSError, ValueError):
        beside = [entry for entry in islice(path.parent.iterdir(), _LOOKED_AT) if entry.suffix not in _NO_SHEETS]
        stem = nearest(path.stem, [entry.stem for entry in beside], _NEARLY)
        near = nearest(path.name, [entry.name for entry in beside if entry.stem == stem], 0)
    if near is None:
        return gettext("{path} does not exist", path=shown)
    return gettext('{path} does not exist; did you mean "{near}"?', path=shown, near=near)


def _refuse_companion(path: Path) -> None:
    """Refuses the small files that programs keep beside a sheet: with `*` in the shell they are named by mistake."""
    for pattern, keeper in _COMPANIONS:
        found = pattern.fullmatch(path.name)
        if found is not None and path.exists() and path.stat().st_size <= _LARGEST_COMPANION:
            raise SourceError(
                gettext(
                    "{path} is no sheet but a file that {program} keeps beside {found}; name {found} instead",
                    path=path,
                    program=keeper,
                    found=found[1],
                ),
                code="source.lock_file",
            )
