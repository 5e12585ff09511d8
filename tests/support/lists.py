"""Lists of users with names that are not ASCII, and whether the csv reader reads them as they were written."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from musterroll import Source, SourceError
from musterroll_plugins.readers.csv.reader import CsvOptions, CsvReader
from support.rows import context

HEADINGS = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups"
_PLAIN = 30


class Verdict(Enum):
    """What became of a list."""

    RIGHT = "right"
    WARNED = "wrong with a warning"
    REFUSED = "refused"
    SILENT = "wrong without a warning"


def can_write(word: str, encoding: str) -> bool:
    """Whether an encoding has all letters of a word; Vietnamese letters are written in two parts there."""
    try:
        _encoded(word, encoding)
    except UnicodeEncodeError:
        return False
    return True


def list_of(words: Sequence[str], encoding: str, size: int, draw: random.Random) -> str:
    """Makes a list of so many users whose names are not ASCII, and of some whose names are.

    Args:
        words: names, some of which must not be ASCII.
        encoding: what the list is going to be written in; names that it does not have are left out.
        size: how many names that are not ASCII there are.
        draw: chooses them.
    """
    possible = [word for word in words if can_write(word, encoding)]
    foreign = [word for word in possible if not word.isascii()]
    lines = [f"u{number}@example.com,user{number},Ana,Sample,Qx7-river-{number},,,Staff" for number in range(_PLAIN)]
    for number in range(size):
        second = draw.choice([*possible, "Sample"]) if size > 1 else "Sample"
        lines.insert(
            draw.randint(0, len(lines)),
            f"v{number}@example.com,name{number},{draw.choice(foreign)},{second},Qx7-lake-{number},,,Staff",
        )
    return "\r\n".join([HEADINGS, ",,,,,,,", *lines, ""])


def write_list(folder: Path, text: str, encoding: str) -> Path:
    """Writes a list as people there do."""
    path = folder / "list.csv"
    path.write_bytes(_encoded(text, encoding))
    return path


def read_list(folder: Path, text: str, encoding: str) -> Verdict:
    """Writes and reads a list, and says how well that went."""
    path = write_list(folder, text, encoding)
    try:
        with CsvReader(CsvOptions(), context()).open(Source(path)) as sheet:
            info = sheet.info
            read = "".join(",".join(map(str, row.cells)) + "\r\n" for row in sheet.rows())
    except SourceError:
        return Verdict.REFUSED
    if any(problem.is_error for problem in info.problems):
        return Verdict.REFUSED
    if unicodedata.normalize("NFC", read) == unicodedata.normalize("NFC", text):
        return Verdict.RIGHT
    return Verdict.SILENT if info.guess is None else Verdict.WARNED


def _encoded(text: str, encoding: str) -> bytes:
    """The text as Windows writes it: for Vietnamese, tones apart from their letters."""
    if encoding != "cp1258":
        return text.encode(encoding)
    return b"".join(_parts(letter).encode("cp1258") for letter in unicodedata.normalize("NFC", text))


def _parts(letter: str) -> str:
    try:
        letter.encode("cp1258")
    except UnicodeEncodeError:
        whole = unicodedata.normalize("NFD", letter)
        tones = [mark for mark in whole if mark in "\u0300\u0301\u0303\u0309\u0323"]
        rest = unicodedata.normalize("NFC", "".join(mark for mark in whole if mark not in tones))
        return rest + "".join(tones)
    return letter
