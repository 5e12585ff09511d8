"""Digests of a sheet's rows, kept as they are read, many together: to see which users differ from another sheet's.

What they are of cannot be read from them.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from typing import NamedTuple

from musterroll.journal.damage import decoded, state_error
from musterroll.journal.journal import Journal

DIGEST = 16  # bytes
_encode = json.JSONEncoder(separators=(",", ":")).encode


class SheetPart(NamedTuple):
    """The digests of some rows of a sheet.

    Attributes:
        rows: the rows' numbers.
        who: of what recognises their users, one after the other.
        digest: of what the rows say of them, likewise.
    """

    rows: Sequence[int]
    who: bytes
    digest: bytes


def add_sheet_part(journal: Journal, job: str, part: SheetPart) -> None:
    """Stores the digests of some rows of a job's sheet."""
    journal.execute(
        "INSERT INTO sheet_part VALUES (?, ?, ?, ?)", (job, _encode(list(part.rows)), part.who, part.digest)
    )


def forget_sheet_parts(journal: Journal, job: str, *, unless_last: bool = False) -> None:
    """Forgets the digests of a job's sheet; with `unless_last` not of one that the next sheet is compared with."""
    which = "AND job NOT IN (SELECT job FROM last_sheet)" if unless_last else ""
    journal.execute(f"DELETE FROM sheet_part WHERE job = ? {which}", (job,))  # noqa: S608 -- a constant


def forget_rows(journal: Journal, job: str, rows: Collection[int]) -> None:
    """Forgets the digests of some rows of a job's sheet."""
    gone = set(rows)
    parts = [part for part in _parts(journal, job) if not gone.isdisjoint(part.rows)]
    for part in parts:
        kept = [place for place, row in enumerate(part.rows) if row not in gone]
        who, digest = _each(part.who), _each(part.digest)
        left = [part.rows[place] for place in kept]
        journal.execute(
            "UPDATE sheet_part SET rows = ?, who = ?, digest = ? WHERE job = ? AND rows = ?",
            (
                _encode(left),
                b"".join(who[place] for place in kept),
                b"".join(digest[place] for place in kept),
                job,
                _encode(list(part.rows)),
            ),
        )


def sheet_digests(journal: Journal, job: str) -> Iterator[tuple[bytes, bytes]]:
    """Streams (who, digest) of a job's sheet, by who; each user once."""
    try:
        with closing(sqlite3.connect("")) as sorting:  # a file of SQLite's own, so that nothing is held in memory
            sorting.execute("CREATE TABLE row (who BLOB NOT NULL, digest BLOB NOT NULL)")
            for part in _parts(journal, job):
                rows = zip(_each(part.who), _each(part.digest), strict=True)
                sorting.executemany("INSERT INTO row VALUES (?, ?)", rows)
            yield from sorting.execute("SELECT who, min(digest) FROM row GROUP BY who ORDER BY who")
    except sqlite3.Error as error:
        raise state_error(None, error) from error


def rows_of_one_user(journal: Journal, job: str) -> Iterator[list[int]]:
    """Yields the rows of a job's sheet that mean the same user, as far as that is told by what they say of him.

    Each by ascending number, where there are several.
    """
    halves = array("Q")  # of digests: eight bytes a row, and as good as never the same by accident
    for part in _parts(journal, job):
        halves.extend(array("Q", part.who)[::2])
    ordered = sorted(halves)
    repeated = {one for one, other in pairwise(ordered) if one == other}
    if not repeated:
        return
    rows: dict[bytes, list[int]] = defaultdict(list)
    for part in _parts(journal, job):
        for row, who in zip(part.rows, _each(part.who), strict=True):
            if array("Q", who)[0] in repeated:
                rows[who].append(row)
    yield from (several for several in rows.values() if len(several) > 1)


@decoded
def _parts(journal: Journal, job: str) -> Iterator[SheetPart]:
    """Streams what is stored of a job's sheet."""
    for rows, *digests in journal.stream(
        "SELECT rows, who, digest FROM sheet_part WHERE job = ? ORDER BY rowid", (job,)
    ):
        part = SheetPart(json.loads(rows), *digests)
        if any(type(one) is not bytes or len(one) != DIGEST * len(part.rows) for one in digests):
            raise ValueError("not a digest for each row")
        yield part


def _each(digests: bytes) -> list[bytes]:
    return [digests[place : place + DIGEST] for place in range(0, len(digests), DIGEST)]
