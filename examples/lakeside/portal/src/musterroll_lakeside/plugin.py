"""The members' program of the Lakeside Rowing Club: an SQLite file with members and crews."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from musterroll import (
    BackendError,
    Busy,
    Component,
    Context,
    Desired,
    Existing,
    FilePath,
    Gone,
    Group,
    Matching,
    Options,
    Secret,
    SimpleBackend,
    Taken,
    UserBackendType,
    hookimpl,
)

# What the program makes when it is started for the first time.
TABLES = """
CREATE TABLE IF NOT EXISTS members (
    number INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE, import_key TEXT, active INTEGER DEFAULT 1,
    first_name TEXT, last_name TEXT, mail TEXT, calling_code TEXT, phone TEXT, licence TEXT);
CREATE TABLE IF NOT EXISTS crews (
    number INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL UNIQUE, import_key TEXT);
CREATE TABLE IF NOT EXISTS crew_members (
    crew INTEGER REFERENCES crews ON DELETE CASCADE, member INTEGER REFERENCES members ON DELETE CASCADE,
    PRIMARY KEY (crew, member));
"""
COLUMNS = {
    "username": "login",
    "forename": "first_name",
    "surname": "last_name",
    "email": "mail",
    "calling_code": "calling_code",
    "phone": "phone",
    "boat_licence": "licence",
}
MEMBERS = "SELECT *, (SELECT group_concat(crew) FROM crew_members WHERE member = number) AS crews FROM members"


class LakesideOptions(Options):
    """Options of `lakeside`.

    Attributes:
        file: the program's file.
    """

    file: FilePath = Path("members.db")


class Lakeside(SimpleBackend):
    passwords = False
    stores_key = True
    matching = Matching.CASE
    fields = frozenset(COLUMNS) - {"username"}
    group_separator = " / "

    def __init__(self, options: LakesideOptions, context: Context) -> None:
        super().__init__(options, context)
        self._file = options.file.absolute()
        if not context.read_only:
            with self._opened() as db:
                db.executescript(TABLES)

    def identity(self) -> str:
        return f"lakeside:{self._file.name}"

    def canonical(self, desired: Desired) -> Desired:
        return replace(desired, username=desired.username.lower())

    def users(self) -> Iterator[Existing]:
        yield from map(existing, self._rows(MEMBERS))

    def get_user(self, ref: str) -> Existing | None:
        return next(map(existing, self._rows(f"{MEMBERS} WHERE number = ?", ref)), None)

    def create_user(self, user: Desired, password: Secret | None, key: str) -> str:
        values = {COLUMNS[name]: text for name, text in {**user.fields, "username": user.username}.items()}
        return self._insert("members", {**values, "import_key": key})

    def update_user(self, ref: str, changes: Mapping[str, str | None]) -> None:
        places = ", ".join(f"{COLUMNS[name]} = ?" for name in changes)
        self._change(f"UPDATE members SET {places} WHERE number = ?", *changes.values(), ref)  # noqa: S608 -- our names

    def set_active(self, ref: str, active: bool) -> None:
        self._change("UPDATE members SET active = ? WHERE number = ?", active, ref)

    def delete_user(self, ref: str) -> None:
        self._change("DELETE FROM members WHERE number = ?", ref)

    def list_groups(self) -> Iterator[Group]:
        for row in self._rows("SELECT * FROM crews"):
            yield Group(ref=str(row["number"]), path=(row["title"],), key=row["import_key"])

    def create_group(self, name: str, parent: str | None, key: str) -> str:
        return self._insert("crews", {"title": name, "import_key": key})

    def delete_group(self, ref: str) -> None:
        self._change("DELETE FROM crews WHERE number = ?", ref)

    def add_member(self, group: str, user: str) -> None:
        self._change("INSERT INTO crew_members VALUES (?, ?) ON CONFLICT DO NOTHING", group, user, changes_nothing=True)

    def remove_member(self, group: str, user: str) -> None:
        statement = "DELETE FROM crew_members WHERE crew = ? AND member = ?"
        self._change(statement, group, user, changes_nothing=True)

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        if not self._file.exists():  # the program was never started, and planning creates nothing
            return []
        with self._opened() as db:
            return db.execute(query, values).fetchall()

    def _insert(self, table: str, values: Mapping[str, str | None]) -> str:
        with self._opened() as db:
            places = ", ".join("?" for _ in values)
            query = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})"  # noqa: S608 -- our names
            return str(db.execute(query, tuple(values.values())).lastrowid)

    def _change(self, query: str, *values: Any, changes_nothing: bool = False) -> None:
        with self._opened() as db:
            if not db.execute(query, values).rowcount and not changes_nothing:
                raise Gone("the members' program does not know it any more")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        mode = "ro" if self.context.read_only else "rwc"
        try:
            with closing(sqlite3.connect(f"{self._file.as_uri()}?mode={mode}", uri=True)) as db, db:
                db.row_factory = sqlite3.Row
                db.execute("PRAGMA foreign_keys = ON")
                yield db
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorname == "SQLITE_CONSTRAINT_FOREIGNKEY":
                raise Gone("the members' program does not know this member or crew any more") from None
            raise Taken("the members' program has one of this name already") from None
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorname == "SQLITE_BUSY":
                raise Busy(None, "somebody works with the members' program") from None
            raise BackendError(f"{self._file} is no file of the members' program ({error})") from None


def existing(row: sqlite3.Row) -> Existing:
    return Existing(
        ref=str(row["number"]),
        username=row["login"],
        fields={name: row[column] for name, column in COLUMNS.items() if name != "username"},
        groups=frozenset((row["crews"] or "").split(",")) - {""},
        active=bool(row["active"]),
        key=row["import_key"],
    )


@hookimpl
def musterroll_user_backends() -> Iterator[Component]:
    summary = "The members' program of the Lakeside Rowing Club"
    yield UserBackendType(name="lakeside", summary=summary, options=LakesideOptions, build=Lakeside)
