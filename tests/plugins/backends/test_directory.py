from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from musterroll import (
    AddMembers,
    BackendError,
    Context,
    CreateGroup,
    CreateUser,
    Desired,
    FieldSet,
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
from musterroll.testing import BackendContract
from musterroll_plugins.backends.directory import DirectoryOptions, build, file
from support.earlier import write_earlier

needs_posix = pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")


def open_directory(path: Path, *, read_only: bool = False, **options: Any) -> UserBackend:
    context = Context(instance="backend", fields=FieldSet([]), read_only=read_only)
    return build(DirectoryOptions.model_validate({"path": path, "passwords": "none", **options}), context)


def creation(name: str, password: str | None = None, **fields: str | None) -> CreateUser:
    secret = None if password is None else Secret(password)
    return CreateUser(id=f"op-{name}", user=Desired(username=name, fields=fields), password=secret)


def run(backend: UserBackend, *ops: Op) -> list[Result]:
    return list(backend.execute(iter(ops)))


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a person with the sqlite3 program sees."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestDirectory(BackendContract):
    options: ClassVar[dict[str, bool]] = {}
    most_in_flight = 4000

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        return open_directory(folder / "users.db", read_only=read_only, passwords="argon2id", **self.options)


class TestDirectoryWithUniqueEmail(TestDirectory):
    options: ClassVar[dict[str, bool]] = {"unique_email": True}


class TestTheFile:
    def test_it_can_be_read_with_sqlite3(self, tmp_path: Path) -> None:
        path = tmp_path / "users.db"
        backend = open_directory(path)
        (region,) = run(backend, CreateGroup(id="g1", path=("Region; all",), parent=None))
        parent = GroupRef(str(region.ref), ("Region; all",))
        (north,) = run(backend, CreateGroup(id="g2", path=("Region; all", "N|S"), parent=parent))
        (ana,) = run(backend, creation("Ana", email="Ana@Example.com", department="Übersee"))
        group = GroupRef(str(north.ref), ("Region; all", "N|S"))
        run(backend, AddMembers(id="m", group=group, members=(UserRef(str(ana.ref), "Ana"),)))
        backend.close()
        assert query(path, "SELECT * FROM user_groups") == [("Ana", "Region\\; all|N\\|S")]
        own = query(path, "SELECT username, email, email_key, attributes, operation FROM users")
        assert own == [("Ana", "Ana@Example.com", "ana@example.com", '{"department":"Übersee"}', "op-Ana")]
        assert query(path, "PRAGMA integrity_check") == [("ok",)]

    @needs_posix
    def test_only_its_owner_reads_it_and_what_is_beside_it(self, tmp_path: Path) -> None:
        path = tmp_path / "users.db"
        backend = open_directory(path)
        run(backend, creation("ana"))
        modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in names(tmp_path)}
        assert set(modes.values()) == {0o600}
        backend.close()

    def test_at_rest_it_is_a_single_file(self, tmp_path: Path) -> None:
        path = tmp_path / "users.db"
        backend = open_directory(path)
        planning = open_directory(path, read_only=True)
        assert planning.count_users() == 0
        run(backend, creation("ana"))
        backend.close()
        assert names(tmp_path) == ["users.db"]
        assert planning.count_users() == 1
        planning.close()
        before = path.read_bytes()
        planning = open_directory(path, read_only=True)
        planning.lookup([UserKey.of("department", "x")])
        assert (names(tmp_path), path.read_bytes()) == (["users.db"], before)
        planning.close()

    def test_a_reader_that_stays_keeps_nothing_from_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "users.db"
        backend = open_directory(path)
        run(backend, creation("ana"))
        planning = open_directory(path, read_only=True)
        backend.close()
        (tmp_path / "copy.db").write_bytes(path.read_bytes())
        assert query(tmp_path / "copy.db", "SELECT username FROM users") == [("ana",)]
        planning.close()
        open_directory(path).close()
        assert names(tmp_path) == ["copy.db", "users.db"]

    def test_planning_against_no_file_makes_none(self, tmp_path: Path) -> None:
        planning = open_directory(tmp_path / "users.db", read_only=True)
        assert planning.identity() == "directory:new"
        assert planning.count_users() == 0
        planning.close()
        assert names(tmp_path) == []

    def test_an_empty_file_becomes_a_directory(self, tmp_path: Path) -> None:
        path = tmp_path / "users.db"  # as a kill right after creating it leaves it
        path.touch()
        planning = open_directory(path, read_only=True)
        assert planning.identity() == "directory:new"
        planning.close()
        assert path.stat().st_size == 0
        backend = open_directory(path)
        assert run(backend, creation("ana"))[0].status is Status.DONE
        backend.close()

    @pytest.mark.parametrize("name", ["a b.db", "50%25#?.db", "ünï&x=1;y.db", "'q\".db", "x?mode=memory"])
    def test_awkward_names(self, tmp_path: Path, name: str) -> None:
        if os.name == "nt" and set(name) & set('?"'):
            pytest.skip("no file name on Windows")
        backend = open_directory(tmp_path / name)
        run(backend, creation("ana"))
        backend.close()
        planning = open_directory(tmp_path / name, read_only=True)
        assert planning.count_users() == 1
        planning.close()
        assert names(tmp_path) == [name]

    def test_two_directories_have_two_identities(self, tmp_path: Path) -> None:
        one, two = open_directory(tmp_path / "1.db"), open_directory(tmp_path / "2.db")
        assert one.identity() != two.identity()
        one.close()
        two.close()
        (tmp_path / "1.db").rename(tmp_path / "moved.db")
        moved = open_directory(tmp_path / "moved.db", read_only=True)
        assert moved.identity() == one.identity()
        moved.close()


