"""Rows of ended jobs to which nothing was done, in little room: jobs that have the same ones share them.

A sheet that comes every night says nearly the same every night. What has to be kept of such a row is little, and a
part of the sheet in which nothing has changed since an earlier job takes no room at all.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

from musterroll.journal.change import FIRST_OFF_SHEET_ROW, Action, Change, InviteDecision, PasswordAction
from musterroll.journal.damage import decoded
from musterroll.journal.journal import Journal

UnchangedRow: TypeAlias = tuple[int, str, str, str | None]
"""What is kept of a row to which nothing is done: number, username, what happens to the password, why no invite."""

# Numbers of rows in one part: few enough that a changed row costs little, many enough that they pack well.
_PART = 1000
_DIGEST = 16  # bytes
_LEVEL = 5  # of nine: that takes half the time, and a sixtieth more room
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def pack_unchanged(journal: Journal, job: str) -> None:
    """Packs a job's unchanged rows of which nothing is to be said: no invite, no hand edit.

    The caller's transaction is the one that ends the job.
    """
    columns = "row, username, password, reason"
    which = "job = ? AND action = ? AND invite IS NULL AND hand_edits IS NULL AND row < ?"
    values = (job, Action.UNCHANGED, FIRST_OFF_SHEET_ROW)
    rows = journal.stream(f"SELECT {columns} FROM row WHERE {which} ORDER BY row", values)  # noqa: S608 -- constants
    pack_rows(journal, job, rows)
    journal.execute(f"DELETE FROM row WHERE {which}", values)  # noqa: S608 -- constants


def pack_rows(journal: Journal, job: str, rows: Iterable[UnchangedRow]) -> None:
    """Packs rows of a job, by ascending number, to which nothing is done."""
    for part, of_part in groupby(rows, key=lambda row: row[0] // _PART):
        packed = [list(column) for column in zip(*of_part, strict=True)]
        text = _encode(packed).encode()
        digest = blake2b(text, digest_size=_DIGEST).digest()
        journal.execute(
            "INSERT OR IGNORE INTO unchanged VALUES (?, ?, ?)", (digest, len(packed[0]), zlib.compress(text, _LEVEL))
        )
        journal.execute("INSERT INTO job_unchanged VALUES (?, ?, ?)", (job, part, digest))


def whole_parts(rows: list[UnchangedRow]) -> tuple[list[UnchangedRow], list[UnchangedRow]]:
    """Divides rows, by ascending number, into those whose part is whole by now, and the rest."""
    begin = bisect_left(rows, rows[-1][0] // _PART * _PART, key=itemgetter(0)) if rows else 0
    return rows[:begin], rows[begin:]


def take_out(journal: Journal, job: str, rows: Iterable[int]) -> list[UnchangedRow]:
    """Takes rows out of a job's packs, and returns them; those that are in none are passed over."""
    taken: list[UnchangedRow] = []
    for part, of_part in groupby(rows, key=lambda row: row // _PART):
        wanted, packed = set(of_part), [row for rows in _packs(journal, job, part) for row in rows]
        found = [row for row in packed if row[0] in wanted]
        if found:
            taken += found
            _forget(journal, job, "AND part = ?2", part)
            pack_rows(journal, job, sorted(row for row in packed if row[0] not in wanted))
    return taken


@decoded
def unchanged_rows(journal: Journal, job: str, *, row: int | None = None) -> Iterator[Change]:
    """Streams a job's packed rows by number; only those near `row` where that is given."""
    for packed in _packs(journal, job, None if row is None else row // _PART):
        for number, username, password, reason in packed:
            yield Change(
                row=number,
                username=username,
                action=Action.UNCHANGED,
                password=PasswordAction(password),
                invite=InviteDecision(send=False, reason=reason),
                number=number,
            )


@decoded
def _packs(journal: Journal, job: str, part: int | None) -> Iterator[list[UnchangedRow]]:
    """Streams a job's packed rows, part by part; each by number."""
    packs = journal.stream(
        "SELECT j.part, u.packed FROM job_unchanged AS j JOIN unchanged AS u ON u.digest = j.digest "
        "WHERE j.job = ?1 AND (?2 IS NULL OR j.part = ?2) ORDER BY j.part",
        (job, part),
    )
    for _, of_part in groupby(packs, key=itemgetter(0)):
        rows = [row for _, packed in of_part for row in zip(*json.loads(_unpacked(packed)), strict=True)]
        yield sorted(rows, key=itemgetter(0))


def find_unchanged(journal: Journal, job: str, row: int) -> Change | None:
    """Returns a packed row of a job; None where it has no such row."""
    return next((one for one in unchanged_rows(journal, job, row=row) if one.row == row), None)


def count_unchanged(journal: Journal, job: str) -> int:
    """Returns how many packed rows a job has."""
    (rows,) = journal.execute(
        "SELECT coalesce(sum(u.rows), 0) FROM job_unchanged AS j JOIN unchanged AS u ON u.digest = j.digest "
        "WHERE j.job = ?",
        (job,),
    ).fetchone()
    return int(rows)


def forget_unchanged(journal: Journal, job: str) -> None:
    """Forgets a job's packed rows, unless other jobs have the same ones."""
    _forget(journal, job)


def _forget(journal: Journal, job: str, which: str = "", *values: int) -> None:
    journal.execute(
        f"DELETE FROM unchanged WHERE digest IN (SELECT digest FROM job_unchanged WHERE job = ?1 {which}) "  # noqa: S608 -- constants
        f"AND digest NOT IN (SELECT digest FROM job_unchanged WHERE NOT (job = ?1 {which}))",
        (job, *values),
    )
    journal.execute(f"DELETE FROM job_unchanged WHERE job = ?1 {which}", (job, *values))  # noqa: S608 -- constants


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except zlib.error as error:
        raise ValueError(error) from None
