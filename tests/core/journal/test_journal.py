"""The journal's file: who may open it, who may write, and what is never overwritten."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll.errors import RefusedError, StateError
from musterroll.journal.glance import glance
from musterroll.journal.journal import Journal, journal_path
from musterroll.journal.schema import VERSION
from support.processes import start, wait_for

HOLD = """
from musterroll.journal.journal import Journal
with Journal.open(folder, "acme").lock():
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_one_writer_at_a_time_and_a_killed_one_blocks_nobody(tmp_path: Path) -> None:
    with start(HOLD, tmp_path) as other:
        wait_for(other, "locked")
        with closing(Journal.open(tmp_path, "acme")) as journal:
            assert journal.is_locked()
            with pytest.raises(RefusedError, match="another musterroll is working") as refused, journal.lock():
                pass
            assert refused.value.code == "state.locked"
            other.kill()
            other.wait()
            assert not journal.is_locked()
            with journal.lock():
                assert journal.is_locked()
            assert not journal.is_locked()


def test_whatever_was_not_committed_was_no_writer(tmp_path: Path) -> None:
    numbers = []
    for _ in range(2):
        with closing(Journal.open(tmp_path, "acme")) as journal, journal.lock():
            with pytest.raises(ZeroDivisionError), journal.transaction():
                1 / 0  # noqa: B018
            journal.begin()
            journal.execute("ROLLBACK")  # as SQLite does where the disk is full
            with journal.transaction():
                journal.next_turn()
            numbers.append(journal.writer)
            with journal.transaction():
                journal.next_turn()
            assert journal.writer == numbers[-1]
    with closing(Journal.open(tmp_path, "acme")) as journal, journal.lock():
        assert journal.writer is None  # who writes nothing is none
    assert numbers == [1, 2]


def test_pipelines_do_not_block_each_other(tmp_path: Path) -> None:
    with closing(Journal.open(tmp_path, "acme")) as one, closing(Journal.open(tmp_path, "acme.north")) as two:
        with one.lock(), two.lock():
            pass
        assert one.path != two.path


