"""State folders and directories that cannot be written, read or believed: one clear line, and looking works."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from support.rosters import roster, write_csv
from support.workplace import COMMAND, Inside, Workplace

_LOOKING = (
    ("jobs", "list"),
    ("jobs", "show", "last"),
    ("invites", "list"),
    ("plan", "staff.csv"),
    ("validate", "staff.csv"),
)


def _one_line(place: Workplace, *arguments: object, status: int = 2) -> str:
    ended = place.run(*arguments)
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert (ended.status, len(errors)) == (status, 1), ended.err
    assert "unexpected" not in errors[0]
    assert " broke while " not in errors[0]
    return errors[0]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where that working folder is kept, once there is one."""
    return tmp_path_factory.mktemp("kept") / "used"


@pytest.fixture
def used(inside: Inside, kept: Path) -> Inside:
    """A working folder in which a sheet was run: the first time; then it is a copy of that one."""
    if kept.exists():
        shutil.copytree(kept, inside.folder, dirs_exist_ok=True)
    else:
        write_csv(inside.folder / "staff.csv", roster(60))
        assert inside.run("run", "staff.csv").status == 0
        shutil.copytree(inside.folder, kept)
    return inside


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """Mounts a folder read-only, which binds root as well."""
    for command in (["mount", "--bind", str(folder), str(folder)], ["mount", "-o", "remount,bind,ro", str(folder)]):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"this account may not mount folders: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="folders are mounted on Linux only")
@pytest.mark.parametrize("leftover", [False, True], ids=["tidy", "after a kill"])
def test_looking_works_where_nothing_can_be_written(used: Inside, leftover: bool) -> None:
    state = used.folder / ".musterroll"
    if leftover:  # the last changes stand in a file of their own
        copy = used.folder / "copy"
        with closing(sqlite3.connect(state / "test.journal")) as db:
            db.execute("UPDATE job SET error = 'something'")
            db.commit()
            shutil.copytree(state, copy)
        shutil.rmtree(state)
        copy.rename(state)
        (state / "test.journal-shm").unlink()
    with _read_only(state):
        for arguments in _LOOKING:
            ended = used.run(*arguments)
            assert ended.status == 0, ended.err
        assert ("something" in used.run("jobs", "show", "last").out) is leftover
        assert "Read-only file system" in _one_line(used, "run", "staff.csv")
        assert "Read-only file system" in _one_line(used, "jobs", "undo", "last")
    assert {file.name for file in state.iterdir()} <= {".gitignore", "test.journal", "test.journal-wal", "test.lock"}


@pytest.mark.skipif(sys.platform != "linux", reason="folders are mounted on Linux only")
def test_a_directory_that_can_only_be_read(used: Inside) -> None:
    folder = used.folder / "data"
    folder.mkdir()
    used.directory.rename(folder / "directory.db")
    used.write(
        "musterroll.toml", 'name = "test"\nbackend.use = "directory"\nbackend.options.path = "data/directory.db"\n'
    )
    write_csv(used.folder / "staff.csv", roster(61))
    with _read_only(folder):
        assert used.run("plan", "staff.csv").status == 0
        assert "may not be written to" in _one_line(used, "run", "staff.csv")
    assert len(used.json("jobs", "list").document["jobs"]) == 1  # no job that has failed


