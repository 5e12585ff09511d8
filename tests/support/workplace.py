"""A scratch folder in which the installed command is run as a person would run it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sysconfig
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from musterroll_cli.main import main

COMMAND = Path(sysconfig.get_path("scripts")) / ("musterroll.exe" if os.name == "nt" else "musterroll")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def codes(self) -> list[tuple[str, str | None]]:
        """Code and cell of every problem, in order."""
        return [(problem["code"], problem["cell"]) for problem in self.document["problems"]]


def one_line(ended: Ended, *words: str) -> str:
    """What was said, which is one line of the person's."""
    assert ended.status == 2, ended
    (line,) = [text for text in ended.err.splitlines() if text.strip()]
    for word in words:
        assert word in line
    return line


@dataclass(frozen=True)
class Workplace:
    """A scratch folder. `directory` is the embedded directory that its pipelines use."""

    folder: Path

    @property
    def directory(self) -> Path:
        return self.folder / "directory.db"

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(COMMAND), *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "PYTHONWARNINGS": "ignore", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, *arguments: object, **environment: str) -> Ended:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err, err
        assert "Traceback" not in out, out
        return Ended(process.returncode, out, err)

    def json(self, *arguments: object, **environment: str) -> Ended:
        return self.run(*arguments, "--format", "json", **environment)

    def pipeline(self, text: str = "", *, name: str = "test", passwords: str = "none") -> None:
        """Writes musterroll.toml: the standard pipeline without password hashing, and what `text` adds."""
        backend = f'backend.use = "directory"\nbackend.options = {{ path = "directory.db", passwords = "{passwords}" }}'
        (self.folder / "musterroll.toml").write_text(f'name = "{name}"\n{backend}\n{text}', encoding="utf-8")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return path

    def invites(self) -> list[Path]:
        return sorted((self.folder / "outbox").glob("*.eml"))

    def users(self) -> dict[str, dict[str, Any]]:
        """Users by username without ids, times and hashes, with the paths of their groups."""
        with sqlite3.connect(self.directory) as db:
            db.row_factory = sqlite3.Row
            users = {
                row["username"]: {
                    "email": row["email"],
                    "forename": row["forename"],
                    "surname": row["surname"],
                    "calling_code": row["calling_code"],
                    "phone": row["phone"],
                    "attributes": json.loads(row["attributes"]),
                    "active": row["active"],
                    "groups": set(),
                }
                for row in db.execute("SELECT * FROM users")
            }
            for row in db.execute("SELECT username, path FROM user_groups"):
                users[row["username"]]["groups"].add(row["path"])
        db.close()
        return users

    def by_hand(self, statement: str, *values: object) -> None:
        """Changes something in the portal behind the program's back."""
        with sqlite3.connect(self.directory) as db:
            db.execute(statement, values)
        db.close()

    def groups(self) -> set[str]:
        with sqlite3.connect(self.directory) as db:
            groups = {path for (path,) in db.execute("SELECT path FROM group_paths")}
        db.close()
        return groups


def asks_for_nothing(place: Workplace, sheet: object, users: int) -> None:
    """Every row of a sheet is of a user who is like that already."""
    planned = place.json("plan", sheet)
    assert planned.document["problems"] == []
    assert [change["action"] for change in planned.document["changes"]] == ["unchanged"] * users
    assert planned.status == 0


@dataclass(frozen=True)
class Inside(Workplace):
    """Runs commands in this very process, which is much quicker; `start` still makes a process of its own."""

    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def at(self, folder: str | Path) -> Inside:
        """Another folder; a relative one is in this one."""
        return replace(self, folder=self.folder / folder)

    def run(self, *arguments: object, **environment: str) -> Ended:
        with self.monkeypatch.context() as patch:
            patch.chdir(self.folder)
            for name, value in environment.items():
                patch.setenv(name, value)
            self.capsys.readouterr()
            status = main([*map(str, arguments)])
            out, err = self.capsys.readouterr()
        assert "Traceback" not in out + err
        return Ended(status, out, err)
