"""A row of which nothing is to be done nor noted gets no further look: what comes of it is the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from musterroll import UserKey
from musterroll.journal.change import Action
from musterroll_plugins.backends.directory.backend import DirectoryBackend
from support.pipelines import DIRECTORY, Told, Work, addressed, user

Row = dict[str, str]
_ROWS = (
    addressed("ana", surname="Silva", groups="A|B;C"),
    addressed("bo", phone="7712345678", calling_code="44", groups="A"),
    user("cy"),  # without an address the notifiers have to be asked again, every night
    addressed("dee", department="Sales"),
    addressed("Émile", groups="A|B"),
)
_FIELD = '[[sheet.fields]]\nname = "department"\nheading = "department"'


@dataclass(frozen=True)
class Night:
    """What differs between two nights: the portal, the pipeline, the ledger, the sheet, the time."""

    portal: Sequence[str] = ()
    top: str = ""
    tables: str = ""
    journal: Sequence[str] = ()
    rows: Sequence[Row] = _ROWS
    days: float = 0


def _edit(file: Path, statements: Sequence[str]) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        for statement in statements:
            db.execute(statement)


def _ledger(work: Work) -> dict[str, list[Any]]:
    """What is noted of users, by their names: the ids differ from portal to portal."""
    with closing(sqlite3.connect(work.journal)) as db:
        return {
            table: db.execute(f"SELECT {columns} FROM {table} ORDER BY username").fetchall()  # noqa: S608 -- constants
            for table, columns in {
                "roster": "username",
                "managed": "username",
                "uninvited": "username, reason",
                "invite": "username, state, channel, date(sent), date(expires)",
            }.items()
        } | {"taken_back": db.execute("SELECT count(*) FROM taken_back").fetchall()}


def _two_nights(work: Work, night: Night) -> tuple[Told, dict[str, list[Any]]]:
    first = work.pipeline(tables=_FIELD, backend=DIRECTORY)
    assert work.run(first, work.sheet(*_ROWS, others=["department"])).state == "completed"
    _edit(work.folder / "users.db", night.portal)
    _edit(work.journal, night.journal)
    work.clock.pass_days(night.days)
    second = work.pipeline(night.top, f"{_FIELD}\n{night.tables}", backend=DIRECTORY)
    return work.run(second, work.sheet(*night.rows, others=["department"])), _ledger(work)


def _lines(night: Told) -> list[object]:
    changes = [
        (one.row, one.username, one.action, one.password, dict(one.fields), one.add, one.remove, one.invite)
        for one in night.changes
    ]
    return [*changes, night.rows, night.invites, [(p.code, p.row, p.message) for p in night.problems]]


_SETTLED = {
    "nothing": Night(),
    "another day": Night(days=3),
    "a group more": Night(
        portal=["INSERT INTO memberships SELECT u.id, g.id FROM users AS u, groups AS g WHERE username = 'cy'"]
    ),
    "what no column says": Night(portal=["UPDATE users SET surname = 'X' WHERE username = 'cy'"]),
    "invites for all": Night(top='invites.send_to = "all"', rows=_ROWS[:2]),
}
_SEEN = {
    "a value": Night(portal=["UPDATE users SET forename = 'Anna' WHERE username = 'ana'"]),
    "an own field": Night(portal=["UPDATE users SET attributes = '{}' WHERE username = 'dee'"]),
    "a value that is gone": Night(portal=["UPDATE users SET phone = NULL WHERE username = 'bo'"]),
    "a deactivated user": Night(portal=["UPDATE users SET active = 0 WHERE username = 'ana'"]),
    "and what that is for": Night(
        portal=["UPDATE users SET active = 0 WHERE username = 'ana'"], top='on_inactive = "reactivate"'
    ),
    "a user who is gone": Night(portal=["DELETE FROM users WHERE username = 'bo'"]),
    "a renamed user": Night(portal=["UPDATE users SET username = 'x', username_key = 'x' WHERE username = 'bo'"]),
    "another spelling": Night(portal=["UPDATE users SET username = 'ANA' WHERE username = 'ana'"]),
    "a membership": Night(portal=["DELETE FROM memberships"]),
    "one of two memberships": Night(
        portal=["DELETE FROM memberships WHERE group_id = (SELECT id FROM groups WHERE name = 'C')"]
    ),
    "the other one": Night(
        portal=["DELETE FROM memberships WHERE group_id <> (SELECT id FROM groups WHERE name = 'C')"]
    ),
    "a group that is gone": Night(portal=["DELETE FROM memberships", "DELETE FROM groups WHERE name = 'B'"]),
    "another user of this name": Night(portal=["UPDATE users SET id = 'other' WHERE username = 'cy'"]),
    "an expired invite": Night(top='invites.send_to = "pending"', days=20),
    "invites that are off by now": Night(top='invites.send_to = "none"'),
    "whoever has no address": Night(portal=["UPDATE users SET email = NULL WHERE username = 'ana'"]),
    "a name in the ledger": Night(journal=["UPDATE managed SET username = 'former' WHERE username = 'ana'"]),
    "an invite's name": Night(journal=["UPDATE invite SET username = 'former' WHERE username = 'bo'"]),
    "an earlier invite's name": Night(
        journal=[
            """
            INSERT INTO invite SELECT -1, pipeline, identity, ref, purpose, 'former', state, channel, 'earlier', job,
                row, sent, expires, detail, turn FROM invite WHERE username = 'bo'
            """
        ]
    ),
    "a roster that lacks one": Night(journal=["DELETE FROM roster WHERE username = 'dee'"]),
    "a held invite": Night(journal=["UPDATE invite SET state = 'held' WHERE username = 'bo'"]),
    "who was taken back": Night(
        journal=[
            "INSERT INTO taken_back SELECT pipeline, identity, ref, job FROM managed, owner WHERE username = 'ana'"
        ]
    ),
    "a row more": Night(rows=[*_ROWS, addressed("new", groups="New")]),
    "a row less": Night(rows=_ROWS[1:]),
    "a changed row": Night(rows=[*_ROWS[:2], addressed("cy", groups="C"), *_ROWS[3:]]),
    "a bad row": Night(rows=[*_ROWS[:2], user("cy", email="nonsense"), *_ROWS[3:]], top='on_error = "skip"'),
    "two rows for one user": Night(
        rows=[*_ROWS, user("BO")], top='on_error = "skip"', tables='[[validators]]\nname = "unique"\nenabled = false'
    ),
    "two rows that are the same": Night(
        rows=[*_ROWS, _ROWS[0]], top='on_error = "skip"', tables='[[validators]]\nname = "unique"\nenabled = false'
    ),
    "a rule of the whole sheet": Night(rows=[*_ROWS, user("BO")], top='on_error = "skip"'),
    "blank cells that clear": Night(rows=[user("ana"), *_ROWS[1:]], top='sheet.on_blank_cell = "clear"'),
    "other groups": Night(
        rows=[*_ROWS[:1], addressed("bo", groups="C"), *_ROWS[2:]], top='membership.mode = "replace"'
    ),
    "a password": Night(top='password.on_existing = "reset"'),
    "absent users": Night(rows=_ROWS[1:], top='absent = "report"'),
    "absent users who go": Night(rows=_ROWS[1:], top='absent = "deactivate"', tables="[limits]\ndeactivate = 5"),
    "another field to match": Night(top='match = ["email", "username"]'),
    "a protected user": Night(top='protect = ["an*"]'),
    "a default": Night(tables='[sheet.defaults]\nsurname = "Doe"\ngroups = "D"'),
}


@pytest.mark.parametrize("name", [*_SETTLED, *_SEEN])
def test_a_second_night_is_the_same_both_ways(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = {**_SETTLED, **_SEEN}[name]
    for way in ("quick", "plain"):
        (tmp_path / way).mkdir()
    quick = _two_nights(Work(tmp_path / "quick"), night)
    monkeypatch.setenv("MUSTERROLL_PLAIN", "1")
    plain = _two_nights(Work(tmp_path / "plain"), night)
    assert _lines(quick[0]) == _lines(plain[0])
    assert quick[1] == plain[1]


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The usernames that were looked up."""
    names, look_up = set[str](), DirectoryBackend.lookup

    def lookup(self: DirectoryBackend, keys: Sequence[UserKey]) -> Any:
        names.update(key.raw for key in keys)
        return look_up(self, keys)

    monkeypatch.setattr(DirectoryBackend, "lookup", lookup)
    return names


