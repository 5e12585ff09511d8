"""Whole jobs into the tables of an application in PostgreSQL: again, killed; and what is said when all is not well."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.evidence import Counterpart
from support.fork_server import fork_server
from support.rosters import person, write_csv
from support.sql_servers import PASSWORD, Postgres, needs_postgres, postgres
from support.sql_tables import DESCRIBED, application, changed, options_text
from support.workplace import Ended, Inside, Workplace, asks_for_nothing, one_line

pytestmark = needs_postgres

COUNTERPART = ("sql", "PostgreSQL")
SEEN = Counterpart(*COUNTERPART)

_numbers = count()
_STANDARD = changed(DESCRIBED, users={"columns": {"department": None}})
_FAST = changed(_STANDARD, passwords="none", users={"password": None, "constants": {"password": "!"}})


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


class Shop:
    """A folder with a pipeline and sheets, and an application's tables."""

    def __init__(self, place: Workplace, server: Postgres, options: dict[str, Any] = _STANDARD) -> None:
        self.place, self.server = place, server
        self.schema = f"shop{next(_numbers)}"
        if not server.do("SELECT 1 FROM pg_database WHERE datname = 'shop'"):
            server.add_database("shop")
        made = f"CREATE SCHEMA {self.schema} AUTHORIZATION importer"
        server.do(made, f"GRANT USAGE ON SCHEMA {self.schema} TO reader", database="shop")
        self.do("SET ROLE importer", *application("postgresql"))
        self.point(options)

    def point(self, options: dict[str, Any] = _STANDARD, *, user: str = "importer", database: str = "shop") -> None:
        """Writes the pipeline file."""
        placed = {**options}
        for name in ("users", "groups", "memberships"):
            placed[name] = {**placed[name], "table": f"{self.schema}.{placed[name]['table']}"}
        given = {"url": self.server.url(database, user), "security": "none", "retries": 1, **placed}
        self.place.write(
            "musterroll.toml",
            'name = "shop"\nmembership.mode = "replace"\nundo.created = "delete"\npassword.required = "never"\n'
            f'invites.send_to = "none"\nbackend.use = "sql"\n[backend.options]\npassword = {{ env = "SQL_PASSWORD" }}\n'
            f"{options_text(given)}\n",
        )

    def do(self, *statements: str) -> list[tuple[Any, ...]]:
        return self.server.do(f"SET search_path = {self.schema}", *statements, database="shop")

    def sheet(self, name: str, rows: list[list[str]]) -> None:
        write_csv(self.place.folder / name, rows)

    def state(self) -> dict[str, Any]:
        """Users and groups, without keys and times."""
        users = self.do("SELECT login, mail, first_name, last_name, is_active FROM accounts ORDER BY login")
        members = self.do(
            "SELECT login, title FROM team_members JOIN accounts ON accounts.id = account_id "
            "JOIN teams ON teams.id = team_id ORDER BY login, title"
        )
        return {"users": users, "members": members, "teams": self.do("SELECT title FROM teams ORDER BY title")}


@pytest.fixture(autouse=True)
def service_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQL_PASSWORD", PASSWORD)


@pytest.fixture
def shop(inside: Inside, server: Postgres) -> Shop:
    return Shop(inside, server)


# -- as it should be --------------------------------------------------------------------------------------------


def test_the_second_run_writes_nothing(shop: Shop) -> None:
    shop.sheet("staff.csv", [person(n) for n in range(12)])
    first = shop.place.json("run", "staff.csv")
    assert first.document["job"]["counts"]["created"] == 12, first
    before = shop.do("SELECT xmin::text, * FROM accounts ORDER BY id")
    again = shop.place.json("run", "staff.csv")
    assert (again.status, again.document["job"]["counts"]["unchanged"]) == (0, 12)
    assert shop.do("SELECT xmin::text, * FROM accounts ORDER BY id") == before
    assert shop.state()["members"][:2] == [("user00", "North"), ("user00", "Staff")]


