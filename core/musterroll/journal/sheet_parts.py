"""Digests of a sheet's rows, kept as they are read, many together: to see which users differ from another sheet's.

What they are of cannot be read from them.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain, groupby, pairwise, repeat
from typing import NamedTuple, TypeAlias

from musterroll.journal.damage import decoded, refuse_other_than_text, state_error
from musterroll.journal.journal import Journal

DIGEST = 16  # bytes
Settled: TypeAlias = Sequence[str | None]
"""Of each row of a part why no invite goes out, where nothing is to be done of it; None of every other row."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


class SheetPart(NamedTuple):
    """The digests of some rows of a sheet.

    Attributes:
        rows: the rows' numbers.
        who: of what recognises their users, one after the other.
        digest: of what the rows say of them, likewise.
        whole: of all that they say together; None where the part is not to be recognised.
        settled: which of its rows will be settled when the job has ended.
    """

    rows: Sequence[int]
    who: bytes
    digest: bytes
    whole: bytes | None = None
    settled: Settled = ()


def add_sheet_part(journal: Journal, job: str, part: SheetPart) -> None:
    """Stores the digests of some rows of a job's sheet."""
    journal.execute(
        "INSERT INTO sheet_part VALUES (?, ?, ?, ?, ?, ?)",
        (job, _encode(list(part.rows)), part.who, part.digest, part.whole, _runs(part.settled)),
    )


def add_same_part(journal: Journal, job: str, number: int, settled: Settled) -> None:
    """Stores a part that another sheet has as well, by the number that it has there."""
    journal.execute(
        "INSERT INTO sheet_part SELECT ?, rows, who, digest, whole, ? FROM sheet_part WHERE rowid = ?",
        (job, _runs(settled), number),
    )


@decoded
def whole_parts_of(journal: Journal, job: str) -> Mapping[bytes, int]:
    """Returns the numbers of a sheet's parts that can be recognised, by their digests."""
    return dict(
        journal.stream(
            "SELECT whole, rowid FROM sheet_part WHERE job = ? AND whole IS NOT NULL AND settled <> '[]'", (job,)
        )
    )


@decoded
def settled_of_part(journal: Journal, number: int) -> Settled:
    """Returns which rows of a part were settled when its job had ended."""
    query = "SELECT settled, length(who) FROM sheet_part WHERE rowid = ?"
    settled, size = journal.execute(query, (number,)).fetchone()
    runs = json.loads(settled)
    refuse_other_than_text(*(reason for reason, _ in runs))
    if sum(rows for _, rows in runs) * DIGEST != size:
        raise ValueError("not a reason or none for each row")
    return list(chain.from_iterable(repeat(reason, rows) for reason, rows in runs))


def unsettle(journal: Journal, job: str, rows: Collection[int]) -> None:
    """Notes of some rows of a job's sheet that they are not as they were to be."""
    bad = set(rows)
    for number, numbers, settled in journal.execute(
        "SELECT rowid, rows, settled FROM sheet_part WHERE job = ? AND whole IS NOT NULL", (job,)
    ).fetchall():
        places = json.loads(numbers)
        if settled != "[]" and not bad.isdisjoint(places):
            left = zip(places, settled_of_part(journal, number), strict=True)
            runs = _runs([None if row in bad else reason for row, reason in left])
            journal.execute("UPDATE sheet_part SET settled = ? WHERE rowid = ?", (runs, number))


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
            "UPDATE sheet_part SET rows = ?, who = ?, digest = ?, whole = NULL WHERE job = ? AND rows = ?",
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


def _runs(settled: Settled) -> str:
    """How it is stored: neighbours mostly have the same reason. Where no row is settled, nothing is."""
    runs = [[reason, len(list(same))] for reason, same in groupby(settled)]
    return "[]" if len(runs) == 1 and runs[0][0] is None else _encode(runs)


def _each(digests: bytes) -> list[bytes]:
    return [digests[place : place + DIGEST] for place in range(0, len(digests), DIGEST)]
