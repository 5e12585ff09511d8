"""Journals of earlier versions are brought forward, whole or not at all, and are only looked at in a copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from musterroll.errors import RefusedError, StateError
from musterroll.journal import upgrades as upgrading
from musterroll.journal.job import read_jobs
from musterroll.journal.journal import Journal, journal_path
from musterroll.journal.schema import VERSION

_VERSION_3 = (Path(__file__).parent / "version_3.sql").read_text(encoding="utf-8")
_JOB = """
INSERT INTO job (id, kind, state, planned, started, finished, approved,
    pipeline, sets, fingerprint, plugins, identity, sheet)
VALUES (?, 'run', 'completed', 1, ?, ?, ?, 'acme', '[]', 'f', '{"distributions": {}, "files": {}}', 'portal',
        '{"path": "/staff.csv", "sha256": "s", "format": "csv", "reader": "csv", "sheet": null}')
"""
_INVITE = """
INSERT INTO invite (pipeline, identity, ref, purpose, username, state, channel, message, job, row, sent, expires)
VALUES ('acme', 'portal', 'u1', 'invite', 'ana', 'sent', 'email', 'm1', 'one', 3, ?, ?)
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A journal of version 3: two jobs, the first of which was approved after the second had begun, and an invite."""
    path = journal_path(tmp_path, "acme")
    with closing(sqlite3.connect(path)) as db:
        db.executescript(_VERSION_3 + "PRAGMA journal_mode = WAL;")
        approved = '{"by": "me", "at": "2026-03-03T10:00:00.000000+00:00"}'
        one, two = "2026-03-01T10:00:00.000000+00:00", "2026-03-02T10:00:00.000000+00:00"
        db.execute(_JOB, ("one", one, one, approved))
        db.execute(_JOB, ("two", two, two, None))
        db.execute(_INVITE, ("2026-03-03T10:00:01+00:00", "2026-03-17T10:00:01+00:00"))
        db.execute(
            "INSERT INTO row (job, row, username, folded, action, password, fields, ref) "
            "VALUES ('two', 3, 'ana', 'ana', 'unchanged', 'keep', '{}', 'u1')"
        )
        db.commit()
    return path


@contextmanager
def _opened(path: Path, *, look: bool = False) -> Iterator[Journal]:
    journal = (Journal.look if look else Journal.open)(path.parent, "acme")
    assert journal is not None
    with closing(journal):
        yield journal


def _shape(journal: Journal) -> list[tuple[str, ...]]:
    return sorted(
        journal.execute(
            "SELECT m.type, m.name, coalesce(c.name, ''), coalesce(c.cid, 0), coalesce(c.type, '') "
            "FROM sqlite_schema AS m LEFT JOIN pragma_table_info(m.name) AS c ON m.type = 'table' "
            "WHERE m.name NOT LIKE 'sqlite_%'"
        )
    )


def test_brought_forward_it_is_as_a_new_one(old: Path, tmp_path: Path) -> None:
    with _opened(old) as journal, closing(Journal.open(tmp_path / "new", "acme")) as new:
        assert _shape(journal) == _shape(new)
        assert journal.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert [(job.id, job.number, job.turn) for job in read_jobs(journal)] == [("two", 2, 2), ("one", 1, 3)]
        assert journal.execute("SELECT turn FROM invite").fetchone() == (4,)
        assert journal.next_turn() == 5
        assert journal.execute("SELECT username FROM row").fetchone() == ("ana",)


def test_looking_leaves_it_as_it_is(old: Path) -> None:
    before = old.read_bytes()
    with _opened(old, look=True) as journal:
        assert [job.id for job in read_jobs(journal)] == ["two", "one"]
    assert old.read_bytes() == before
    assert {file.name for file in old.parent.iterdir()} <= {old.name, "acme.lock"}


def test_a_step_that_fails_leaves_it_as_it_is(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrading, "STEPS", {3: (*upgrading.STEPS[3], "INSERT INTO nothing VALUES (1)")})
    with pytest.raises(StateError):
        Journal.open(old.parent, "acme")
    monkeypatch.undo()
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
        assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'turn'").fetchone() == (0,)
    with _opened(old) as journal:
        assert len(list(read_jobs(journal))) == 2


def test_not_while_another_works_with_it(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musterroll.journal.file.BUSY_SECONDS", 0.1)
    with FileLock(old.with_suffix(".lock")):
        with pytest.raises(RefusedError) as refused:
            Journal.open(old.parent, "acme")
        assert refused.value.code == "state.locked"
        with _opened(old, look=True) as journal:  # looking never waits
            assert len(list(read_jobs(journal))) == 2


def test_an_older_version_than_any_that_was_published(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        db.execute("PRAGMA user_version = 1")
    with pytest.raises(StateError, match="version 1"):
        Journal.open(old.parent, "acme")