# As root first, so that everything is loaded: a stranger may not look into the folders that it is loaded from.
_AS_NOBODY = """
import os, sys
from musterroll_cli.main import main
commands = [["jobs", "list"], ["plan", "staff.csv"], ["run", "staff.csv"]]
for command in commands:
    main(command)
os.setegid(65534)
os.seteuid(65534)
print(*(main(command) for command in commands), file=sys.stderr)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be somebody else")
def test_a_state_folder_of_somebody_else() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(Path(folder))
        place.folder.chmod(0o755)
        place.pipeline()
        write_csv(place.folder / "staff.csv", roster(3))
        command = [sys.executable, "-c", _AS_NOBODY]
        done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    *errors, statuses = done.stderr.splitlines()
    assert statuses == "2 2 2"
    assert [line.startswith("error: ") and "belongs to root" in line for line in errors if "error" in line] == [
        True
    ] * 3


def _cut(size: int) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(file.read_bytes()[:size])


def _overwrite(start: int, content: bytes) -> Callable[[Path], object]:
    return lambda file: file.write_bytes((old := file.read_bytes())[:start] + content + old[start + len(content) :])


def _sql(statement: str) -> Callable[[Path], object]:
    def change(file: Path) -> None:
        with closing(sqlite3.connect(file)) as db:
            db.execute("PRAGMA ignore_check_constraints = ON")
            db.execute(statement)
            db.commit()

    return change


_NOISE = random.Random(1).randbytes(8000)
_DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut to 100": _cut(100),
    "cut to 700": _cut(700),
    "cut to 36000": _cut(36_000),
    "beginning overwritten": _overwrite(0, _NOISE[:100]),
    "beginning zeroed": _overwrite(0, bytes(100)),
    "pages zeroed": _overwrite(16_384, bytes(163_840)),
    "noise": _overwrite(20_000, 4 * _NOISE),
    "garbage": lambda file: file.write_bytes(_NOISE),
    "a text": lambda file: file.write_text("shopping list\n" * 100, encoding="utf-8"),
}
_JOURNAL: dict[str, Callable[[Path], object]] = {
    "emptied": _cut(0),
    "a table is missing": _sql("DROP TABLE managed"),
    "an index is missing": _sql("DROP INDEX invite_user"),
    "a state that there is not": _sql("UPDATE job SET state = 'garbage'"),
    "counts that are none": _sql("UPDATE job SET counts = '{'"),
    "a blob for a text": _sql("UPDATE job SET sheet = x'00ff'"),
    "a time that is none": _sql("UPDATE job SET started = 'yesterday'"),
    "not UTF-8": _sql("UPDATE job SET plugins = CAST(x'7bff7d' AS TEXT)"),
}


@pytest.mark.parametrize("what", [*_DAMAGE, *_JOURNAL])
def test_a_damaged_journal(used: Inside, what: str) -> None:
    file = used.folder / ".musterroll" / "test.journal"
    {**_DAMAGE, **_JOURNAL}[what](file)
    before = file.read_bytes()
    for arguments in (("jobs", "list"), ("run", "staff.csv"), ("jobs", "undo", "last")):
        ended = used.json(*arguments)
        assert (ended.status, ended.document["error"]["code"]) == (2, "state.corrupt"), ended.document["error"]
        message = ended.document["error"]["message"]
        assert "backup" in message
        assert "\n" not in message
    assert file.read_bytes() == before
    assert len(used.users()) == 60


def test_last_changes_that_were_overwritten(used: Inside) -> None:
    (used.folder / ".musterroll" / "test.journal-wal").write_bytes(_NOISE)
    assert "last changes" in _one_line(used, "jobs", "list")
    assert "last changes" in _one_line(used, "run", "staff.csv")


def test_the_journal_is_gone_and_its_last_changes_are_not(used: Inside) -> None:
    state = used.folder / ".musterroll"
    (state / "test.journal").rename(state / "test.journal-wal")
    assert "is gone" in _one_line(used, "run", "staff.csv")


_DIRECTORY: dict[str, Callable[[Path], object]] = {
    "a table is missing": _sql("DROP TABLE memberships"),
    "a column is missing": _sql("ALTER TABLE users DROP COLUMN phone"),
    "it does not say which it is": _sql("DELETE FROM meta"),
    "attributes that are none": _sql("UPDATE users SET attributes = '{'"),
    "a blob for a text": _sql("UPDATE users SET forename = x'00ff'"),
    "not UTF-8": _sql("UPDATE users SET surname = CAST(x'ff' AS TEXT)"),
}


@pytest.mark.parametrize("what", [*_DAMAGE, *_DIRECTORY])
def test_a_damaged_directory(used: Inside, what: str) -> None:
    {**_DAMAGE, **_DIRECTORY}[what](used.directory)
    for arguments in (("plan", "staff.csv"), ("run", "staff.csv")):
        assert "copy" in (line := _one_line(used, *arguments)) or "another program" in line


def test_a_current_folder_that_was_deleted(used: Inside) -> None:
    gone = used.folder / "gone"
    gone.mkdir()
    code = "import os, shutil, sys; os.chdir(sys.argv[1]); os.rmdir(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])"
    command = [sys.executable, "-c", code, str(gone), str(COMMAND), "jobs", "list"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: the current folder was deleted")


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    place = Workplace(folder)
    place.pipeline('on_error = "skip"')
    sheet = folder / os.fsdecode(b"st\xe4ff.csv")
    place.write(
        "staff.csv",
        "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\n,,,,,,,\n"
        "ana@example.com,ana,Ana,,Xk9-Sesame-7c1f,,,\nnonsense,bo,Bo,,Xk9-Sesame-7c1f,,,\n",
    ).rename(sheet)
    env = {**os.environ, "PYTHONWARNINGS": "ignore"}
    for arguments, status in (
        (["run", sheet.name], 1),
        (["run", sheet.name, "--format", "json"], 1),
        (["jobs", "list"], 0),
        (["jobs", "show", "last"], 0),
        (["jobs", "undo", "last", "--format", "json"], 3),
        (["jobs", "prune", "--yes"], 0),
    ):
        done = subprocess.run([str(COMMAND), *arguments], check=False, cwd=folder, env=env, capture_output=True)
        assert done.returncode == status, (arguments, done.stdout, done.stderr)
        assert b"unexpected" not in done.stderr + done.stdout
    assert sorted(os.fsencode(file.name) for file in folder.glob("*rejected*")) == [b"st\xe4ff.rejected.csv"]
