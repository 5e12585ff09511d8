"""What keeps the tables of others safe: each test fails where its guard is taken out."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from musterroll import (
    AddMembers,
    BackendError,
    BackendUnavailableError,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Desired,
    GroupRef,
    Op,
    Result,
    Secret,
    Status,
    UpdateUser,
    UserBackend,
    UserKey,
    UserRef,
)
from musterroll_plugins.backends.sql.backend import SqlBackend
from support.evidence import Counterpart
from support.sql_servers import PASSWORD, CommitLine, DatabaseServer, needs_mariadb, needs_postgres, needs_sql
from support.sql_tables import DESCRIBED, application, changed, make_file, open_sql

pytestmark = needs_sql

_FIELDS = {"email": "a@example.com", "forename": "Una", "surname": "Silva"}


def creation(name: str, password: str | None = None, **fields: str) -> CreateUser:
    secret = None if password is None else Secret(password)
    given = {**_FIELDS, "email": f"{name}@example.com", **fields}
    return CreateUser(id=f"op-{name}", user=Desired(username=name, fields=given), password=secret)


def perform(backend: UserBackend, *ops: Op) -> list[Result]:
    results = {result.op: result for result in backend.execute(iter(ops))}
    return [results[op.id] for op in ops]


def statuses(results: list[Result]) -> list[Status]:
    return [result.status for result in results]


class Place:
    """An application's database of some product."""

    product, title = "", ""

    def __init__(self) -> None:
        self._opened: list[SqlBackend] = []

    def open(self, *, read_only: bool = False, **options: Any) -> SqlBackend:
        """Opens a backend on it; those who planned before, the tables are known."""
        backend = open_sql(read_only=read_only, **{**self.where, **DESCRIBED, "retries": 0, **options})
        self._opened.append(backend)
        backend.capabilities()
        return backend

    def close(self) -> None:
        for backend in self._opened:
            backend.close()

    @property
    def where(self) -> dict[str, Any]:
        raise NotImplementedError

    def do(self, *statements: str) -> list[tuple[Any, ...]]:
        raise NotImplementedError

    def quirk(self, words: str) -> None:
        """Notes for the page docs/tested-against.md what this product is like."""
        Counterpart("sql", self.title).quirk(words)

    def accounts(self, columns: str = "login") -> list[tuple[Any, ...]]:
        return self.do(f"SELECT {columns} FROM accounts ORDER BY id")  # noqa: S608 -- the tests' own


