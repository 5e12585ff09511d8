"""What is found out about tables, and what of them becomes a problem at a cell: in files of SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from musterroll import (
    BackendError,
    Batch,
    CreateUser,
    Deactivate,
    Desired,
    Field,
    FieldType,
    Status,
    UserKey,
    UserRef,
)
from support.sql_servers import needs_sql
from support.sql_tables import make_file, open_sql

pytestmark = needs_sql

_MEMBERS = """
    CREATE TABLE members (
        id CHAR(32) PRIMARY KEY,
        name VARCHAR(20) NOT NULL UNIQUE,
        born DATE,
        number INTEGER NOT NULL,
        mail VARCHAR(50),
        left_at DATETIME
    )
"""
_USERS: dict[str, Any] = {
    "table": "members",
    "username": "name",
    "columns": {"birthday": "born", "member_number": "number", "email": "mail"},
    "active": "left_at",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "club.db")) as made:
        made.execute(_MEMBERS)
        made.execute("CREATE UNIQUE INDEX one_number ON members (number)")
        made.execute("CREATE UNIQUE INDEX some_mails ON members (mail) WHERE left_at IS NULL")
    return tmp_path / "club.db"


def desired(name: str = "ana", **fields: str | None) -> Desired:
    return Desired(username=name, fields={"member_number": "1", **fields})


@pytest.mark.parametrize(
    ("user", "fields"),
    [
        (desired(), []),
        (desired(birthday="2001-02-03"), []),
        (desired("a" * 21), ["username"]),
        (desired(birthday="3 Feb"), ["birthday"]),
        (desired(member_number="one"), ["member_number"]),
        (desired(member_number=None), ["member_number"]),
        (desired("a\0na"), ["username"]),
        (desired("a\ud800na"), ["username"]),
    ],
)
def test_what_a_column_does_not_take(file: Path, user: Desired, fields: list[str]) -> None:
    backend = open_sql(read_only=True, file=file, users=_USERS)
    found = list(backend.check(user, None, None))
    assert [one.field for one in found] == fields
    backend.close()


def test_new_users_of_whom_something_may_be_said(tmp_path: Path) -> None:
    """Of all others nothing is, so they are planned by their texts alone."""
    file = tmp_path / "guests.db"
    made = (
        "CREATE TABLE guests (id CHAR(32) PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, "
        "nick VARCHAR(9) NOT NULL UNIQUE, room CHAR(4))"
    )
    make_file(file, [made, "INSERT INTO guests VALUES ('1', 'zoe', 'Zo', NULL)"])
    users = {"table": "guests", "username": "name", "columns": {"nick": "nick", "room": "room"}}
    backend = open_sql(read_only=True, file=file, users=users)
    rows = {
        "ana": ("a", ""),
        "no nick": ("", ""),
        "taken": ("ZO", ""),
        "filled up": ("b", "12"),
        "name of more than twenty": ("c", ""),
        "long nick": ("d" * 10, ""),
        "bo": ("e", ""),
    }
    nicks, rooms = zip(*rows.values(), strict=True)
    batch = Batch(range(2, len(rows) + 2), {"username": list(rows), "nick": nicks, "room": rooms}, {})
    assert set(backend.suspects(batch)) == {1, 2, 3, 4, 5}
    backend.close()


def test_values_are_shown_as_they_were_promised(file: Path) -> None:
    backend = open_sql(file=file, users=_USERS)
    can = backend.capabilities()
    assert (can.groups, can.passwords, can.unique_email, can.deactivate) == (False, False, False, True)
    user = backend.canonical(desired(member_number="007", birthday="2001-02-03", email="a@example.com"))
    assert user.fields["member_number"] == "7"
    (made,) = backend.execute(iter([CreateUser(id="1", user=user)]))
    (left,) = backend.execute(iter([Deactivate(id="2", user=UserRef(str(made.ref), "ana"))]))
    assert left.status is Status.DONE
    with closing(sqlite3.connect(file)) as opened:
        (row,) = opened.execute("SELECT name, born, number, left_at IS NULL FROM members").fetchall()
    assert row == ("ana", "2001-02-03", 7, 0)
    (objection,) = backend.check(desired("bo", member_number="7"), None, None)
    assert (objection.field, objection.code) == ("member_number", "backend.unsupported")
    assert objection.message == 'The user "ana" has this value already; give another one'
    backend.close()


def test_a_truth_value_is_one_in_the_table(tmp_path: Path) -> None:
    made = "CREATE TABLE people (id CHAR(32) PRIMARY KEY, name VARCHAR(20) UNIQUE, hired BOOLEAN, flag INTEGER)"
    make_file(tmp_path / "p.db", [made])
    users = {"table": "people", "username": "name", "columns": {"hired": "hired", "flag": "flag"}}
    fields = [Field(name=name, heading=name, type=FieldType.BOOLEAN) for name in ("hired", "flag")]
    backend = open_sql(*fields, file=tmp_path / "p.db", users=users)
    user = backend.canonical(Desired(username="ana", fields={"hired": "true", "flag": "false"}))
    assert user.fields == {"hired": "true", "flag": "0"}
    (done,) = backend.execute(iter([CreateUser(id="1", user=user)]))
    assert done.status is Status.DONE
    (found,) = backend.lookup([UserKey("username", "ana", "ana")]).values()
    assert found[0].fields == user.fields
    with closing(sqlite3.connect(tmp_path / "p.db")) as opened:
        assert opened.execute("SELECT hired, flag FROM people").fetchall() == [(1, 0)]
    (objection,) = backend.check(Desired(username="bo", fields={"hired": "perhaps"}), None, None)
    assert objection.field == "hired"
    backend.close()
    # A text does not belong there.
    with pytest.raises(BackendError, match="holds no texts"):
        open_sql(file=tmp_path / "p.db", users=users).count_users()


def test_who_is_refused_keeps_no_other_out(file: Path) -> None:
    with closing(sqlite3.connect(file)) as opened:
        opened.execute(
            "CREATE TRIGGER no_bo BEFORE INSERT ON members WHEN new.name = 'bo' "
            "BEGIN SELECT RAISE(ABORT, 'bo is not wanted'); END"
        )
    backend = open_sql(file=file, users=_USERS)
    ops = [CreateUser(id=name, user=desired(name, member_number=str(n))) for n, name in enumerate(("ana", "bo", "cy"))]
    results = {result.op: result for result in backend.execute(iter(ops))}
    assert [results[name].status for name in ("ana", "bo", "cy")] == [Status.DONE, Status.FAILED, Status.DONE]
    assert "bo is not wanted" in str(results["bo"].detail)
    assert backend.count_users() == 2
    backend.close()


def test_a_file_that_is_not_there_or_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="unable to open"):
        open_sql(file=tmp_path / "away.db", users=_USERS).count_users()
    assert not list(tmp_path.iterdir())
    (tmp_path / "text.db").write_text("This is a text, not a database. " * 200, encoding="utf-8")
    with pytest.raises(BackendError, match="not a database"):
        open_sql(file=tmp_path / "text.db", users=_USERS).count_users()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"url": "postgresql://importer@db/shop", "file": "shop.db"},
        {"url": "oracle://importer@db/shop"},
        {"url": "postgresql://importer:secret@db/shop"},
        {"url": "postgresql://importer@db"},
        {"url": "postgresql://importer@db/shop?sslmode=disable"},
        {"url": "postgresql:///shop"},
        {"file": "shop.db", "groups": {}},
        {"file": "shop.db", "passwords": "bcrypt"},
        {"file": "shop.db", "users": {"active": "state", "active_value": "on"}},
        {"file": "shop.db", "users": {"columns": {"password": "hash"}}},
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        open_sql(**options)
    assert "secret" not in str(caught.value).partition("[type=")[0]
