"""The package that a workbook is: a zip, which may be damaged, cut off, or a bomb."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from xml.parsers import expat

from musterroll import Source, SourceError, gettext
from musterroll_plugins.readers.package.xml import DamagedError

# More than any sheet of users needs. Real parts compress to a tenth or fiftieth; 1:1000 is what deflate can do.
_SIZE_LIMIT = 2 << 30
_FREE_SIZE, _RATIO_LIMIT = 64 << 20, 200
_ENTRY_LIMIT = 100_000

ZIP = b"PK"  # how a zip begins


class Package:
    """An open package.

    Attributes:
        archive: the zip.

    Args:
        archive: the zip.
        size: the size of the file in bytes.

    Raises:
        TooLargeError: it is a zip bomb.
    """

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        entries = archive.infolist()
        total = sum(entry.file_size for entry in entries)
        if total > _SIZE_LIMIT or (total > _FREE_SIZE and total > _RATIO_LIMIT * size) or len(entries) > _ENTRY_LIMIT:
            raise TooLargeError
        self.archive = archive
        # Part names compare regardless of case, and some programs write backslashes, or a stroke in front.
        self._entries = {entry.filename.replace("\\", "/").lstrip("/").lower(): entry for entry in entries}

    def __contains__(self, part: str) -> bool:
        return part.lower() in self._entries

    def entries(self) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        """Yields the parts in their order."""
        yield from self._entries.items()

    def open(self, part: str) -> IO[bytes]:
        """Opens a part for streaming.

        Raises:
            DamagedError: there is no such part.
        """
        entry = self._entries.get(part.lower())
        if entry is None:
            raise DamagedError(gettext("a part of it is missing"))
        return self.archive.open(entry)


class TooLargeError(Exception):
    """The package would expand to an absurd size; the text says by what, if there is more to say."""


@contextmanager
def readable(source: Source) -> Iterator[None]:
    """Turns whatever a damaged file makes zip, XML and numbers raise into one line for the person.

    Raises:
        SourceError: instead of anything else.
    """
    try:
        yield
    except TooLargeError as error:
        why = f" ({error})" if error.args else ""
        raise SourceError(
            gettext(
                "{file} would expand to an absurd size{why}, so it was not read; copy the cells that you need into "
                "a new workbook",
                file=source.name,
                why=why,
            ),
            code="source.too_large",
        ) from None
    except DamagedError as error:
        raise damaged(source, str(error)) from None
    except zipfile.BadZipFile as error:
        end = "File is not a zip file" in str(error)
        raise damaged(
            source, gettext("its end is missing") if end else gettext("a part of it cannot be unpacked")
        ) from None
    except EOFError:
        raise damaged(source, gettext("its end is missing")) from None
    except expat.ExpatError:
        raise damaged(source, gettext("a part of it is no well-formed XML")) from None
    except OSError as error:
        if error.errno is not None:
            raise SourceError(
                gettext("{path} cannot be read: {error}", path=source.path, error=error.strerror or error)
            ) from None
        raise damaged(source, gettext("a part of it cannot be unpacked")) from None
    except (zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError):  # zipfile: unknown method, password
        raise damaged(source, gettext("a part of it cannot be unpacked")) from None
    except (ValueError, LookupError, OverflowError, struct.error):
        raise damaged(source, gettext("a part of it holds something unexpected")) from None


@contextmanager
def opened(source: Source) -> Iterator[zipfile.ZipFile]:
    """Opens the zip. What is read of it then may be damaged all the same: see `readable`.

    Raises:
        SourceError: it is damaged.
    """
    with readable(source):
        file = source.open()
    with file:
        with readable(source):
            archive = zipfile.ZipFile(file)
        with archive:
            yield archive


def unsupported(source: Source, what: str, suffix: str) -> SourceError:
    """The error for a file that is of another format."""
    return SourceError(
        gettext("{file} is {what}; save it as {suffix} and try again", file=source.name, what=what, suffix=suffix),
        code="source.unsupported",
    )


def encrypted(source: Source) -> SourceError:
    """The error for a file under a password."""
    message = gettext("{file} is protected by a password; save it without one and try again", file=source.name)
    return SourceError(message, code="source.encrypted")


def damaged(source: Source, reason: str) -> SourceError:
    """The error for a file that is damaged."""
    return SourceError(
        gettext(
            "{file} is damaged ({reason}); open it in the spreadsheet program and save it again",
            file=source.name,
            reason=reason,
        ),
        code="source.damaged",
    )
