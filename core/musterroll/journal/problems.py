"""The problems of a job's sheet in the journal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from musterroll.contract.problems import Problem, Severity
from musterroll.journal.damage import decoded, refuse_other_than_text
from musterroll.journal.journal import Journal


def add_problems(journal: Journal, job: str, problems: Iterable[Problem]) -> None:
    """Stores the problems of a job's sheet, without the values of their cells."""
    # Texts and whole numbers as they are: for all else, a truth value among it, sqlite3 looks for an adapter.
    journal.executemany(
        "INSERT INTO problem VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                job,
                seq,
                p.code,
                p.message,
                str.__str__(p.severity),
                p.row,
                p.column,
                p.field,
                p.suggestion,
                json.dumps(p.also_rejects) if p.also_rejects else None,
                int(p.is_safe),
                json.dumps(p.also) if p.also else None,
                int(p.is_repaired),
            )
            for seq, p in enumerate(problems)
        ),
    )


@decoded
def stored_problems(journal: Journal, job: str) -> Iterator[Problem]:
    """Streams the problems of a job's sheet, without the values of their cells."""
    for (
        code,
        message,
        severity,
        row,
        column,
        field,
        suggestion,
        condemns,
        safe,
        also,
        repaired,
    ) in journal.stream(
        "SELECT code, message, severity, row, col, field, suggestion, condemns, safe, also, repaired "
        "FROM problem WHERE job = ? ORDER BY seq",
        (job,),
    ):
        refuse_other_than_text(code, message, column, field, suggestion)
        yield Problem(
            code=code,
            message=message,
            severity=Severity(severity),
            row=row,
            column=column,
            field=field,
            suggestion=suggestion,
            is_safe=bool(safe),
            also=tuple((name, text) for name, text in json.loads(also)) if also else (),
            is_repaired=bool(repaired),
            also_rejects=tuple(json.loads(condemns)) if condemns else (),
        )