class TestIndexOfAddresses:
    _INDEX = "SELECT count(*) FROM sqlite_schema WHERE name = 'users_by_email'"

    @staticmethod
    def _many() -> Iterator[Op]:
        return (creation(f"user{number}", email=f"User{number}@example.com") for number in range(4001))

    def test_a_large_first_import_makes_it_at_its_end(self, tmp_path: Path) -> None:
        path = tmp_path / "users.db"
        backend = open_directory(path)
        results = iter(backend.execute(self._many()))
        next(results)
        assert query(path, self._INDEX) == [(0,)]
        looking = open_directory(path, read_only=True)
        key = UserKey("email", "user7@example.com", "user7@example.com")
        assert [user.username for user in looking.lookup([key])[key]] == ["user7"]
        looking.close()
        assert {result.status for result in results} == {Status.DONE}
        backend.close()
        assert query(path, self._INDEX) == [(1,)]

    @pytest.fixture
    def small_chunks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("musterroll_plugins.backends.directory.backend._CHUNK", 300)

    @pytest.mark.usefixtures("small_chunks")
    @pytest.mark.parametrize("field", ["email", "forename", "staff_number"])
    def test_who_looks_up_beside_it_reads_each_new_user_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str
    ) -> None:
        path, steps, connect = tmp_path / "users.db", [0], sqlite3.connect
        backend = open_directory(path)
        users = (creation(f"user{number}", **{field: f"U{number}@example.com"}) for number in range(3000))
        results = iter(backend.execute(users))
        next(results)

        def count() -> int:
            steps[0] += 1
            return 0

        def watched(*args: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*args, **options)
            connection.set_progress_handler(count, 100)
            return connection

        monkeypatch.setattr(sqlite3, "connect", watched)
        looking = open_directory(path, read_only=True)
        monkeypatch.setattr(sqlite3, "connect", connect)
        cost = []
        for chunk in range(10):
            key = UserKey.of(field, f"u{chunk * 300 + 299}@example.com")
            steps[0] = 0
            assert [user.username for user in looking.lookup([key])[key]] == [f"user{chunk * 300 + 299}"]
            cost.append(steps[0])
            for _ in range(300):  # the next chunk
                next(results, None)
        assert max(cost) < 2 * cost[0]
        looking.close()
        backend.close()
        assert query(path, "SELECT count(*) FROM meta, sqlite_schema WHERE key = 'changes' OR type = 'trigger'") == [
            (0,)
        ]

    @pytest.mark.usefixtures("small_chunks")
    def test_who_looks_up_beside_it_sees_what_others_change(self, tmp_path: Path) -> None:
        path = tmp_path / "users.db"
        backend = open_directory(path)
        creations = (creation(f"user{number}", email=f"u{number}@example.com") for number in range(900))
        results = iter(backend.execute(creations))
        first = next(results)
        looking = open_directory(path, read_only=True)

        def found(address: str) -> list[str]:
            key = UserKey.of("email", address)
            return [user.username for user in looking.lookup([key]).get(key, ())]

        assert (found("u0@example.com"), found("other@example.com")) == (["user0"], [])
        with closing(sqlite3.connect(path)) as hand:  # as another program does, which makes no index
            hand.execute("UPDATE users SET email_key = 'other@example.com' WHERE id = ?", (first.ref,))
            hand.commit()
            assert (found("u0@example.com"), found("other@example.com")) == ([], ["user0"])
            last = hand.execute("SELECT max(rowid) FROM users").fetchone()
            hand.execute("DELETE FROM users WHERE rowid = ?", last)
            hand.execute(
                "INSERT INTO users (rowid, id, username, username_key, email, email_key, created_at, updated_at) "
                "VALUES (?, 'x', 'new', 'new', 'new@example.com', 'new@example.com', '', '')",
                last,
            )
            hand.commit()
        assert (found("u299@example.com"), found("new@example.com")) == ([], ["new"])
        assert len(list(results)) == 899
        assert (found("u899@example.com"), found("other@example.com")) == (["user899"], ["user0"])
        looking.close()
        backend.close()

    def test_after_a_kill_the_next_to_write_makes_it(self, tmp_path: Path) -> None:
        path = tmp_path / "users.db"
        killed = open_directory(path)
        list(killed.execute(self._many()))
        open_directory(path).close()
        assert query(path, self._INDEX) == [(1,)]
        killed.close()

    def test_it_stays_where_there_are_users(self, tmp_path: Path) -> None:
        path = tmp_path / "users.db"
        backend = open_directory(path)
        run(backend, creation("ana"))
        list(backend.execute(self._many()))
        assert query(path, self._INDEX) == [(1,)]
        backend.close()


