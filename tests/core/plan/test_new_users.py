"""New users of whom nothing is to be said are planned by their texts alone: what comes of it is the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from musterroll import Desired
from musterroll.errors import PluginError
from musterroll.plan.row import RowPlanner
from support.pipelines import DIRECTORY, Told, Work, addressed, user

Row = Mapping[str, str]
_ROWS = (
    addressed("ana", surname="Silva", groups="A|B;C"),
    addressed("bo", phone="7712345678", calling_code="44", groups="A"),
    user("cy", groups="A|B;C"),
    addressed("dee", department='Sales "north" \\', groups="a|b;C"),
    addressed("Émile", groups="A|B;C"),
    addressed("fay"),
)
_FIELD = '[[sheet.fields]]\nname = "department"\nheading = "department"'
_NO_UNIQUE = '[[validators]]\nname = "unique"\nenabled = false'


@dataclass(frozen=True)
class Sheet:
    """What differs: the pipeline, the sheet, those who are there before."""

    top: str = ""
    tables: str = ""
    backend: str = DIRECTORY
    rows: Sequence[Row] = _ROWS
    before: Sequence[Row] = ()
    journal: Sequence[str] = ()


_SHEETS = {
    "nothing": Sheet(),
    "no invites": Sheet(top='invites.send_to = "none"'),
    "some who are there": Sheet(before=[_ROWS[1], addressed("cy", groups="Z")]),
    "whom the portal has lost": Sheet(before=_ROWS, journal=["DELETE FROM users", "DELETE FROM memberships"]),
    "groups that are not made": Sheet(top='membership.missing = "skip"', before=[addressed("x", groups="A|B")]),
    "groups that are an error": Sheet(
        top='membership.missing = "error"\non_error = "skip"', before=[addressed("x", groups="A|B")]
    ),
    "groups that look like others": Sheet(
        before=[addressed("x", groups="Marketing")],
        rows=[
            addressed("ana", groups="Marketng"),
            addressed("bo", groups="Marketng"),
            addressed("cy", groups="marketng"),
        ],
    ),
    "a password that is needed": Sheet(top='on_error = "skip"', rows=[*_ROWS, user("gus", password="")]),
    "a password that is not": Sheet(top='password.required = "never"', rows=[*_ROWS, user("gus", password="")]),
    "groups that others have named": Sheet(
        rows=[
            addressed("ana", groups="A|B"),
            addressed("bo", groups="C"),
            addressed("cy", groups="C;A|B"),
            addressed("dee", groups="a|b;A|B;C"),
            addressed("eve", groups="A|B;a|b;A"),
            addressed("fay", groups="A;a|b;C"),
        ],
    ),
    "bad rows": Sheet(top='on_error = "skip"', rows=[*_ROWS, user("gus", email="nonsense", groups="A"), user("")]),
    "the first of its groups is bad": Sheet(
        top='on_error = "skip"', rows=[user("gus", email="nonsense", groups="Q"), *(user(n, groups="Q") for n in "hij")]
    ),
    "two rows for one user": Sheet(top='on_error = "skip"', rows=[*_ROWS, user("BO")], tables=_NO_UNIQUE),
    "protected users": Sheet(top='protect = ["an*"]\non_error = "skip"'),
    "addresses that are taken once": Sheet(
        backend='use = "directory"\noptions = { path = "users.db", passwords = "none", unique_email = true }',
        rows=[*_ROWS, user("gus", email="ana@example.com")],
        top='on_error = "skip"',
    ),
    "defaults": Sheet(tables='[sheet.defaults]\nsurname = "Doe"\ngroups = "D"'),
    "another field to match": Sheet(top='match = ["email", "username"]', before=[addressed("bo")]),
    "another portal": Sheet(backend=""),
}


def _run(work: Work, sheet: Sheet) -> tuple[Told, dict[str, list[Any]]]:
    pipeline = work.pipeline(sheet.top, f"{_FIELD}\n{sheet.tables}", backend=sheet.backend)
    if sheet.before:
        work.run(pipeline, work.sheet(*sheet.before, others=["department"], name="before.csv"))
    if sheet.journal:
        with closing(sqlite3.connect(work.folder / "users.db")) as db, db:
            for statement in sheet.journal:
                db.execute(statement)
    told = work.run(pipeline, work.sheet(*sheet.rows, others=["department"]))
    return told, _stored(work)


def _stored(work: Work) -> dict[str, list[Any]]:
    """What the journal has, but for ids, which differ."""
    in_order = "ORDER BY (SELECT number FROM job WHERE id = job), 1, 2"
    with closing(sqlite3.connect(work.journal)) as db:
        return {
            table: db.execute(f"SELECT {columns} FROM {table} {in_order}").fetchall()  # noqa: S608 -- constants
            for table, columns in {
                "row": "row, username, folded, action, password, fields, invite, channel, reason, recipient, add_to, "
                "remove_from",
                "target": "id, path, parent, is_new",
                "operation": "seq, phase, kind, row, target, state, members",
            }.items()
        }


def _lines(told: Told) -> list[object]:
    return [
        [(one.row, one.username, one.action, one.fields, one.add, one.remove, one.invite) for one in told.changes],
        told.rows,
        told.invites,
        told.groups_to_create,
        [(problem.code, problem.row, problem.message) for problem in told.problems],
    ]


@pytest.mark.parametrize("name", _SHEETS)
def test_a_first_sheet_is_the_same_both_ways(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for way in ("quick", "plain"):
        (tmp_path / way).mkdir()
    quick = _run(Work(tmp_path / "quick"), _SHEETS[name])
    monkeypatch.setenv("MUSTERROLL_PLAIN", "1")
    plain = _run(Work(tmp_path / "plain"), _SHEETS[name])
    assert quick[0].rows["created"]
    assert _lines(quick[0]) == _lines(plain[0])
    assert quick[1] == plain[1]


def test_only_the_first_user_of_a_group_is_planned_whole(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    planned, plan = list[int](), RowPlanner.plan

    def watched(self: RowPlanner, checked: Any, *args: Any, **options: Any) -> Any:
        planned.append(checked.number)
        return plan(self, checked, *args, **options)

    monkeypatch.setattr(RowPlanner, "plan", watched)
    rows = [addressed(f"user{number}", groups=f"Site {number % 3}") for number in range(30)]
    rows += [addressed("others", groups="Site 2;Site 0"), addressed("nowhere")]
    assert work.run(work.pipeline(backend=DIRECTORY), work.sheet(*rows)).rows == {"created": 32}
    assert planned == [3, 4, 5]  # below headings and guidance


@pytest.mark.parametrize("part", ["canonical", "check"], ids=["what becomes of a value", "what it will not take"])
def test_a_portal_that_breaks_over_a_row_is_told_with_the_row(work: Work, part: str) -> None:
    def breaks(desired: Desired, *others: object) -> Any:
        if desired.username == "bo":
            raise ZeroDivisionError("what is this?")
        return [] if part == "check" else desired

    work.portal.can = {"changes_values": True}
    setattr(work.portal, part, breaks)
    with pytest.raises(PluginError, match=r"row 4.*what is this\?"):
        work.run(work.pipeline(), work.sheet(user("ana"), user("bo"), user("cy")))
    assert work.portal.handed == []