def test_many_open_a_new_journal_at_once(tmp_path: Path) -> None:
    code = """
from musterroll.journal.glance import glance
from musterroll.journal.journal import Journal
print("ready", flush=True)
sys.stdin.readline()
for number in range(30):
    Journal.open(folder / str(number), "acme").close()
print("done", flush=True)
"""
    others = [start(code, tmp_path) for _ in range(3)]
    for other in others:
        wait_for(other, "ready")
    for other in others:
        assert other.stdin is not None
        other.stdin.write("\n")
        other.stdin.flush()
    for other in others:
        with other:
            wait_for(other, "done")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_for_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    old = os.umask(0)
    try:
        with closing(Journal.open(folder, "acme")) as journal, journal.lock(), journal.transaction():
            journal.execute("INSERT INTO managed VALUES (1, 'c', 'd', 'e')")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert set(modes) >= {"acme.journal", "acme.journal-wal", "acme.lock"}
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("content", [b"x", b"shopping list\n", b"y" * 511, b"z" * 5000], ids=len)
def test_another_programs_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = journal_path(tmp_path, "acme")
    path.write_bytes(content)
    _refused(tmp_path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = journal_path(tmp_path, "acme")
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    _refused(tmp_path)
    assert path.read_bytes() == before


def test_another_programs_database_without_tables(tmp_path: Path) -> None:
    with closing(sqlite3.connect(journal_path(tmp_path, "acme"))) as db:
        db.executescript("PRAGMA application_id = 77; CREATE TABLE x (y); DROP TABLE x")
    _refused(tmp_path)


def test_a_newer_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = journal_path(tmp_path, "acme")
    Journal.open(tmp_path, "acme").close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
        db.execute("UPDATE meta SET value = '9.1.2'")
        db.commit()
    before = path.read_bytes()
    assert "newer version of musterroll, 9.1.2" in _refused(tmp_path)
    assert "9.1.2" in (glance(tmp_path, "acme").fault or "")
    with pytest.raises(StateError) as error:
        Journal.look(tmp_path, "acme")
    assert error.value.code == "state.newer"
    assert path.read_bytes() == before


@pytest.mark.parametrize("keep", [1000, 5000, 20000])
def test_a_damaged_journal_is_one_line(tmp_path: Path, keep: int) -> None:
    path = journal_path(tmp_path, "acme")
    with closing(Journal.open(tmp_path, "acme")) as journal, journal.transaction():
        journal.executemany(
            "INSERT INTO managed VALUES (1, ?, 'name', 'job')",
            [(f"user{number}",) for number in range(2000)],
        )
    damaged = path.read_bytes()[:keep]
    path.write_bytes(damaged)
    with pytest.raises(StateError) as error, closing(Journal.open(tmp_path, "acme")) as journal:
        list(journal.stream("SELECT * FROM managed"))
    assert error.value.code == "state.corrupt"
    assert "\n" not in error.value.message


def test_what_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file", encoding="utf-8")
    with pytest.raises(StateError, match="cannot be written"):
        Journal.open(tmp_path / "state", "acme")
    journal_path(tmp_path, "acme").mkdir()
    with pytest.raises(StateError, match="cannot be written"):
        Journal.open(tmp_path, "acme")


def test_a_temporary_journal_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    with closing(Journal.temporary()) as journal, journal.lock(), journal.transaction():
        journal.executemany(
            "INSERT INTO managed VALUES (1, ?, 'name', 'job')",
            [(f"user{number}" * 50,) for number in range(20_000)],
        )
    assert list(tmp_path.iterdir()) == []


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    with closing(Journal.open(tmp_path, "acme")) as journal:
        with pytest.raises(StateError):
            _write_and_fail(journal)
        assert list(journal.stream("SELECT * FROM managed")) == []


def test_a_stream_may_be_given_up_after_the_journal_is_closed(tmp_path: Path) -> None:
    """As Ctrl-C in the middle of a report does; what a forgotten stream raises is printed as a traceback."""
    with closing(Journal.open(tmp_path, "acme")) as journal:
        names = journal.stream("SELECT name FROM sqlite_schema")
        next(names)
    assert isinstance(names, Generator)
    names.close()


def test_a_failure_that_is_kept_does_not_keep_the_file_open(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, "acme")
    with closing(journal), journal.transaction(), pytest.raises(StateError) as kept:
        journal.execute("INSERT INTO job (id) VALUES (NULL)")
    assert kept.tb is not None
    # Whoever closes it last takes its last changes in, and this file away.
    assert not (tmp_path / "acme.journal-wal").exists()


def _write_and_fail(journal: Journal) -> None:
    with journal.transaction():
        journal.execute("INSERT INTO managed VALUES (1, 'c', 'd', 'e')")
        journal.execute("INSERT INTO nothing VALUES (1)")


def _refused(folder: Path) -> str:
    with pytest.raises(StateError) as error:
        Journal.open(folder, "acme")
    assert "\n" not in error.value.message
    assert str(journal_path(folder, "acme")) in error.value.message
    return error.value.message


@given(st.dictionaries(st.integers(0, 60) | st.sampled_from((900, 1 << 40)), st.text("ab", max_size=2)))
def test_what_is_given_for_numbers_reaches_those_and_no_other(given_for: dict[int, str]) -> None:
    there = {*range(0, 60, 2), 900, 1 << 40}
    with closing(Journal.temporary()) as journal:
        journal.executemany("INSERT INTO owner VALUES (?, '', ?)", [(number, number) for number in there])
        reading = journal.stream("SELECT number FROM owner")  # whoever reads meanwhile is in nobody's way
        next(reading)
        journal.execute_given(
            "UPDATE owner SET pipeline = ? || given(number) WHERE number BETWEEN ? AND ? AND given(number) IS NOT NULL",
            ("x",),
            given_for,
        )
        changed = dict(journal.execute("SELECT number, substr(pipeline, 2) FROM owner WHERE pipeline <> ''").fetchall())
        assert changed == {number: text for number, text in given_for.items() if number in there}
        assert journal.execute("SELECT count(given(number)) FROM owner").fetchone() == (0,)