def test_what_is_exported_asks_for_nothing(shop: Shop) -> None:
    shop.sheet("staff.csv", [person(n) for n in range(12)])
    shop.place.json("run", "staff.csv")
    written = shop.place.json("export", "-o", "out.ods")
    assert written.document["export"]["users"] == 12, written.err
    asks_for_nothing(shop.place, "out.ods", 12)


def test_nothing_else_is_touched(shop: Shop) -> None:
    """Neither other columns nor the rows of other tenants."""
    shop.do(
        "INSERT INTO accounts (login, mail, first_name, last_name, password, is_active, tenant_id, date_joined, "
        "preferences) VALUES ('user01', 'u@example.com', 'Una', 'Berg', 'x', true, 7, now(), 'dark'), "
        "('other', 'o@example.com', 'O', 'O', 'x', true, 8, now(), 'dark')"
    )
    shop.sheet("staff.csv", [[*person(1)[:4], "", *person(1)[5:]]])
    done = shop.place.json("run", "staff.csv")
    assert done.document["job"]["counts"]["updated"] == 1, done
    found = shop.do("SELECT login, last_name, password, preferences, is_active FROM accounts ORDER BY login")
    assert found == [("other", "O", "x", "dark", True), ("user01", "Silva", "x", "dark", True)]


def test_planning_writes_nothing(shop: Shop) -> None:
    shop.sheet("staff.csv", [person(1)])
    planned = shop.place.json("plan", "staff.csv")
    assert [change["action"] for change in planned.document["changes"]] == ["create"]
    told = shop.place.run("doctor")
    assert "PostgreSQL" in told.out + told.err
    assert shop.state() == {"users": [], "members": [], "teams": []}


def test_undo(shop: Shop) -> None:
    shop.sheet("staff.csv", [person(n) for n in range(3)])
    shop.place.run("run", "staff.csv")
    undone = shop.place.json("jobs", "undo", "last", "--yes")
    assert undone.document["job"]["state"] == "completed"
    assert shop.state() == {"users": [], "members": [], "teams": []}


def test_what_the_tables_do_not_take_is_said_at_its_cell(shop: Shop) -> None:
    shop.do("ALTER TABLE accounts ADD UNIQUE (phone), ALTER last_name TYPE VARCHAR(20)")
    shop.sheet("one.csv", [person(1)])
    assert shop.place.run("run", "one.csv").status == 0
    long, taken = person(2, "S" * 21), person(3)
    taken[6] = person(1)[6]
    shop.sheet("two.csv", [long, taken])
    planned = shop.place.json("plan", "two.csv")
    assert planned.codes == [("backend.unsupported", "D3"), ("backend.unsupported", "G4")]
    long_one, taken_one = (problem["message"] for problem in planned.document["problems"])
    assert "20 characters" in long_one
    assert "has this value already" in taken_one


# -- what is missing --------------------------------------------------------------------------------------------


def test_a_wrong_password_of_the_service_account(shop: Shop) -> None:
    shop.sheet("staff.csv", [person(1)])
    ended = shop.place.run("run", "staff.csv", SQL_PASSWORD="Wrong-Password-1")
    assert "Wrong-Password-1" not in one_line(ended, "password authentication failed")
    assert shop.state()["users"] == []


def test_an_account_that_may_only_read(shop: Shop) -> None:
    shop.do(f"GRANT SELECT ON ALL TABLES IN SCHEMA {shop.schema} TO reader")
    shop.sheet("staff.csv", [person(1)])
    shop.point(user="reader")
    one_line(shop.place.run("run", "staff.csv"), "may not insert into accounts", "nothing was written")
    assert shop.state()["users"] == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE accounts RENAME TO people", ("no table", "option users.table")),
        ("ALTER TABLE accounts RENAME mail TO email", ("no column mail", "option users.columns.email")),
        ("ALTER TABLE accounts ADD shoe_size INTEGER NOT NULL", ("shoe_size", "users.constants")),
        ("ALTER TABLE accounts ALTER password TYPE VARCHAR(20)", ("password", "too short")),
    ],
)
def test_what_is_missing_is_said_at_plan(shop: Shop, statement: str, words: tuple[str, ...]) -> None:
    shop.do(statement)
    shop.sheet("staff.csv", [person(1)])
    for command in ("plan", "run"):
        one_line(shop.place.run(command, "staff.csv"), *words)


