"""SQL against COPY: 20,000 users without passwords into PostgreSQL.

    python benchmarks/sql.py [USERS]

The bare loop sends the same rows in batches of the same size by COPY into a temporary table, with an upsert from there
into the application's table, each batch in a transaction. Before either is measured it has connected, and the backend
has asked for the tables, as the engine has it do before anything is written. Then the whole `run`, from a csv into
PostgreSQL and into the embedded directory. Only the ratios count, of CPU seconds, the server's included, each into
empty tables. The clock says more of the backend where all processors are busy and less where one is free: the bare loop
fills a batch while the server takes it. The goals: the backend at 50 % of the bare loop or more, the run at 1.3 times
that into the directory or less.

Then MariaDB and SQLite, against a loop that inserts as many rows at once and looks at their keys.
"""

from __future__ import annotations

import itertools
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pymysql

from musterroll import CreateUser, Desired, Status
from musterroll.engine import run as run_pipeline
from musterroll.pipeline.loader import load_pipeline
from rounds import Cost, NoServer, Working, cost, in_rounds, middle, share, share_by_the_clock
from sample_users import fields, write_sheet

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the server is started as the tests do
from support.evidence import Counterpart
from support.sql_servers import PASSWORD, Postgres, mariadb, postgres
from support.sql_tables import DESCRIBED, application, changed, make_file, open_sql, options_text

BATCH = 1000
ROUNDS, ROUNDS_OF_RUNS = 15, 3
OPTIONS = changed(
    DESCRIBED,
    passwords="none",
    users={"password": None, "constants": {"password": "!"}, "columns": {"department": None}},
)
_COLUMNS = "login, mail, first_name, last_name, dialling_code, phone"
_FIXED = "password, is_active, tenant_id, date_joined, changed_at"


def bare(server: Postgres, database: str, count: int) -> Cost:
    """COPY and upsert."""
    where = f"host=127.0.0.1 port={server.port} user=importer password={PASSWORD} dbname={database}"
    rows = [(f"user{n}", *fields(n).values(), f"op{n}") for n in range(count)]
    with psycopg.connect(where) as line, line.cursor() as cursor:
        types = f"{_COLUMNS}, import_key".replace(",", " text,") + " text"
        cursor.execute(f"CREATE TEMPORARY TABLE incoming ({types}) ON COMMIT DELETE ROWS")
        line.commit()

        def write() -> None:
            for start in range(0, count, BATCH):
                with cursor.copy(f"COPY incoming ({_COLUMNS}, import_key) FROM STDIN") as copy:
                    for row in rows[start : start + BATCH]:
                        copy.write_row(row)
                cursor.execute(
                    f"INSERT INTO accounts ({_COLUMNS}, import_key, {_FIXED}) "  # noqa: S608 -- made of constants
                    f"SELECT {_COLUMNS}, import_key, '!', true, 7, now(), now() FROM incoming "
                    "ON CONFLICT (login) DO UPDATE SET mail = excluded.mail RETURNING id, login"
                )
                cursor.fetchall()
                line.commit()

        return cost(server, write)


def backend(server: Working, count: int, **place: Any) -> Cost:
    """The same through `execute`, without a journal."""
    ops = [CreateUser(id=f"op{n}", user=Desired(username=f"user{n}", fields=fields(n))) for n in range(count)]
    portal = open_sql(security="none", **place, **OPTIONS)
    portal.capabilities()

    def execute() -> None:
        assert all(result.status is Status.DONE for result in portal.execute(iter(ops)))

    try:
        return cost(server, execute)
    finally:
        portal.close()


def inserted(line: Any, mark: str, count: int) -> None:
    """The bare loop of the others: as many rows with each INSERT, and a look at the keys that they got."""
    rows = [(f"user{n}", *fields(n).values(), f"op{n}") for n in range(count)]
    fixed = "'!', 1, 7, '2026-01-02 03:04:05', '2026-01-02 03:04:05'"
    marks = ", ".join([mark] * len(rows[0]))
    insert = f"INSERT INTO accounts ({_COLUMNS}, import_key, {_FIXED}) VALUES ({marks}, {fixed})"  # noqa: S608 -- made of constants
    with closing(line.cursor()) as cursor:
        for start in range(0, count, BATCH):
            batch = rows[start : start + BATCH]
            cursor.executemany(insert, batch)
            wanted = ", ".join([mark] * len(batch))
            cursor.execute(f"SELECT login, id FROM accounts WHERE login IN ({wanted})", [row[0] for row in batch])  # noqa: S608
            cursor.fetchall()
            line.commit()


