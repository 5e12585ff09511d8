"""Files that are whole or not there at all."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from musterroll.contract.translation import gettext


class NewFile:
    """A file beside the one that is to be written, which it becomes once it is complete.

    Args:
        folder: the folder of that one.
        private: for the owner only.

    Attributes:
        path: where it is as long as it is not that one.
    """

    def __init__(self, folder: Path, *, private: bool) -> None:
        self.path = folder / f".musterroll-{secrets.token_hex(4)}.tmp"
        self._mode = 0o600 if private else 0o666

    def __enter__(self) -> NewFile:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def fill(self, write: Callable[[BinaryIO], None]) -> None:
        """Writes it, down to the disk.

        Raises:
            OSError: it cannot be written; likewise in `becomes`.
        """
        raw = io.FileIO(self.path, "x+", opener=lambda name, flags: os.open(name, flags, self._mode))
        with io.BufferedRandom(raw) as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())

    def becomes(self, path: Path, *, replace: bool) -> bool:
        """Gives it its name; returns False where that is taken."""
        if not replace:
            try:
                path.open("x").close()  # nobody else takes it now, on any file system
            except FileExistsError:
                return False
        try:
            self.path.replace(path)
        except OSError:
            if not replace:
                path.unlink()
            raise
        return True


def begins_with(path: Path, beginning: bytes) -> bool:
    """Whether a file begins so, whatever became of the rest of it: then it is one of ours."""
    if not path.is_file():  # a pipe would wait for its writer
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(beginning)) == beginning
    except OSError:
        return False


def why_not(error: OSError, path: Path) -> str:
    """Says in a few words why a file cannot be written."""
    if isinstance(error, FileNotFoundError) and not path.parent.exists():
        return gettext("there is no folder {folder}", folder=path.parent)
    if isinstance(error, IsADirectoryError) or path.is_dir():
        return gettext("it is a folder; name a file in it")
    return error.strerror or str(error)