def test_the_least_rights_are_enough(shop: Shop) -> None:
    """Those that docs/portals/sql.md grants."""
    page = (Path(__file__).parents[2] / "docs" / "portals" / "sql.md").read_text(encoding="utf-8")
    grants = page.partition("```sql\n")[2].partition("```")[0].replace("musterroll", "reader")
    shop.do(*filter(str.strip, grants.split(";")))
    shop.point({**_STANDARD, "delete": False}, user="reader")
    shop.sheet("one.csv", [person(1), person(2)])
    assert shop.place.json("run", "one.csv").document["job"]["counts"]["created"] == 2
    shop.sheet("two.csv", [person(1, "Souza", "Staff")])
    done = shop.place.json("run", "two.csv")
    assert (done.status, done.document["job"]["counts"]["updated"]) == (0, 1), done


# -- killed and cut off -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_server_that_is_killed_in_the_middle_and_comes_back(tmp_path: Path) -> None:
    with postgres() as server:
        shop = Shop(Workplace(tmp_path), server, _FAST)
        rows = [[f"a{n}@example.com", f"a{n}", "Una", "Silva", "", "", "", "Staff"] for n in range(6000)]
        shop.sheet("staff.csv", rows)
        running = shop.place.start("run", "staff.csv", "--format", "json")
        while running.poll() is None and shop.do("SELECT count(*) FROM accounts") < [(1000,)]:
            time.sleep(0.01)
        server.kill()
        out, err = running.communicate(timeout=60)
        ended = Ended(running.returncode, out, err)
        assert (ended.status, ended.document["job"]["state"]) == (4, "paused"), err
        server.start()
        resumed = shop.place.json("jobs", "resume", "last")
        assert resumed.status == 0, resumed.err
        again = shop.place.json("run", "staff.csv")
        assert again.document["job"]["counts"]["unchanged"] == 6000
        assert shop.do("SELECT count(*), count(DISTINCT login) FROM accounts") == [(6000, 6000)]
        assert shop.do("SELECT count(*) FROM team_members") == [(6000,)]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("marked", [True, False], ids=["by mark", "by looks"])
def test_killed_at_every_commit(tmp_path: Path, server: Postgres, marked: bool) -> None:
    """Each user once, groups exact."""
    chance = random.Random(20261127)
    options = _FAST if marked else changed(_FAST, users={"mark": None}, groups={"mark": None})
    one = [person(n) for n in range(8)]
    two = [person(n, "Souza", "Region|South|Deep;Staff") for n in range(4)]
    two += [person(n) for n in range(4, 6)] + [person(n, "Souza", "Region|West") for n in range(8, 16)]
    for row in (*one, *two):
        row[4] = ""

    def begun(name: str) -> Shop:
        (tmp_path / name).mkdir()
        shop = Shop(Workplace(tmp_path / name), server, options)
        shop.sheet("one.csv", one)
        shop.sheet("two.csv", two)
        return shop

    with fork_server() as forks:

        def fine(shop: Shop, *words: str) -> None:
            ended = forks.run(shop.place.folder, *words)
            assert ended.status == 0, ended.out + ended.err

        undisturbed = begun("undisturbed")
        for sheet in ("one.csv", "two.csv"):
            fine(undisturbed, "run", sheet)
        wanted = undisturbed.state()
        commit = 1
        while True:
            shop = begun(str(commit))
            fine(shop, "run", "one.csv")
            killed = forks.run(
                shop.place.folder, "run", "two.csv", commit=commit, when=chance.choice(("before", "after"))
            )
            if killed.status is None:
                forks.run(shop.place.folder, "jobs", "resume", "last", commit=chance.randrange(1, 12))
                forks.run(shop.place.folder, "jobs", "resume", "last")
            again = forks.run(shop.place.folder, "run", "two.csv", "--format", "json")
            assert again.status == 0, again.out
            assert shop.state() == wanted, commit
            if killed.status is not None:
                break
            commit += 1
        assert commit > 8
