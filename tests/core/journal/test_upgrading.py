"""Journals of earlier versions are brought forward, whole or not at all, and are only looked at in a copy."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from musterroll.contract.operations import Kind
from musterroll.errors import RefusedError, StateError
from musterroll.journal.job import Job, read_jobs
from musterroll.journal.journal import Journal, journal_path
from musterroll.journal.ledger import Ledger
from musterroll.journal.schema import VERSION
from musterroll.journal.sheet_parts import sheet_digests
from musterroll.journal.upgrades import FORMAT
from support.earlier import COMPLETED, INTERRUPTED, QUARANTINED, UNDO, UNDONE, write_earlier

_APPROVED = '{"by": "me", "at": "2026-11-27T18:00:00.000000+00:00"}'


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A journal of version 3, the first job of which was approved after all others had begun."""
    approve = "UPDATE job SET approved = ? WHERE id = (SELECT min(id) FROM job)"
    return write_earlier("journal", journal_path(tmp_path, "acme"), (approve, _APPROVED))


@contextmanager
def _opened(path: Path, *, look: bool = False) -> Iterator[Journal]:
    journal = (Journal.look if look else Journal.open)(path.parent, "acme")
    assert journal is not None
    with closing(journal):
        yield journal


def _opened_once(path: Path) -> None:
    Journal.open(path.parent, "acme").close()


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
        assert [(job.id[-4:], job.number, job.turn) for job in read_jobs(journal)] == [
            ("rrcg", 7, 7),
            ("b35b", 6, 6),
            ("jyvf", 5, 5),
            ("zaqt", 4, 4),
            ("7bb4", 1, 9),
        ]
        assert [turn for (turn,) in journal.execute("SELECT turn FROM invite ORDER BY id")] == [2, 3, 8, 0]
        assert journal.next_turn() == 10
        assert journal.execute("SELECT count(*) FROM row WHERE username = 'ana'").fetchone() == (3,)


def test_users_and_digests_are_taken_along(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        owners = db.execute("SELECT DISTINCT pipeline, identity FROM managed").fetchall()
        managed, roster, uninvited, digests = (
            db.execute(query).fetchall()
            for query in (
                "SELECT ref, username FROM managed ORDER BY 1",
                "SELECT ref, username FROM roster ORDER BY 1",
                "SELECT ref, reason FROM uninvited ORDER BY 1",
                "SELECT who, digest FROM sheet_row WHERE job = '20261127-175307-b35b' ORDER BY 1",
            )
        )
    assert managed
    assert roster
    assert uninvited
    assert digests
    with _opened(old) as journal:
        ((pipeline, identity),) = owners
        ledger = Ledger(journal, pipeline, identity)
        assert list(ledger.roster.managed()) == sorted({**dict(managed), **dict(roster)}.items())
        known = {user.ref: user.entry for user in ledger.users()}
        assert sorted(ref for ref, entry in known.items() if entry.created) == [ref for ref, _ in managed]
        assert [(ref, known[ref].detail) for ref, _ in uninvited] == uninvited
        assert list(sheet_digests(journal, QUARANTINED)) == digests
        assert next(Job(journal, COMPLETED).plan.changes()).fields["email"] == (None, "ana@example.com")


def test_memberships_are_taken_along(tmp_path: Path) -> None:
    refuse = f"UPDATE membership SET refused = ? WHERE job = '{COMPLETED}' AND row = 4"  # noqa: S608 -- a constant
    path = write_earlier("journal", journal_path(tmp_path, "acme"), (refuse, "no room left"))
    with closing(sqlite3.connect(path)) as db:
        before = db.execute(
            "SELECT m.job, m.row, m.kind, t.path FROM membership AS m JOIN target AS t ON t.id = m.target "
            "AND t.job = m.job ORDER BY m.job, m.row, m.position"
        ).fetchall()
        members = db.execute("SELECT job, op, row FROM membership WHERE op IS NOT NULL ORDER BY 1, 2, 3").fetchall()
    with _opened(path) as journal:
        assert before == [
            (job, change.row, kind, json.dumps(list(group.path)))
            for job in (COMPLETED, UNDONE, UNDO, QUARANTINED, INTERRUPTED)
            for change in Job(journal, job).plan.changes()
            for kind, of_kind in (("add", change.add), ("remove", change.remove))
            for group in of_kind
        ]
        stored = "SELECT job, seq, value FROM operation, json_each(members) ORDER BY 1, 2, 3"
        assert journal.execute(stored).fetchall() == members
        *_, (kind, path_of_group, state, why) = Job(journal, COMPLETED).operations.of_row(4)
        assert (kind, path_of_group, state, why) == (Kind.ADD_MEMBERS, ("Staff",), "failed", "no room left")
        assert Job(journal, COMPLETED).outcome_of_row(4).failed == 1


def test_a_copy_is_kept_of_what_it_was(old: Path) -> None:
    _opened_once(old)
    _opened_once(old)
    copy = old.with_name("acme.journal.v3.bak")
    assert {file.name for file in old.parent.iterdir()} == {old.name, copy.name, "acme.lock"}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    copy.replace(old)
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM job").fetchone() == (5,)
    _opened_once(old)


def test_where_no_copy_can_be_made_it_is_left_as_it_is(old: Path) -> None:
    old.with_name("acme.journal.v3.bak").mkdir()
    with pytest.raises(StateError, match="cannot be copied: Is a directory"):
        Journal.open(old.parent, "acme")
    assert {file.name for file in old.parent.iterdir()} == {old.name, "acme.journal.v3.bak", "acme.lock"}
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)


def test_looking_leaves_it_as_it_is(old: Path) -> None:
    before = old.read_bytes()
    with _opened(old, look=True) as journal:
        assert [job.id for job in read_jobs(journal)][-2:] == [UNDONE, COMPLETED]
    assert old.read_bytes() == before
    assert {file.name for file in old.parent.iterdir()} <= {old.name, "acme.lock"}


def test_a_step_that_fails_leaves_it_as_it_is(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {**FORMAT.steps, VERSION - 1: (*FORMAT.steps[VERSION - 1], "INSERT INTO nothing VALUES (1)")}
    monkeypatch.setattr("musterroll.journal.file.FORMAT", replace(FORMAT, steps=steps))
    with pytest.raises(StateError):
        Journal.open(old.parent, "acme")
    monkeypatch.undo()
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
        assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'turn'").fetchone() == (0,)
    with _opened(old) as journal:
        assert len(list(read_jobs(journal))) == 5


def test_not_while_another_works_with_it(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musterroll.journal.file.BUSY_SECONDS", 0.1)
    with FileLock(old.with_suffix(".lock")):
        with pytest.raises(RefusedError) as refused:
            Journal.open(old.parent, "acme")
        assert refused.value.code == "state.locked"
        with _opened(old, look=True) as journal:  # looking never waits
            assert len(list(read_jobs(journal))) == 5


def test_an_older_version_than_any_that_was_published(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        db.execute("PRAGMA user_version = 1")
    with pytest.raises(StateError, match="version 1"):
        Journal.open(old.parent, "acme")
