"""Tells what an OLE compound file is: a workbook under a password, an Excel 97-2003 workbook, or neither.

Only the directory is read, along its chain of sectors.
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import IO

from musterroll import Source

_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTRY = 128
_CHAIN_LIMIT = 1000


class OleKind(Enum):
    """What a compound file is."""

    ENCRYPTED = "encrypted"
    XLS = "xls"
    OTHER = "other"


def ole_kind(source: Source) -> OleKind | None:
    """Tells what the file is; None where it is no compound file at all. Raises nothing for damaged ones."""
    if not source.head.startswith(_MAGIC):
        return None
    try:
        with source.open() as file:
            names = _directory(file, source.head)
    except (OSError, struct.error, IndexError):
        names = set()
    # Where the directory is cut off, the beginning may still hold a piece of it.
    names = names or {name for name in ("EncryptedPackage", "Workbook") if name.encode("utf-16-le") in source.head}
    if "EncryptedPackage" in names:
        return OleKind.ENCRYPTED
    # A letter with a table inside holds a stream "Workbook" as well.
    if names & {"Workbook", "Book"} and not names & {"WordDocument", "PowerPoint Document"}:
        return OleKind.XLS
    return OleKind.OTHER


def _directory(file: IO[bytes], header: bytes) -> set[str]:
    shift, sector = struct.unpack_from("<H", header, 30)[0], struct.unpack_from("<I", header, 48)[0]
    if shift not in {9, 12}:
        return set()
    size = 1 << shift
    names: set[str] = set()
    for _ in range(_CHAIN_LIMIT):
        file.seek((sector + 1) << shift)
        block = file.read(size)
        for at in range(0, len(block) - _ENTRY + 1, _ENTRY):
            length = min(struct.unpack_from("<H", block, at + 64)[0], 64)
            names.add(block[at : at + max(length - 2, 0)].decode("utf-16-le", errors="replace"))
        table, place = divmod(sector, size // 4)
        if table >= 109:  # beyond what the header lists; no real directory lies there
            break
        file.seek(((struct.unpack_from("<I", header, 76 + 4 * table)[0] + 1) << shift) + 4 * place)
        (sector,) = struct.unpack("<I", file.read(4))
        if sector >= 0xFFFFFFFA:
            break
    return names - {""}
