"""The package around a workbook: a zip of parts that refer to each other by relationships."""

from __future__ import annotations

import lzma
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple
from urllib.parse import unquote
from xml.parsers import expat

from musterroll import Source, SourceError
from musterroll_plugins.readers._xml import Attributes, DamagedError, ElementHandler

# More than any sheet of users needs. Real parts compress to a tenth or fiftieth; 1:1000 is what deflate can do.
_SIZE_LIMIT = 2 << 30
_FREE_SIZE, _RATIO_LIMIT = 64 << 20, 200
_ENTRY_LIMIT = 100_000


class Relationship(NamedTuple):
    """What a part refers to: the last word of its type, e.g. `worksheet`, and the name of the part."""

    kind: str
    target: str


class Package:
    """An open package.

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
        self._archive = archive
        # Part names compare regardless of case, and some programs write backslashes.
        self._entries = {entry.filename.replace("\\", "/").lower(): entry for entry in entries}

    def __contains__(self, part: str) -> bool:
        return part.lower() in self._entries

    def open(self, part: str) -> IO[bytes]:
        """Opens a part for streaming.

        Raises:
            DamagedError: there is no such part.
        """
        entry = self._entries.get(part.lower())
        if entry is None:
            raise DamagedError("a part of it is missing")
        return self._archive.open(entry)

    def relationships(self, part: str = "") -> dict[str, Relationship]:
        """Returns the relationships of a part, or of the package itself, by their ids."""
        folder, name = posixpath.split(part)
        where = posixpath.join(folder, "_rels", f"{name}.rels")
        found: dict[str, Relationship] = {}

        def opened(name: str, attributes: Attributes) -> None:
            if name != "Relationship" or attributes.get("TargetMode") == "External":
                return
            target = unquote(attributes.get("Target", "")).replace("\\", "/")
            target = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = Relationship(kind, target)

        if where in self:
            with self.open(where) as stream:
                ElementHandler(opened).read(stream)
        return found

    def workbook(self) -> str | None:
        """The name of the part that is the workbook, xlsx or not; None where the package is something else."""
        main = [target for kind, target in self.relationships().values() if kind == "officeDocument"]
        for part in [*main, "xl/workbook.xml", "xl/workbook.bin"]:
            if part in self and "workbook" in posixpath.basename(part).lower():
                return part
        return next((part for part in main if part in self and self._is_spreadsheet(part)), None)

    def _is_spreadsheet(self, part: str) -> bool:
        """Looks up the content type of a main part that has an unusual name."""
        types: list[str] = []

        def opened(name: str, attributes: Attributes) -> None:
            if name == "Override" and attributes.get("PartName", "").lower() == f"/{part.lower()}":
                types.append(attributes.get("ContentType", ""))

        with self.open("[Content_Types].xml") as stream:
            ElementHandler(opened).read(stream)
        return any("spreadsheetml" in kind or "ms-excel" in kind for kind in types)


class TooLargeError(Exception):
    """The package would expand to an absurd size."""


@contextmanager
def readable(source: Source) -> Iterator[None]:
    """Turns whatever a damaged file makes zip, XML and numbers raise into one line for the person.

    Raises:
        SourceError: instead of anything else.
    """
    try:
        yield
    except TooLargeError:
        raise SourceError(
            f"{source.name} would expand to an absurd size, so it was not opened; "
            "copy the cells that you need into a new workbook",
            code="source.too_large",
        ) from None
    except DamagedError as error:
        raise damaged(source, str(error)) from None
    except zipfile.BadZipFile as error:
        end = "File is not a zip file" in str(error)
        raise damaged(source, "its end is missing" if end else "a part of it cannot be unpacked") from None
    except EOFError:
        raise damaged(source, "its end is missing") from None
    except expat.ExpatError:
        raise damaged(source, "a part of it is no well-formed XML") from None
    except OSError as error:
        if error.errno is not None:
            raise SourceError(f"{source.path} cannot be read: {error.strerror or error}") from None
        raise damaged(source, "a part of it cannot be unpacked") from None
    except (zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError):  # zipfile: unknown method, password
        raise damaged(source, "a part of it cannot be unpacked") from None
    except (ValueError, LookupError, OverflowError, struct.error):
        raise damaged(source, "a part of it holds something unexpected") from None


def damaged(source: Source, reason: str) -> SourceError:
    """The error for a file that is damaged."""
    return SourceError(
        f"{source.name} is damaged ({reason}); open it in the spreadsheet program and save it again",
        code="source.damaged",
    )
