"""A glance at a journal from outside: is it there, of which version, does somebody work on it. It touches nothing."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from musterroll.journal.journal import journal_path
from musterroll.journal.schema import APPLICATION_ID, VERSION
from musterroll.journal.upgrades import FORMAT

_MAGIC = b"SQLite format 3\0"
_HEADER = 100  # bytes; https://www.sqlite.org/fileformat.html, "The Database Header"


@dataclass(frozen=True, slots=True)
class Glance:
    """What was seen.

    Attributes:
        path: the journal's file.
        version: of the journal; None where there is none yet.
        is_locked: whether somebody works on it.
        fault: why it cannot be used; None where it can.
    """

    path: Path
    version: int | None = None
    is_locked: bool = False
    fault: str | None = None


def glance(folder: Path, name: str) -> Glance:
    """Looks at the journal of a pipeline.

    Args:
        folder: the state folder.
        name: the pipeline's name.
    """
    path = journal_path(folder, name)
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except FileNotFoundError:
        return Glance(path)
    except OSError as error:
        return Glance(path, fault=f"{path} cannot be read: {error.strerror or error}")
    if not header:
        return Glance(path)
    application, version = (int.from_bytes(header[at : at + 4], "big") for at in (68, 60))
    if not header.startswith(_MAGIC) or len(header) < _HEADER or application != APPLICATION_ID:
        return Glance(path, fault=f"{path} is no journal of musterroll, or is damaged; restore it, or move it away")
    if version > VERSION:
        with closing(FORMAT.connect(path, "ro&immutable=1", timeout=0)) as db:  # immutable: no files beside it
            return Glance(path, version, fault=FORMAT.newer(db, path))
    return Glance(path, version, _is_locked(path.with_suffix(".lock")))


def _is_locked(path: Path) -> bool:
    if not path.exists():
        return False
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # a folder that is only to be read: nobody works there
        return False
    lock.release()
    return False
