"""The rows of a job that were rejected, each with its reasons."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

from musterroll.journal.change import Action
from musterroll.journal.damage import decoded
from musterroll.journal.journal import Journal

_QUERY = """
    WITH reason (row, seq, col, message, suggestion, found, code, field, safe, also) AS (
        SELECT row, seq, col, message, suggestion, row, code, field, safe, also FROM problem
        WHERE job = ?1 AND severity = 'error' AND row IS NOT NULL
        UNION ALL
        SELECT other.value, p.seq, p.col, p.message, p.suggestion, p.row, p.code, p.field, 0, NULL
        FROM problem AS p JOIN json_each(p.condemns) AS other
        WHERE p.job = ?1 AND p.severity = 'error' AND p.condemns IS NOT NULL
    )
    SELECT r.row, e.col, e.message, e.suggestion, e.found, e.code, e.field, e.safe, e.also
    FROM row AS r LEFT JOIN reason AS e ON e.row = r.row
    WHERE r.job = ?1 AND r.action = ?2 ORDER BY r.row, e.found != r.row, e.seq
"""
# A person corrects a row by its first reasons; the first of 40,000 rows with one username has 39,999.
_MOST_REASONS = 10


class Reason(NamedTuple):
    """Why a row was rejected.

    Attributes:
        column: the column letter; None for what belongs to no column.
        message: what is wrong and what to do.
        suggestion: what to type instead, where that can be said.
        row: the row where it was found: another one, where that keeps this one out too.
        code: the problem's code.
        field: the field that it is about.
        is_safe: whether the suggestion is the only thing that can be meant.
        also: the further cells that it changes, as fields and texts.
    """

    column: str | None
    message: str
    suggestion: str | None
    row: int
    code: str = ""
    field: str | None = None
    is_safe: bool = False
    also: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_columns(cls, columns: Sequence[Any]) -> Reason:
        """Makes it of what is stored."""
        column, message, suggestion, row, code, field, safe, also = columns
        pairs = tuple((name, text) for name, text in json.loads(also)) if also else ()
        return cls(column, message, suggestion, row, code, field, bool(safe), pairs)


class RejectedRow(NamedTuple):
    """A row that was rejected.

    Attributes:
        number: its number in the sheet.
        reasons: why, what was found in the row itself first; not more than ten.
        more: how many reasons there are besides.
    """

    number: int
    reasons: tuple[Reason, ...]
    more: int = 0


@decoded
def rejected_rows(journal: Journal, job: str) -> Iterator[RejectedRow]:
    """Streams the rows of a job that were rejected, in the order of the sheet."""
    for number, found in groupby(journal.stream(_QUERY, (job, Action.REJECTED)), key=itemgetter(0)):
        reasons = (Reason.of_columns(reason) for _, *reason in found if reason[1] is not None)
        first = tuple(islice(reasons, _MOST_REASONS))
        yield RejectedRow(number, first, sum(1 for _ in reasons))