class File(Place):
    product, title = "sqlite", "SQLite"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        make_file(path, application("sqlite"))

    @property
    def where(self) -> dict[str, Any]:
        return {"file": self.path}

    def do(self, *statements: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        with closing(sqlite3.connect(self.path)) as file, file:
            for statement in statements:
                found = file.execute(statement).fetchall()
        return found


class Database(Place):
    def __init__(self, server: DatabaseServer) -> None:
        super().__init__()
        self.server, self.product, self.title = server, server.scheme, server.title
        self.database = server.empty_database()
        owner = ["SET ROLE importer"] if self.product == "postgresql" else []
        self.do(*owner, *application(self.product))

    @property
    def where(self) -> dict[str, Any]:
        return {"url": self.server.url(self.database), "password": PASSWORD, "security": "none"}

    def do(self, *statements: str) -> list[tuple[Any, ...]]:
        return self.server.do(*statements, database=self.database)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    place = File(tmp_path / "shop.db")
    yield place
    place.close()


@pytest.fixture
def postgres(postgres_server: DatabaseServer) -> Iterator[Database]:
    place = Database(postgres_server)
    yield place
    place.close()


@pytest.fixture
def mariadb(mariadb_server: DatabaseServer) -> Iterator[Database]:
    place = Database(mariadb_server)
    yield place
    place.close()


SERVERS = [
    pytest.param("postgres", marks=needs_postgres),
    pytest.param("mariadb", marks=[needs_mariadb, pytest.mark.slow]),
]


@pytest.fixture(params=["file", *SERVERS])
def place(request: pytest.FixtureRequest) -> Place:
    """Each of the three products."""
    found: Place = request.getfixturevalue(request.param)
    return found


# -- only reading while planning --------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["DELETE FROM accounts", "CREATE TABLE notes (id INTEGER)"])
def test_the_database_itself_lets_nobody_write_who_plans(place: Place, statement: str) -> None:
    backend = place.open(read_only=True)
    with pytest.raises(BackendError, match=r"(?i)read.?only"):
        backend._connection.read("be read", lambda line: line.exec_driver_sql(statement))


def test_who_plans_executes_nothing(file: File) -> None:
    with pytest.raises(BackendError, match="for reading only"):
        file.open(read_only=True).execute(iter([creation("ana")]))


@pytest.mark.parametrize("kind", SERVERS)
def test_a_right_that_is_missing_is_said_while_planning(kind: str, request: pytest.FixtureRequest) -> None:
    place: Database = request.getfixturevalue(kind)
    reader = {"url": place.server.url(place.database, "reader")}
    who = "reader" if place.product == "postgresql" else "reader@'127.0.0.1'"
    if place.product == "postgresql":
        place.do("GRANT USAGE ON SCHEMA public TO reader")
    for table in ("teams", "team_members"):
        place.do(f"GRANT SELECT ON {table} TO {who}")
    for rights, words in (
        ("SELECT ON accounts", "may not insert into accounts"),
        ("INSERT ON accounts", "may not update accounts"),
        ("UPDATE (login, mail) ON accounts", "may not update accounts"),
        ("UPDATE ON accounts", "may not insert into teams"),
        ("INSERT ON teams", "may not insert into team_members"),
        ("INSERT ON team_members", "may not delete from team_members"),
        ("DELETE ON team_members", "may not delete from accounts"),
    ):
        place.do(f"GRANT {rights} TO {who}")
        only_reads = place.product == "postgresql" or "(" not in rights
        with pytest.raises(BackendError, match=f"{words}; nothing was written"):
            place.open(read_only=only_reads, **reader)
    place.do(f"GRANT DELETE ON accounts TO {who}")
    place.open(read_only=True, **reader)
    explained = "EXPLAIN UPDATE accounts SET login = NULL WHERE false"
    if place.product == "mariadb":
        with pytest.raises(BackendError, match="READ ONLY"):
            place.open(read_only=True)._connection.read("be read", lambda line: line.exec_driver_sql(explained))
        words = "but looks at rights to tables first: one to a column shows later"
        place.quirk(f"explains no writing in a transaction that only reads, {words}")
    else:
        place.quirk(
            "explains what is to be written in a transaction that only reads: a missing right is said at `plan`"
        )


# -- one user of a name -----------------------------------------------------------------------------------------


def test_two_of_the_same_statement_do_not_get_the_same(file: File) -> None:
    """The file itself would take them both."""
    backend = file.open(unique_email=True)
    results = perform(
        backend, creation("ana"), creation("ANA", email="other@example.com"), creation("bo", email="ANA@example.com")
    )
    assert statuses(results) == [Status.DONE, Status.CONFLICT, Status.CONFLICT]
    assert [result.detail for result in results[1:]] == ["the username is taken", "the value of email is taken"]
    assert file.accounts() == [("ana",)]


def test_which_names_the_database_takes_for_one(place: Place) -> None:
    """Whatever it thinks, they are one here, and its own word on it is never asked."""
    ((same,),) = place.do("SELECT 'ANA' = login FROM (SELECT 'ana' AS login) AS made")
    assert statuses(perform(place.open(), creation("ana"), creation("ANA"))) == [Status.DONE, Status.CONFLICT]
    one_or_two = "takes `ANA` and `ana` for one name" if same else "takes `ANA` and `ana` for two names"
    assert bool(same) is (place.product == "mariadb")
    place.quirk(f"{one_or_two}: they are compared here")


def test_nobody_is_renamed_onto_another(file: File) -> None:
    backend = file.open()
    _, bo = perform(backend, creation("ana"), creation("bo"))
    (result,) = perform(backend, UpdateUser(id="u", user=UserRef(str(bo.ref), "bo"), changes={"username": "ANA"}))
    assert (result.status, file.accounts()) == (Status.CONFLICT, [("ana",), ("bo",)])
    (same,) = perform(backend, UpdateUser(id="v", user=UserRef(str(bo.ref), "bo"), changes={"username": "BO"}))
    assert (same.status, file.accounts()) == (Status.DONE, [("ana",), ("BO",)])


def test_who_came_since_the_look_up_is_seen(file: File) -> None:
    backend = file.open()
    assert not backend.lookup([UserKey.of("username", "ana")]).get(UserKey.of("username", "ana"))
    perform(file.open(), creation("ANA"))
    assert statuses(perform(backend, creation("ana", email="b@example.com"))) == [Status.CONFLICT]


def test_what_was_refused_is_free_for_others(file: File) -> None:
    file.do(
        "CREATE TRIGGER no_x BEFORE UPDATE ON accounts WHEN new.mail = 'x@example.com' AND new.login = 'ana' "
        "BEGIN SELECT RAISE(ABORT, 'not for ana'); END"
    )
    backend = file.open(unique_email=True)
    (ana,) = perform(backend, creation("ana"))
    ops: list[Op] = [
        UpdateUser(id="u", user=UserRef(str(ana.ref), "ana"), changes={"email": "x@example.com"}),
        creation("bo", email="x@example.com"),
    ]
    assert statuses(perform(backend, *ops)) == [Status.FAILED, Status.DONE]


def test_a_name_that_the_table_makes_another_of(file: File) -> None:
    file.do(
        "CREATE TRIGGER other AFTER INSERT ON accounts "
        "BEGIN UPDATE accounts SET login = 'x-' || login WHERE id = new.id; END"
    )
    with pytest.raises(BackendError, match="other names than it was told; nothing was written"):
        perform(file.open(), creation("ana"))
    assert file.accounts() == []


@needs_postgres
def test_a_name_that_the_table_writes_otherwise(postgres: Database) -> None:
    postgres.do(
        "CREATE FUNCTION small() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN new.login = lower(new.login); RETURN new; END'",
        "CREATE TRIGGER small BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION small()",
        "ALTER TABLE accounts ALTER login TYPE CHAR(12)",
    )
    results = perform(postgres.open(), creation("ANA"), creation("bo"))
    assert statuses(results) == [Status.DONE, Status.DONE]
    assert [str(key) for (key,) in postgres.accounts("id")] == [result.ref for result in results]


# -- nothing else is touched ------------------------------------------------------------------------------------


def test_the_rows_of_others_are_out_of_reach(place: Place) -> None:
    """Even by their keys: another tenant's."""
    place.do(
        "INSERT INTO accounts (login, first_name, last_name, password, is_active, tenant_id, date_joined) "
        "VALUES ('other', 'O', 'O', 'x', true, 8, '2026-01-02 03:04:05')",
        "INSERT INTO teams (title) VALUES ('Staff')",
    )
    before = place.accounts("*")
    ((key,),), ((team,),) = place.accounts("id"), place.do("SELECT id FROM teams")
    user = UserRef(str(key), "other")
    backend = place.open()
    assert backend.count_users() == 0
    results = perform(
        backend,
        UpdateUser(id="u", user=user, changes={"surname": "Silva"}),
        Deactivate(id="d", user=user),
        DeleteUser(id="x", user=user),
        AddMembers(id="m", group=GroupRef(str(team), ("Staff",)), members=(user,)),
    )
    assert statuses(results[:3]) == [Status.FAILED, Status.FAILED, Status.NOOP]
    assert results[3].refused.keys() == {user.ref}
    assert place.accounts("*") == before


def test_who_is_referred_to_is_not_deleted(place: Place) -> None:
    kind = "BIGINT" if place.product != "sqlite" else "INTEGER"
    place.do(f"CREATE TABLE orders (account_id {kind} NOT NULL, FOREIGN KEY (account_id) REFERENCES accounts (id))")
    backend = place.open()
    (ana,) = perform(backend, creation("ana"))
    place.do(f"INSERT INTO orders VALUES ({ana.ref})")  # noqa: S608 -- the tests' own
    (result,) = perform(backend, DeleteUser(id="x", user=UserRef(str(ana.ref), "ana")))
    assert (result.status, place.accounts()) == (Status.FAILED, [("ana",)])
    if place.product == "sqlite":
        place.do("DELETE FROM accounts")
        assert place.do("SELECT count(*) FROM orders") == [(1,)]
        place.quirk("lets a user be deleted to whom other tables refer, unless each connection forbids it: ours does")


def test_groups_are_looked_at_where_the_tables_do_not(tmp_path: Path) -> None:
    """Without foreign keys: no members of a group that is gone, no group that is gone with its members."""
    loose = [re.sub(r" REFERENCES \w+ \(id\)", "", statement) for statement in application("sqlite")]
    make_file(tmp_path / "loose.db", loose)
    backend = open_sql(file=tmp_path / "loose.db", **DESCRIBED)
    ana, team = perform(backend, creation("ana"), CreateGroup(id="g", path=("Staff",), parent=None))
    user, group = UserRef(str(ana.ref), "ana"), GroupRef(str(team.ref), ("Staff",))
    nowhere = GroupRef("99", ("Gone",))
    added, lost = perform(
        backend,
        AddMembers(id="a", group=group, members=(user,)),
        AddMembers(id="b", group=nowhere, members=(user,)),
    )
    deleted, inner = perform(
        backend, DeleteGroup(id="d", group=group), CreateGroup(id="i", path=("Gone", "Deep"), parent=nowhere)
    )
    assert statuses([added, lost, deleted, inner]) == [Status.DONE, Status.FAILED, Status.FAILED, Status.FAILED]
    backend.close()


@needs_postgres
def test_nobody_changes_a_user_while_we_do(postgres: Database) -> None:
    """What is made of two fields is made of what is there: nobody may change the other one meanwhile."""
    backend = postgres.open()
    (ana,) = perform(backend, creation("ana"))
    reads, refs = backend._ready().reads, [ana.ref or ""]

    def work(line: Any) -> None:
        assert reads.rows(line, refs, lock=True)
        postgres.do("SET lock_timeout = 100", "UPDATE accounts SET phone = '1'")

    with pytest.raises(Exception, match="lock timeout"):
        backend._connection.write(work)


def test_nobody_writes_into_a_file_between_our_look_and_our_writing(file: File) -> None:
    backend = file.open()

    def work(line: Any) -> None:
        with closing(sqlite3.connect(file.path, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        backend._connection.write(work)


# -- what the database refuses, and what it says ----------------------------------------------------------------


def test_a_constraint_keeps_out_its_own_row_only_and_shows_none_of_it(place: Place) -> None:
    if place.product == "sqlite":
        place.do(
            "CREATE TRIGGER no_bo BEFORE INSERT ON accounts WHEN new.login = 'bo' "
            "BEGIN SELECT RAISE(ABORT, 'not bo'); END"
        )
    else:
        place.do("ALTER TABLE accounts ADD CONSTRAINT not_bo CHECK (login <> 'bo')")
    results = perform(place.open(), creation("ana", "Sesame-1234"), creation("bo", "Sesame-1234"), creation("cy"))
    assert statuses(results) == [Status.DONE, Status.FAILED, Status.DONE]
    assert "bo" in str(results[1].detail)
    assert "argon2" not in str(results[1].detail)
    assert "example.com" not in str(results[1].detail)
    if place.product == "postgresql":
        with pytest.raises(Exception, match="DETAIL:  Failing row contains"):
            place.do("UPDATE accounts SET login = 'bo'")
        place.quirk("shows the whole row where it refuses one: only its first sentence is passed on")


def test_a_file_takes_texts_of_any_length(file: File) -> None:
    file.do(
        "INSERT INTO accounts (login, first_name, last_name, password, is_active, tenant_id, date_joined) "
        "VALUES (printf('%61s', 'x'), '', '', '', true, 8, '2026-01-02 03:04:05')"
    )
    desired = Desired(username="y" * 61, fields={})
    (objection,) = file.open(read_only=True).check(desired, None, None)
    assert objection.field == "username"
    file.quirk("takes texts that are longer than their column allows: that is said at `plan`")


@pytest.mark.parametrize("kind", SERVERS)
def test_a_column_that_became_shorter_cuts_nothing_off(kind: str, request: pytest.FixtureRequest) -> None:
    place: Place = request.getfixturevalue(kind)
    backend = place.open()
    words = (
        "ALTER last_name TYPE VARCHAR(3)" if place.product == "postgresql" else "MODIFY last_name VARCHAR(3) NOT NULL"
    )
    place.do(f"ALTER TABLE accounts {words}")
    results = perform(backend, creation("ana"), creation("bo", surname="Ek"))
    assert statuses(results) == [Status.FAILED, Status.DONE]
    assert place.accounts("last_name") == [("Ek",)]


@pytest.mark.parametrize("kind", SERVERS)
def test_a_mark_is_not_cut_off(kind: str, request: pytest.FixtureRequest) -> None:
    """Nobody would be known by it."""
    place: Place = request.getfixturevalue(kind)
    words = "ALTER import_key TYPE VARCHAR(3)" if place.product == "postgresql" else "MODIFY import_key VARCHAR(3)"
    place.do(f"ALTER TABLE accounts {words}")
    assert statuses(perform(place.open(), creation("ana"))) == [Status.FAILED]
    if place.product == "postgresql":
        assert place.do("SELECT CAST('Silva' AS VARCHAR(3))") == [("Sil",)]
        place.quirk("cuts off a text that is converted for a column without a word: texts are written as they come")


@needs_mariadb
@pytest.mark.slow
def test_a_careless_server_is_made_to_refuse_what_is_too_long(mariadb: Database) -> None:
    ((usual,),) = mariadb.do("SELECT @@GLOBAL.sql_mode")
    mariadb.do("ALTER TABLE accounts MODIFY first_name TINYTEXT NOT NULL", "SET GLOBAL sql_mode = ''")
    try:
        assert statuses(perform(mariadb.open(), creation("ana", forename="x" * 300))) == [Status.FAILED]
    finally:
        mariadb.do(f"SET GLOBAL sql_mode = '{usual}'")
    assert mariadb.accounts() == []
    mariadb.quirk("cuts off what is too long where it was set up so: each connection of ours forbids it")


def test_no_error_holds_a_hash(file: File) -> None:
    """Nor what it came of, which `--verbose` and a debugger show."""
    backend = file.open()
    file.do("ALTER TABLE accounts RENAME COLUMN phone TO telephone")
    with pytest.raises(BackendError) as caught:
        perform(backend, creation("ana", "Sesame-1234"))
    error: BaseException | None = caught.value
    while error is not None:
        assert "argon2" not in str(error)
        error = error.__context__


# -- others in the way ------------------------------------------------------------------------------------------


def test_a_lock_of_somebody_elses_is_not_waited_for_without_end(place: Place) -> None:
    backend = place.open(timeout=0.2 if place.product != "mariadb" else 1)
    with held(place), pytest.raises(BackendUnavailableError, match=r"(?i)lock"):
        perform(backend, creation("ana"))
    if place.product == "sqlite":
        place.quirk("has one writer at a time: another one is waited for, so long as `timeout` says")
    assert statuses(perform(backend, creation("ana"))) == [Status.DONE]


def held(place: Place) -> Any:
    """Another program's lock on the accounts."""
    if isinstance(place, File):
        line = sqlite3.connect(place.path)
        line.execute("BEGIN IMMEDIATE")
        return closing(line)
    assert isinstance(place, Database)
    if place.product == "postgresql":
        import psycopg

        other = psycopg.connect(f"host=127.0.0.1 port={place.server.port} user=root dbname={place.database}")
        other.execute("LOCK TABLE accounts IN EXCLUSIVE MODE")
        return closing(other)
    import pymysql

    socket = str(place.server.folder / "s")
    third = pymysql.connect(unix_socket=socket, user="root", database=place.database)
    with third.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts FOR UPDATE")
    return closing(third)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_wrong_password_is_not_tried_again(kind: str, request: pytest.FixtureRequest) -> None:
    place: Place = request.getfixturevalue(kind)
    with pytest.raises(BackendError) as caught:
        place.open(password="Wrong-Password-1", retries=1)
    assert not isinstance(caught.value, BackendUnavailableError)


@needs_postgres
def test_a_commit_without_an_answer_is_in_doubt(postgres: Database) -> None:
    """It is not done again: without marks that would find its own users in the way."""
    line = CommitLine(postgres.server.port)
    url = postgres.server.url(postgres.database, port=line.port)
    described = changed(DESCRIBED, users={"mark": None}, groups={"mark": None})
    backend = open_sql(url=url, password=PASSWORD, security="none", **described)
    backend.capabilities()
    ops = [creation("ana"), creation("bo")]
    try:
        with line:
            results = perform(backend, *ops)
        assert statuses(results) == [Status.UNKNOWN, Status.UNKNOWN]
        assert statuses(list(backend.resolve([*ops, creation("cy")]))) == [Status.DONE, Status.DONE, Status.NOT_DONE]
        assert postgres.accounts() == [("ana",), ("bo",)]
    finally:
        backend.close()
        line.close()


# -- tables that do not do --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"users": {"username": "first_name", "columns": {"forename": "login"}}}, "could get the same first_name"),
        ({"users": {"key": "phone"}}, "phone of accounts is no key"),
        ({"users": {"columns": {"email": "is_active"}}}, "holds no texts"),
        ({"users": {"active": "preferences", "constants": {"is_active": True}}}, "is a text: say what it has"),
        ({"users": {"table": "acounts"}}, 'no table acounts, did you mean "accounts"'),
        ({"users": {"columns": {"email": "mial"}}}, 'no column mial, did you mean "mail"'),
        ({"users": {"scope": None}}, "tenant_id of accounts must have a value"),
    ],
)
def test_tables_that_are_not_as_described(file: File, options: dict[str, Any], words: str) -> None:
    described = changed(DESCRIBED, **options)
    with pytest.raises(BackendError, match=words):
        open_sql(read_only=True, file=file.path, **described).capabilities()


def test_a_value_that_must_be_there_and_be_ones_own(tmp_path: Path) -> None:
    made = "CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, badge VARCHAR(9) NOT NULL UNIQUE)"
    make_file(tmp_path / "club.db", [made])
    users = {"table": "members", "username": "name", "columns": {"badge": "badge"}}
    backend = open_sql(read_only=True, file=tmp_path / "club.db", users=users)
    (objection,) = backend.check(Desired(username="ana", fields={"badge": ""}), None, None)
    assert (objection.field, objection.message) == ("badge", "The portal wants a value here; fill it in")
    backend.close()


@pytest.mark.parametrize("kind", ["VARCHAR(30) NOT NULL UNIQUE", "BIGINT NOT NULL"])
def test_a_phone_in_one_column_is_objected_to_where_it_is_wanted_and_not_given(tmp_path: Path, kind: str) -> None:
    made = f"CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, phone {kind})"
    make_file(tmp_path / "club.db", [made])
    users = {"table": "members", "username": "name", "columns": {"phone": "phone"}}
    backend = open_sql(read_only=True, file=tmp_path / "club.db", users=users)
    who = Desired(username="ana", fields={"forename": "Ana"})
    (objection,) = backend.check(who, None, None)
    assert (objection.field, objection.message) == ("phone", "The portal wants a value here; fill it in")
    assert list(backend.check(who, "1", None)) == []
    backend.close()


@pytest.mark.parametrize(("index", "counts"), [("(lower(mail))", True), ("(mail) WHERE is_active", False)])
@needs_postgres
def test_which_indexes_keep_addresses_apart(postgres: Database, index: str, counts: bool) -> None:
    postgres.do(f"CREATE UNIQUE INDEX one_mail ON accounts {index}")
    assert postgres.open(read_only=True).capabilities().unique_email is counts