def others(count: int) -> None:
    """Measures and prints MariaDB and SQLite, against a bare loop of many rows with each INSERT."""

    def measured(name: str, version: str, loop: Callable[[], Cost], ours: Callable[[], Cost]) -> None:
        taken = in_rounds(ROUNDS, {"loop": loop, "ours": ours})
        own = share(taken["loop"], taken["ours"])
        print(f"{name}: the backend's own share of INSERTs of many rows: {own}")
        seen = Counterpart("sql", name, version)
        what = f"{count:,} users without passwords, the backend against INSERTs of as many rows (CPU seconds)"
        seen.figure(what, str(own))

    with tempfile.TemporaryDirectory() as folder, mariadb(Path(folder)) as server:

        def empty() -> str:
            database = server.empty_database()
            server.do(*application("mariadb"), database=database)
            return database

        def loop() -> Cost:
            place = {"host": "127.0.0.1", "port": server.port, "user": "importer", "password": PASSWORD}
            with pymysql.connect(**place, database=empty()) as line:  # type: ignore[call-overload]  # one by one it takes them
                return cost(server, lambda: inserted(line, "%s", count))

        url = server.url
        measured("MariaDB", server.version(), loop, lambda: backend(server, count, url=url(empty()), password=PASSWORD))

    with tempfile.TemporaryDirectory() as folder:
        files = (Path(folder) / f"{n}.db" for n in itertools.count())

        def file() -> Path:
            path = next(files)
            make_file(path, application("sqlite"))
            return path

        def loop_into_file() -> Cost:
            with closing(sqlite3.connect(file())) as line:
                return cost(NoServer(), lambda: inserted(line, "?", count))

        version = sqlite3.sqlite_version
        measured("SQLite", version, loop_into_file, lambda: backend(NoServer(), count, file=file()))


def whole(server: Postgres, folder: Path, count: int, use: str, options: str) -> Cost:
    """The same through `run`, from a csv."""
    sheet = folder / "users.csv"
    write_sheet(sheet, count, password="", group=lambda _: "")
    settings = 'name = "benchmark"\npassword.required = "never"\ninvites.send_to = "none"\n'
    text = f'{settings}backend.use = "{use}"\n[backend.options]\n{options}\n'
    (folder / "musterroll.toml").write_text(text, encoding="utf-8")
    pipeline = load_pipeline(folder / "musterroll.toml")

    def run() -> None:
        report = run_pipeline(pipeline, sheet)
        assert report.job is not None
        assert report.job.counts.created == count, report.job
        report.close()

    return cost(server, run)


def main() -> None:
    """Measures and prints."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with postgres() as server:

        def into_empty_tables(work: Callable[[str], Cost]) -> Cost:
            database = server.empty_database()
            server.do("SET ROLE importer", *application("postgresql"), database=database)
            return work(database)

        def into(use: str, database: str) -> Cost:
            with tempfile.TemporaryDirectory() as folder:
                described = {"url": server.url(database), "password": PASSWORD, "security": "none", **OPTIONS}
                options = options_text(described) if use == "sql" else 'path = "directory.db"\npasswords = "none"'
                return whole(server, Path(folder), count, use, options)

        def loop() -> Cost:
            return into_empty_tables(lambda database: bare(server, database, count))

        def ours(users: int = count) -> Cost:
            url = server.url
            return into_empty_tables(lambda name: backend(server, users, url=url(name), password=PASSWORD))

        def run(use: str) -> Cost:
            return into_empty_tables(lambda database: into(use, database))

        ours(100)  # imports everything
        taken = in_rounds(ROUNDS, {"COPY and upsert": loop, "backend": ours})
        runs = {"run into the directory": partial(run, "directory"), "run into PostgreSQL": partial(run, "sql")}
        taken |= in_rounds(ROUNDS_OF_RUNS, runs)
        version = server.version()
    for name, costs in taken.items():
        one = middle(costs)
        print(f"{name:28} {one.cpu:6.2f} s CPU  {one.clock:6.2f} s  {count / one.clock:7.0f} users/s")
    own = share(taken["COPY and upsert"], taken["backend"])
    times = 1 / share(taken["run into the directory"], taken["run into PostgreSQL"]).median
    clock = share_by_the_clock(taken["COPY and upsert"], taken["backend"])
    print(f"backend's own share: {own} of COPY and upsert; by the clock {clock}")
    print(f"whole run: {times:.2f} x one into the directory")
    seen = Counterpart("sql", "PostgreSQL", version)
    seen.figure(f"{count:,} users without passwords, the backend against COPY and upsert (CPU seconds)", str(own))
    seen.figure(f"{count:,} users without passwords, the backend against COPY and upsert (by the clock)", str(clock))
    seen.figure(
        f"{count:,} users without passwords, a run against one into the directory (CPU seconds)", f"{times:.2f} ×"
    )
    others(count)


if __name__ == "__main__":
    main()
