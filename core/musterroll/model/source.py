"""The file that a sheet is read from."""

from __future__ import annotations

import hashlib
from functools import cached_property
from io import BufferedReader
from pathlib import Path

from musterroll.errors import SourceError


class Source:
    """Seekable bytes with a name.

    Args:
        path: an existing file.

    Raises:
        SourceError: the path is missing, a folder, a pipe, or may not be read.
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
            with path.open("rb") as file:
                self.head = file.read(65536)
                self.size = file.seek(0, 2)
        except FileNotFoundError:
            raise SourceError(f"{path} does not exist", code="source.not_found") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SourceError(f"{path} cannot be read: {reason}") from None

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

    def open(self) -> BufferedReader:
        """Opens the bytes for reading from their beginning; the caller closes."""
        return self.path.open("rb")

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal."""
        with self.open() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