class TestOfAnEarlierVersion:
    def test_it_is_brought_forward_and_a_copy_is_kept(self, tmp_path: Path) -> None:
        path = write_earlier("directory", tmp_path / "users.db")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE notes (text)")  # of somebody who works with the file
            connection.commit()
        before = path.read_bytes()
        looked = open_directory(path, read_only=True)
        assert (looked.count_users(), path.read_bytes()) == (6, before)
        looked.close()
        backend = open_directory(path)
        assert backend.identity() == looked.identity() == "directory:187acb68-5465-4853-a961-6eb3a0548d2c"
        assert backend.count_users() == 6
        assert len(list(backend.groups())) == 4
        backend.close()
        assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}["users.db.v1.bak"] == 0o600
        with closing(sqlite3.connect(tmp_path / "users.db.v1.bak")) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (1,)
            assert connection.execute("SELECT count(*) FROM users").fetchone() == (6,)
        with closing(sqlite3.connect(path)) as connection:
            assert dict(connection.execute("SELECT * FROM meta")).keys() == {"directory_id", "musterroll"}
            assert connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        assert len(list(tmp_path.iterdir())) == 2

    def test_where_no_copy_can_be_made_it_is_left_as_it_is(self, tmp_path: Path) -> None:
        path = write_earlier("directory", tmp_path / "users.db")
        (tmp_path / "users.db.v1.bak").mkdir()
        before = path.read_bytes()
        with pytest.raises(BackendError, match="cannot be copied"):
            open_directory(path)
        assert path.read_bytes() == before


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE users (name)")


