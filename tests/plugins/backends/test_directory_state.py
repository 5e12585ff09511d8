"""The state of a directory's file: the same as long as nobody has changed anything, whoever and however."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from musterroll import Context, CreateUser, Desired, FieldSet
from musterroll_plugins.backends.directory import DirectoryOptions, build

pytestmark = pytest.mark.skipif(os.name != "posix", reason="times of files mean something else")
_NUMBERS = count()


def _open(path: Path, *, read_only: bool = False) -> Any:
    context = Context(instance="backend", fields=FieldSet([]), read_only=read_only)
    return build(DirectoryOptions.model_validate({"path": path, "passwords": "none"}), context)


def _state(path: Path) -> str | None:
    with closing(_open(path, read_only=True)) as backend:
        state: str | None = backend.state_of_users()
        return state


def _create(backend: Any, users: int = 1) -> None:
    numbers = [next(_NUMBERS) for _ in range(users)]
    ops = (CreateUser(id=f"op{number}", user=Desired(username=f"user{number}", fields={})) for number in numbers)
    list(backend.execute(ops))


def _sql(path: Path, statement: str = "UPDATE users SET surname = 'X'", mode: str = "delete") -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}").fetchall()
        db.execute(statement)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A directory with a user."""
    path = tmp_path / "users.db"
    with closing(_open(path)) as backend:
        _create(backend)
    return path


def _edit_and_restore(path: Path) -> None:
    copy = path.with_name("copy.db")
    shutil.copy2(path, copy)
    _sql(path)
    shutil.copy2(copy, path)


def _put_a_copy_in_its_place(path: Path) -> None:
    copy = path.with_name("copy.db")
    shutil.copy2(path, copy)
    copy.replace(path)


_CHANGES: dict[str, Callable[[Path], object]] = {
    "a value": _sql,
    "a group": lambda path: _sql(path, "INSERT INTO groups VALUES ('g', NULL, 'G', 'g', NULL, '2026-01-01')"),
    "a membership that goes with its user": lambda path: _sql(path, "DELETE FROM users"),
    "in another mode": lambda path: _sql(path, mode="wal"),
    "and in a third": lambda path: _sql(path, mode="persist"),
    "a copy that is brought back": _edit_and_restore,
    "a copy of the very same": _put_a_copy_in_its_place,
}


@pytest.mark.parametrize("name", _CHANGES)
def test_whatever_changes_the_file_changes_its_state(name: str, path: Path) -> None:
    before = _state(path)
    assert before is not None
    _CHANGES[name](path)
    assert _state(path) != before


def test_who_only_looks_changes_nothing(path: Path) -> None:
    before = _state(path)
    assert before is not None
    with closing(_open(path)) as writing:  # it tries whether it could write
        assert writing.state_of_users() == before
        assert writing.count_users() == 1
    with closing(sqlite3.connect(path)) as db:
        db.execute("SELECT * FROM users").fetchall()
    assert _state(path) == before


def test_two_changes_at_once_are_two_states(path: Path) -> None:
    states = set()
    for _ in range(10):
        _sql(path, "UPDATE users SET active = 1 - active")
        states.add(_state(path))
    assert len(states) == 10


def test_a_directory_that_is_made_begins_as_one_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "users.db"
    nothing = _state(path)
    assert nothing is not None
    with closing(_open(path)) as writing:
        assert writing.state_of_users() == nothing
        _create(writing)
        own = writing.state_of_users()
    assert own is not None
    assert own == _state(path) != nothing


def test_nothing_is_left_to_write_when_a_large_first_import_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "users.db"
    with closing(_open(path)) as writing:
        writing.state_of_users()
        _create(writing, users=2 * writing.capabilities().chunk + 1)
        own = writing.state_of_users()
    assert own is not None
    assert own == _state(path)


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("when", ["before the first", "between two", "after the last"])
def test_what_others_change_meanwhile_is_noticed(path: Path, when: str, mode: str) -> None:
    with closing(_open(path)) as writing:
        assert writing.state_of_users() is not None
        for moment in ("before the first", "between two", "after the last"):
            if when == moment:
                with closing(sqlite3.connect(path, isolation_level=None)) as other:
                    if mode == "wal" and moment == "before the first":
                        other.execute("PRAGMA journal_mode = WAL").fetchall()
                    other.execute("UPDATE users SET surname = 'X'")
            if moment != "after the last":
                _create(writing)
        assert writing.state_of_users() is None


def test_who_writes_again_and_again_knows_it_every_time(path: Path) -> None:
    with closing(_open(path)) as writing:
        states = [writing.state_of_users()]
        for _ in range(3):
            _create(writing)
            _create(writing)
            states += [writing.state_of_users(), writing.state_of_users()]
        assert states[1::2] == states[2::2]
        assert len({*states}) == 4
        assert None not in states
    assert _state(path) == states[-1]


def test_a_file_that_others_keep_in_another_mode_has_no_state(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL").fetchall()
        other.execute("UPDATE users SET surname = 'X'")
        assert _state(path) is None
        with closing(_open(path)) as writing:
            assert writing.state_of_users() is None
            _create(writing)
            assert writing.state_of_users() is None


def test_somebody_who_reads_all_the_while_stops_nobody(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        with closing(_open(path)) as writing:
            assert writing.state_of_users() is not None
            _create(writing)
            assert other.execute("SELECT count(*) FROM users").fetchone() == (2,)  # by now it takes part in the WAL
            assert writing.state_of_users() is None
            _create(writing)
        other.execute("UPDATE users SET surname = 'Y'")
    _open(path).close()  # brings it to rest
    assert _state(path) is not None
