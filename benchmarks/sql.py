"""SQL against COPY: 20,000 users without passwords into PostgreSQL.

    python benchmarks/sql.py [USERS]

The bare loop sends the same rows in batches of the same size by COPY into a temporary table, with an upsert from there
into the application's table, each batch in a transaction. Then the whole `run`, from a csv into PostgreSQL and into the
embedded directory. Only the ratios count; all are of one run, each into empty tables. The goals: the backend at 50 % of
the bare loop or more, the run at 1.3 times that into the directory or less.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from musterroll import CreateUser, Desired, Status
from musterroll.engine import run as run_pipeline
from musterroll.pipeline.loader import load_pipeline
from sample_users import fields, write_sheet

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the server is started as the tests do
from support.sql_servers import PASSWORD, Postgres, postgres
from support.sql_tables import DESCRIBED, application, changed, open_sql, options_text

BATCH = 1000
ROUNDS = 3
OPTIONS = changed(
    DESCRIBED,
    passwords="none",
    users={"password": None, "constants": {"password": "!"}, "columns": {"department": None}},
)
_COLUMNS = "login, mail, first_name, last_name, dialling_code, phone"
_FIXED = "password, is_active, tenant_id, date_joined, changed_at"


def bare(server: Postgres, database: str, count: int) -> float:
    """COPY and upsert; returns the seconds."""
    where = f"host=127.0.0.1 port={server.port} user=importer password={PASSWORD} dbname={database}"
    rows = [(f"user{n}", *fields(n).values(), f"op{n}") for n in range(count)]
    started = time.perf_counter()
    with psycopg.connect(where) as line, line.cursor() as cursor:
        types = f"{_COLUMNS}, import_key".replace(",", " text,") + " text"
        cursor.execute(f"CREATE TEMPORARY TABLE incoming ({types}) ON COMMIT DELETE ROWS")
        line.commit()
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
    return time.perf_counter() - started


def backend(server: Postgres, database: str, count: int) -> float:
    """The same through `execute`, without a journal; returns the seconds."""
    ops = [CreateUser(id=f"op{n}", user=Desired(username=f"user{n}", fields=fields(n))) for n in range(count)]
    portal = open_sql(url=server.url(database), password=PASSWORD, security="none", **OPTIONS)
    try:
        started = time.perf_counter()
        results = list(portal.execute(iter(ops)))
        taken = time.perf_counter() - started
    finally:
        portal.close()
    assert all(result.status is Status.DONE for result in results), results[:3]
    return taken


def whole(folder: Path, count: int, use: str, options: str) -> float:
    """The same through `run`, from a csv; returns the seconds."""
    sheet = folder / "users.csv"
    write_sheet(sheet, count, password="", group=lambda _: "")
    settings = 'name = "benchmark"\npassword.required = "never"\ninvites.send_to = "none"\n'
    text = f'{settings}backend.use = "{use}"\n[backend.options]\n{options}\n'
    (folder / "musterroll.toml").write_text(text, encoding="utf-8")
    pipeline = load_pipeline(folder / "musterroll.toml")
    started = time.perf_counter()
    report = run_pipeline(pipeline, sheet)
    taken = time.perf_counter() - started
    assert report.job is not None
    assert report.job.counts.created == count, report.job
    report.close()
    return taken


def main() -> None:
    """Measures and prints."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with postgres() as server:

        def into_empty_tables(work: Callable[[str], float]) -> float:
            database = server.empty_database()
            server.do("SET ROLE importer", *application("postgresql"), database=database)
            return work(database)

        def into(use: str, database: str) -> float:
            with tempfile.TemporaryDirectory() as folder:
                described = {"url": server.url(database), "password": PASSWORD, "security": "none", **OPTIONS}
                options = options_text(described) if use == "sql" else 'path = "directory.db"\npasswords = "none"'
                return whole(Path(folder), count, use, options)

        works: dict[str, Callable[[str], float]] = {
            "COPY and upsert": lambda database: bare(server, database, count),
            "backend": lambda database: backend(server, database, count),
            "run into the directory": lambda database: into("directory", database),
            "run into PostgreSQL": lambda database: into("sql", database),
        }
        into_empty_tables(lambda database: backend(server, database, 100))  # imports everything
        taken = {name: min(into_empty_tables(work) for _ in range(ROUNDS)) for name, work in works.items()}
    for name, seconds in taken.items():
        print(f"{name:28} {seconds:6.2f} s  {count / seconds:7.0f} users/s")
    print(f"backend's own share: {taken['COPY and upsert'] / taken['backend']:.0%} of COPY and upsert")
    print(f"whole run: {taken['run into PostgreSQL'] / taken['run into the directory']:.2f} x one into the directory")


if __name__ == "__main__":
    main()
