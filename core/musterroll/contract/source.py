"""The file that a sheet is read from."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from functools import cached_property
from io import BufferedReader
from pathlib import Path

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


class Source:
    """Seekable bytes with a name.

    Args:
        path: an existing file.

    Raises:
        SourceError: the path is missing, a folder, a pipe, what a program keeps beside a sheet, or may not be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if path.is_dir():
                raise SourceError(f"{path} is a folder; name the spreadsheet file in it", code="source.is_a_folder")
            # A pipe would be waited for without end, and cannot be read twice.
            if path.exists() and not path.is_file():
                message = f"{path} cannot be read: it is no file but a pipe or a device; save the sheet as a file"
                raise SourceError(message)
            _refuse_companion(path)
            with path.open("rb") as file:
                self.head = file.read(65536)
                self.size = file.seek(0, 2)
        except FileNotFoundError:
            raise SourceError(f"{path} does not exist", code="source.not_found") from None
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

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


def _unreadable(path: Path, error: OSError | ValueError) -> SourceError:
    reason = getattr(error, "strerror", None) or str(error)
    if _is_held_open(path, error):
        return SourceError(
            f"{path} cannot be read while another program, probably Excel, has it open; close it there and try again",
            code="source.in_use",
        )
    return SourceError(f"{path} cannot be read: {reason}")


def _is_held_open(path: Path, error: OSError | ValueError) -> bool:
    """Whether a file cannot be read because of a program, and not because of its owner."""
    if getattr(error, "winerror", None) in _SHARING:
        return True
    if not isinstance(error, PermissionError):
        return getattr(error, "errno", None) == errno.EBUSY
    # Windows says no more than that it is denied; on a shared folder Excel's own mark tells it.
    marks = (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#"))
    return _ON_WINDOWS or any(map(os.path.lexists, marks))


def _refuse_companion(path: Path) -> None:
    """Refuses the small files that programs keep beside a sheet: with `*` in the shell they are named by mistake."""
    for pattern, keeper in _COMPANIONS:
        found = pattern.fullmatch(path.name)
        if found is not None and path.exists() and path.stat().st_size <= _LARGEST_COMPANION:
            raise SourceError(
                f"{path} is no sheet but a file that {keeper} keeps beside {found[1]}; name {found[1]} instead",
                code="source.lock_file",
            )