@pytest.mark.parametrize("name", _SETTLED)
def test_settled_rows_are_not_looked_up(name: str, work: Work, looked_up: set[str]) -> None:
    def forget() -> list[str]:
        looked_up.clear()
        return []

    night = _SETTLED[name]
    edits = _Edits(night.portal, forget)
    done, _ = _two_nights(work, Night(edits, night.top, night.tables, night.journal, night.rows, night.days))
    assert looked_up == {row["username"] for row in night.rows} & {"cy"}
    assert {change.action for change in done.changes} == {Action.UNCHANGED}


class _Edits(list[str]):
    """Statements; something else is done when they are."""

    def __init__(self, statements: Sequence[str], also: Callable[[], object]) -> None:
        super().__init__(statements)
        self._also = also

    def __iter__(self) -> Any:
        self._also()
        return super().__iter__()


def test_only_the_row_that_differs_is_looked_up(work: Work, looked_up: set[str]) -> None:
    edits = _Edits(["UPDATE users SET forename = 'Anna' WHERE username = 'ana'"], looked_up.clear)
    done, _ = _two_nights(work, Night(edits))
    assert looked_up == {"ana", "cy"}
    assert done.rows == {"updated": 1, "unchanged": 4}


def test_what_a_person_may_have_to_approve_is_planned_whole(work: Work, looked_up: set[str]) -> None:
    edits = _Edits([], looked_up.clear)
    done, _ = _two_nights(work, Night(edits, top="limits.update = 0"))
    assert {row["username"] for row in _ROWS} <= looked_up
    assert done.rows == {"unchanged": 5}
