"""A Turkish locale, which has other small letters for the I of INSERT: whatever is counted, is counted right."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.programs import do_without
from support.workplace import Workplace

ROOT = Path(__file__).parents[2]
# Python's own count, which an upper-case INSERT breaks under a Turkish locale. Written so that it is not found here.
_COUNT = re.compile(r"\brow" + r"count\b")
_PIPELINE = 'backend.use = "directory"\nbackend.options = { path = "directory.db", passwords = "none" }\n'


@pytest.fixture(scope="module")
def turkish(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of somebody in Turkey; the locale is made here, as few machines have it."""
    missing = None
    folder = tmp_path_factory.mktemp("locales")
    if sys.platform != "linux" or (localedef := shutil.which("localedef")) is None:
        missing = "there is no localedef"
    else:
        command = [localedef, "-i", "tr_TR", "-f", "UTF-8", str(folder / "tr_TR.UTF-8")]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        missing = None if done.returncode == 0 else f"the locale tr_TR cannot be made: {done.stderr.strip()}"
    if missing is not None:
        do_without(missing)
    return {"LOCPATH": str(folder), "LC_ALL": "tr_TR.UTF-8"}


def test_the_locale_is_one_that_breaks_what_python_counts(turkish: dict[str, str]) -> None:
    code = (
        "import locale, sqlite3; locale.setlocale(locale.LC_ALL, ''); db = sqlite3.connect(':memory:'); "
        "db.execute('CREATE TABLE a (b)'); print(getattr(db.execute('INSERT INTO a VALUES (1)'), 'row' + 'count'))"
    )
    done = _python("-c", code, environment=turkish)
    assert done.stdout.strip() == ("-1" if sys.version_info < (3, 13) else "1"), done.stderr


def test_run_undo_and_a_second_pipeline(tmp_path: Path, turkish: dict[str, str]) -> None:
    place = Workplace(tmp_path)
    (tmp_path / "one.toml").write_text('name = "one"\n' + _PIPELINE, encoding="utf-8")
    (tmp_path / "two.toml").write_text('name = "two"\n' + _PIPELINE, encoding="utf-8")
    sheet = place.write(
        "staff.csv",
        "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\n,,,,,,,\n"
        "ibrahim@example.com,IBRAHIM,İbrahim,Işık,Xk9-Sesame-7c1f,,,Staff|INFO;Staff\n"
        "ayse@example.com,ayse,Ayşe,Yılmaz,Xk9-Sesame-7c1f,,,Staff|INFO\n",
    )
    done = place.json("run", sheet, "-p", "one.toml", **turkish)
    assert (done.status, done.document["job"]["counts"]["created"]) == (0, 2)
    assert place.groups() == {"Staff", "Staff|INFO"}
    assert {name: user["groups"] for name, user in place.users().items()} == {
        "IBRAHIM": {"Staff", "Staff|INFO"},
        "ayse": {"Staff|INFO"},
    }
    # Another pipeline that means the same users has created nobody, so it invites nobody.
    other = place.json("run", sheet, "-p", "two.toml", **turkish)
    assert (other.status, other.document["job"]["counts"]["unchanged"]) == (0, 2)
    assert len(place.invites()) == 2
    taken_back = place.json("jobs", "undo", "last", "-p", "one.toml", **turkish)
    assert taken_back.document["job"]["counts"]["deactivated"] == 2
    assert [user["active"] for user in place.users().values()] == [0, 0]
    assert place.groups() == set()


def test_two_pipelines_at_once_do_not_both_create(tmp_path: Path, turkish: dict[str, str]) -> None:
    """Both have planned to create the user; the directory says to one of them that the name is taken."""
    code = """
import sys
from pathlib import Path
from musterroll import CreateUser, Desired
from musterroll_plugins.backends.directory.backend import DirectoryBackend
import datetime as dt
backend = DirectoryBackend(Path(sys.argv[1]), read_only=False, hash_passwords=False, unique_email=False,
                           clock=lambda: dt.datetime.now(dt.UTC))
make = lambda id: CreateUser(id=id, user=Desired(username="IDA", fields={}), password=None)
print(*(result.status.value for result in backend.execute(iter([make("one-1"), make("two-1"), make("one-1")]))))
"""
    done = _python("-c", code, str(tmp_path / "users.db"), environment=turkish)
    assert done.stdout.split() == ["done", "conflict", "done"], done.stderr


def _python(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=False, env={**os.environ, **environment}, capture_output=True, text=True)


def test_nothing_counts_by_what_python_says() -> None:
    sources = [
        path for folder in ("core", "plugins", "cli", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(sources) > 200
    found = [path.relative_to(ROOT).as_posix() for path in sources if _COUNT.search(path.read_text(encoding="utf-8"))]
    assert found == ["plugins/musterroll_plugins/backends/sql/dialects.py"]  # not where the database is SQLite
