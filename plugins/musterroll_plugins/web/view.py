"""What pages show of a report: problems and rows in a small SQLite file, so that every page of them comes at once.

The worker writes it at the end of its work, from the streams of the engine's report; a page only reads.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from musterroll import Problem
from musterroll.engine import HandedOver, JobSummary, LostPasswords, Report, change_record, problem_record

PAGE = 50
"""So many lines has a page."""

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE problem (
    n INTEGER PRIMARY KEY, severity TEXT NOT NULL, code TEXT NOT NULL, field TEXT, record TEXT NOT NULL
) STRICT;
CREATE TABLE line (
    n INTEGER PRIMARY KEY, row INTEGER, username TEXT NOT NULL, outcome TEXT NOT NULL, record TEXT NOT NULL
) STRICT;
CREATE TABLE failure (n INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT;
"""
# Made when everything is in: that is quicker.
_INDEXES = """
CREATE INDEX problem_severity ON problem (severity);
CREATE INDEX problem_code ON problem (code, severity, field);
CREATE INDEX line_outcome ON line (outcome);
CREATE INDEX line_search ON line (username, row, outcome);
"""
_FORMAT = 4  # of what is stored; a view of another one is made anew


@dataclass(frozen=True, slots=True)
class Page:
    """One page of something.

    Attributes:
        items: what is on it.
        number: its number, from 1.
        pages: how many there are.
        total: how many items there are on all of them.
    """

    items: list[dict[str, Any]]
    number: int
    pages: int
    total: int


def stamp_of(job: JobSummary) -> list[Any]:
    """Tells one state of a job from another: a view with another stamp is out of date."""
    return [job.state, job.finished, asdict(job.counts), asdict(job.invites)]


def write_view(path: Path, report: Report, **more: Any) -> None:
    """Writes the view of a report, in one step.

    Args:
        path: the file.
        report: it stays open.
        more: further values for the view's `meta`.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as db:
            db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
            db.execute("BEGIN")
            _fill(db, report, more)
            db.execute("COMMIT")
            db.executescript(_INDEXES)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _fill(db: sqlite3.Connection, report: Report, more: Mapping[str, Any]) -> None:
    certain = 0

    def problems() -> Iterator[Problem]:
        nonlocal certain
        for one in report.problems():
            certain += one.is_safe and not one.is_repaired
            yield one

    db.executemany(
        "INSERT INTO problem (severity, code, field, record) VALUES (?, ?, ?, ?)",
        ((one.severity, one.code, one.field or "", _text(problem_record(one))) for one in problems()),
    )
    job = report.job
    worst: dict[int, str] = {}
    if job is not None:
        for failure in job.failures():
            db.execute("INSERT INTO failure (record) VALUES (?)", (_text(asdict(failure)),))
            if failure.row is not None:
                worst.setdefault(failure.row, failure.status)
    if report.changes is not None:
        db.executemany(
            "INSERT INTO line (row, username, outcome, record) VALUES (?, ?, ?, ?)",
            (
                (one.row, one.username, worst.get(one.row or 0) or one.action, _text(change_record(one)))
                for one in report.changes()
            ),
        )
    actions = dict(db.execute("SELECT outcome, count(*) FROM line GROUP BY outcome"))
    meta = {
        "format": _FORMAT,
        "command": report.command,
        "outcome": report.outcome,
        "error": None if report.error is None else {"code": report.error.code, "message": report.error.message},
        "counts": asdict(report.counts),
        "actions": actions,
        "groups": [asdict(one) for one in report.problem_groups()],
        "groups_to_create": [list(path) for path in report.groups_to_create or ()],
        "privileged": [{"group": list(one.path), "add": one.add, "remove": one.remove} for one in report.privileged],
        "hand_edits": report.hand_edits._asdict() if report.hand_edits else None,
        "keeps_all_out": report.keeps_all_out,
        "certain": certain,
        "notes": list(report.sheet.notes) if report.sheet else [],
        "lost_passwords": (job.lost_passwords() if job else LostPasswords(0, 0))._asdict(),
        "handed_over": [asdict(one) for one in job.handed_over()] if job else [],
        "stamp": stamp_of(job) if job else None,
        **more,
    }
    db.executemany("INSERT INTO meta VALUES (?, ?)", ((name, _text(value)) for name, value in meta.items()))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


class View:
    """A view, to read from; use it in a `with` statement.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: there is none, or it is one of an earlier version.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(path)
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        # It is opened in one thread and read in another, never in two at once.
        self._db = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self.meta: dict[str, Any] = {
            name: json.loads(value) for name, value in self._db.execute("SELECT name, value FROM meta")
        }
        if self.meta.get("format") != _FORMAT:
            self._db.close()
            raise FileNotFoundError(path)

    def __enter__(self) -> View:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def problems(self, page: int, *, severity: str = "", code: str = "", field: str | None = None) -> Page:
        """A page of the problems, in the order of the sheet."""
        where, values = ["TRUE"], []
        for column, value in (("severity", severity or None), ("code", code or None), ("field", field)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        return self._page("problem", " AND ".join(where), values, page)

    def lines(self, page: int, *, text: str = "", outcome: str = "") -> Page:
        """A page of the rows: of an outcome, and with a text in the username or as the number of the row."""
        where, values = ["TRUE"], []
        if outcome:
            # With a text the index is gone through that has all that is asked for; the other one leads to each row.
            where.append("+outcome = ?" if text else "outcome = ?")
            values.append(outcome)
        if text:
            pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            where.append("(username LIKE ? ESCAPE '\\' OR row = ?)")
            values += [f"%{pattern}%", text]
        return self._page("line", " AND ".join(where), values, page)

    def causes(self, severity: str = "") -> list[dict[str, Any]]:
        """The problems by their cause."""
        return [one for one in self.meta["groups"] if not severity or one["severity"] == severity]

    @property
    def handed_over(self) -> list[HandedOver]:
        """The files that tell first passwords."""
        return [HandedOver(**one) for one in self.meta["handed_over"]]

    def failures(self, page: int, *, status: str = "") -> Page:
        """A page of what failed."""
        where, values = ("json_extract(record, '$.status') = ?", [status]) if status else ("TRUE", [])
        return self._page("failure", where, values, page)

    def held(self) -> Iterator[str]:
        """The users whose invite is held."""
        for (record,) in self._db.execute("SELECT record FROM failure"):
            failure = json.loads(record)
            if failure["status"] == "held" and failure["username"]:
                yield failure["username"]

    def _page(self, table: str, where: str, values: list[Any], number: int) -> Page:
        # `table` and `where` are ours, values are bound.
        (total,) = self._db.execute(f"SELECT count(*) FROM {table} WHERE {where}", values).fetchone()  # noqa: S608
        pages = max(1, -(-total // PAGE))
        number = min(max(1, number), pages)
        which = f"SELECT n FROM {table} WHERE {where} ORDER BY n LIMIT ? OFFSET ?"  # noqa: S608
        query = f"SELECT record FROM {table} WHERE n IN ({which}) ORDER BY n"  # noqa: S608
        found = self._db.execute(query, [*values, PAGE, (number - 1) * PAGE])
        return Page([json.loads(record) for (record,) in found], number, pages, total)
