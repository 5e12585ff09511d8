"""Taking a job back in a portal that misbehaves, through the command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from support.mock_portal import mock_portal
from support.workplace import Workplace

FAULTS = (
    "--fault",
    "429:0.05",
    "--retry-after",
    "0",
    "--fault",
    "reset-after-commit:0.1",
    "--ignore-filters",
    "--duplicate-status",
    "500",
)
HEADINGS = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups"


def _sheet(*rows: str) -> str:
    return "\n".join([HEADINGS, "guidance,,,,,,,", *rows]) + "\n"


def _state(directory: Path) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]], list[tuple[str, ...]]]:
    with closing(sqlite3.connect(directory)) as db:
        users = "SELECT username, email, forename, surname, phone, active FROM users ORDER BY 1"
        groups = "SELECT g.name, p.name FROM groups AS g LEFT JOIN groups AS p ON p.id = g.parent_id ORDER BY 1, 2"
        members = (
            "SELECT u.username, g.name FROM memberships AS m JOIN users AS u ON u.id = m.user_id "
            "JOIN groups AS g ON g.id = m.group_id ORDER BY 1, 2"
        )
        return db.execute(users).fetchall(), db.execute(groups).fetchall(), db.execute(members).fetchall()


@pytest.mark.slow
def test_an_undo_on_a_bad_day(place: Workplace) -> None:
    directory = place.folder / "portal.db"
    with mock_portal(directory, "--seed", "3", "--passwords", "none", *FAULTS) as portal:
        place.write(
            "musterroll.toml",
            f'name = "test"\nbackend.use = "scim"\nbackend.options = {portal.options}\n'
            'undo.created = "delete"\nmembership.mode = "replace"\n',
        )
        old = [f"u{n}@example.com,user{n}x,Old,Name,Sunny-day-42{n},,,Region|North;Staff" for n in range(10)]
        new = [f"u{n}@example.com,user{n}x,New,Name,Sunny-day-42{n},44,77123456{n:02},Region|South" for n in range(20)]
        place.write("old.csv", _sheet(*old))
        place.write("new.csv", _sheet(*new))
        assert place.json("run", "old.csv").status == 0
        before = _state(directory)
        done = place.json("run", "new.csv")
        assert (done.status, done.document["job"]["counts"]["updated"]) == (0, 10), done.out
        undone = place.json("jobs", "undo", done.document["job"]["id"])
        assert undone.status == 0, undone.out
        assert undone.document["job"]["state"] == "completed"
        assert undone.document["job"]["counts"]["updated"] == 10
        assert undone.document["job"]["counts"]["deleted"] == 10
        assert {problem["code"] for problem in undone.document["problems"]} == {"undo.invite"}
        assert _state(directory) == before
        jobs = place.json("jobs", "list").document["jobs"]
        assert [job["state"] for job in jobs] == ["completed", "undone", "completed"]
        again = place.json("jobs", "undo", done.document["job"]["id"])
        assert (again.status, again.document["error"]["code"]) == (3, "undo.nothing")