def _newer(path: Path) -> None:
    open_directory(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("UPDATE meta SET value = '9.1.2' WHERE key = 'musterroll'")
        connection.commit()


def _never_written(path: Path) -> None:
    open_directory(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 0")


class TestRefusedFiles:
    @pytest.mark.parametrize("read_only", [True, False])
    @pytest.mark.parametrize(
        ("prepare", "says"),
        [
            (_foreign, "another program's"),
            (_newer, "newer version of musterroll, 9.1.2"),
            (_never_written, "version 0"),
            (lambda path: path.write_text("username;email\n" * 100), "no SQLite file"),
            (lambda path: path.write_text("x"), "no SQLite file"),
            (lambda path: path.mkdir(), "is a folder"),
        ],
    )
    def test_what_is_no_directory(
        self, tmp_path: Path, prepare: Callable[[Path], None], says: str, read_only: bool
    ) -> None:
        path = tmp_path / "users.db"
        prepare(path)
        before = path.read_bytes() if path.is_file() else None
        with pytest.raises(BackendError, match=says) as caught:
            open_directory(path, read_only=read_only)
        assert "\n" not in caught.value.message
        assert str(path) in caught.value.message
        assert before == (path.read_bytes() if path.is_file() else None)

    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(BackendError, match=r"folder .*missing does not exist"):
            open_directory(tmp_path / "missing" / "users.db")

    @pytest.mark.parametrize("read_only", [True, False])
    @pytest.mark.parametrize("name", ["a.txt/users.db", "x\0.db", "x" * 300])
    def test_impossible_paths(self, tmp_path: Path, name: str, read_only: bool) -> None:
        (tmp_path / "a.txt").touch()
        with pytest.raises(BackendError) as caught:
            open_directory(tmp_path / name, read_only=read_only)
        assert "\n" not in caught.value.message


class TestPasswords:
    def test_are_stored_as_argon2id_only(self, tmp_path: Path) -> None:
        import argon2

        path, canary = tmp_path / "users.db", "Canary-7c1f"
        backend = open_directory(path, passwords="argon2id")
        ana, _, _ = run(backend, creation("ana", canary), creation("bo", canary + "\ud800"), creation("cy"))
        hashes = dict(query(path, "SELECT username, password_hash FROM users"))
        hasher = argon2.PasswordHasher()
        assert hasher.verify(hashes["ana"], canary)
        assert hashes["ana"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert hashes["cy"] is None
        user = UserRef(str(ana.ref), "ana")
        run(backend, UpdateUser(id="u", user=user, changes={"surname": "X"}))
        assert query(path, "SELECT password_hash FROM users WHERE username = 'ana'") == [(hashes["ana"],)]
        run(backend, UpdateUser(id="r", user=user, changes={}, password=Secret("New" + canary)))
        ((new,),) = query(path, "SELECT password_hash FROM users WHERE username = 'ana'")
        assert hasher.verify(new, "New" + canary)
        stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert canary.encode() not in stored
        backend.close()

    def test_none_are_stored_for_rehearsals(self, tmp_path: Path) -> None:
        backend = open_directory(tmp_path / "users.db", passwords="none")
        assert backend.capabilities().passwords
        assert run(backend, creation("ana", "Canary"))[0].status is Status.DONE
        assert query(tmp_path / "users.db", "SELECT password_hash FROM users") == [(None,)]
        backend.close()


class TestFailures:
    def test_locked_by_another_program(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(file, "LOCK_SECONDS", 0.05)
        path = tmp_path / "users.db"
        backend = open_directory(path)
        op = creation("ana")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(BackendError, match="another program has locked it") as caught:
                run(backend, op)
            assert str(path) in caught.value.message
        assert [result.status for result in backend.resolve([op])] == [Status.NOT_DONE]
        assert run(backend, op)[0].status is Status.DONE
        backend.close()

    def test_full_disk_loses_only_the_chunk(self, tmp_path: Path) -> None:
        resource = pytest.importorskip("resource", reason="file size limits are POSIX")
        path = tmp_path / "users.db"
        backend = open_directory(path)
        run(backend, creation("first"))
        ops = [creation(f"user{number}", email="x" * 400) for number in range(5000)]
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        answered: list[Result] = []
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (7_000_000, hard))
            with pytest.raises(BackendError, match="full"):
                answered.extend(backend.execute(iter(ops)))  # keeps what came before the error
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert 0 < len(answered) < len(ops)
        assert backend.count_users() == 1 + len(answered)
        left = ops[len(answered) :]
        assert {result.status for result in backend.resolve(left)} == {Status.NOT_DONE}
        assert {result.status for result in run(backend, *left)} == {Status.DONE}
        backend.close()
        assert query(path, "PRAGMA integrity_check") == [("ok",)]

    @needs_posix
    @pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="permissions do not bind root")
    def test_file_that_may_not_be_written(self, tmp_path: Path) -> None:
        path = tmp_path / "users.db"
        open_directory(path).close()
        path.chmod(0o400)
        backend = open_directory(path)
        with pytest.raises(BackendError, match="may not be written"):
            run(backend, creation("ana"))
        backend.close()

    def test_values_that_cannot_be_stored_fail_alone(self, tmp_path: Path) -> None:
        backend = open_directory(tmp_path / "users.db")
        broken = [creation("x\ud800"), creation("b", email="\udfff"), creation("c", department="\ud912")]
        results = run(backend, creation("ana"), *broken, creation("bo"))
        assert [result.status for result in results] == [Status.DONE, *[Status.FAILED] * 3, Status.DONE]
        assert backend.count_users() == 2
        assert not backend.lookup([UserKey.of("username", "x\ud800"), UserKey.of("department", "\ud912")])
        assert {result.status for result in backend.resolve(broken)} == {Status.NOT_DONE}
        backend.close()

    def test_lookup_sees_what_another_program_wrote(self, tmp_path: Path) -> None:
        path, key = tmp_path / "users.db", UserKey.of("department", "Übersee")
        backend, other = open_directory(path), open_directory(path)
        assert not backend.lookup([key])
        run(other, creation("ana", department="übersee"))
        assert [user.username for user in backend.lookup([key])[key]] == ["ana"]
        backend.close()
        other.close()

    def test_own_fields_called_like_columns_are_own_fields(self, tmp_path: Path) -> None:
        backend = open_directory(tmp_path / "users.db")
        own = {"id": "1", "active": "0", "password_hash": "x", 'quo"te': "y", "operation": "z"}
        (result,) = run(backend, creation("ana", **own))
        user = UserRef(str(result.ref), "ana")
        run(backend, UpdateUser(id="u", user=user, changes={"active": "no", "id": None}))
        expected = {"active": "no", "password_hash": "x", 'quo"te': "y", "operation": "z"}
        for name, text in expected.items():
            ((found,),) = backend.lookup([UserKey.of(name, text.upper())]).values()
            assert found.ref == result.ref
            assert found.active
            assert {name: text for name, text in found.fields.items() if text} == expected
        backend.close()


if sys.platform != "win32":

    def test_a_hot_journal_is_rolled_back_even_for_a_reader(tmp_path: Path) -> None:
        """A kill in the middle of a transaction in the old journal mode leaves half of it in the file."""
        path, copy = tmp_path / "users.db", tmp_path / "copy.db"
        backend = open_directory(path)
        run(backend, creation("ana"))
        backend.close()
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA cache_size = 1")
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO meta VALUES (?, ?)", [(str(n), "x" * 3000) for n in range(100)])
            for end in ("", "-journal"):
                Path(f"{copy}{end}").write_bytes(Path(f"{path}{end}").read_bytes())
        planning = open_directory(copy, read_only=True)
        assert planning.count_users() == 1
        planning.close()
        assert query(copy, "SELECT count(*) FROM meta") == [(2,)]
