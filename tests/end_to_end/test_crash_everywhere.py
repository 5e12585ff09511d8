"""Killed at every commit of the journal and at random moments, then gone on with.

After each kill: every user exactly once and as wanted, nobody invited twice, missing invites are held ones, the
counts add up, strangers are as they were. In `make test` a sample, in CI every commit.
"""

from __future__ import annotations

import email
import json
import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest

from support.fork_server import Command, ForkServer, When
from support.mock_portal import mock_portal

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

HEADINGS = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups"
COUNTS = (
    *("created", "updated", "unchanged", "deactivated", "reactivated", "deleted", "ignored"),
    *("rejected", "failed", "unknown", "not_attempted"),
)
SEED = 20261122
State = tuple[list[tuple[Any, ...]], ...]


@dataclass
class Place:
    """A working folder, and the directory that its users go into.

    Attributes:
        folder: where commands run.
        directory: the directory's file: its own, or that of the mock portal.
        prefix: what the usernames and groups of this place begin with.
        bosses: whether everybody has one, who stands in the row below; the last one's is the first.
    """

    folder: Path
    directory: Path
    prefix: str = ""
    bosses: bool = False

    def write(self, backend: str) -> None:
        """Writes the pipeline and two sheets: the second changes, adds, regroups and leaves alone."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "musterroll.toml").write_text(
            f'name = "crash{self.prefix}"\nbackend.use = {backend}\n'
            # What is taken for a hand edit stays as it is: nothing of ours may be, whatever is cut off.
            'undo.created = "delete"\nmembership.mode = "replace"\nhand_edits.default = "keep"\n'
            + ('[[sheet.fields]]\nname = "boss"\nheading = "Boss"\ntype = "user"\n' if self.bosses else ""),
            encoding="utf-8",
        )
        p = self.prefix
        self._sheet("one.csv", [self._row(n, "One", f"{p}Region|North;{p}Staff") for n in range(8)])
        second = [self._row(n, "Two", f"{p}Region|South|Deep;{p}Staff") for n in range(4)]
        second += [self._row(n, "One", f"{p}Region|North;{p}Staff") for n in range(4, 6)]
        second += [self._row(n, "Two", f"{p}Region|West") for n in range(8, 14)]
        self._sheet("two.csv", second)

    def _row(self, n: int, surname: str, groups: str) -> str:
        name = f"{self.prefix}user{n:02}x"
        return f"{name}@example.com,{name},Una,{surname},Sesame-open-{n},44,77123456{n:02},{groups}"

    def _sheet(self, name: str, rows: Sequence[str]) -> None:
        headings = HEADINGS
        if self.bosses:
            names = [row.split(",")[1] for row in rows]
            rows = [f"{row},{boss}" for row, boss in zip(rows, [*names[1:], names[0]], strict=True)]
            headings += ",Boss"
        (self.folder / name).write_text("\n".join([headings, "guidance,,,,,,,", *rows]) + "\n", encoding="utf-8")

    def state(self) -> State:
        """Users, groups and members of this place, in the directory."""
        like = (f"{self.prefix}%",)
        with closing(sqlite3.connect(self.directory)) as db:
            users = (
                "SELECT username, email, forename, surname, active, json_extract(attributes, '$.boss') FROM users "
                "WHERE username LIKE ? ORDER BY 1"
            )
            groups = "SELECT path FROM group_paths WHERE path LIKE ? ORDER BY 1"
            members = "SELECT username, path FROM user_groups WHERE username LIKE ? ORDER BY 1, 2"
            return tuple(db.execute(query, like).fetchall() for query in (users, groups, members))

    def check_ledger(self, wanted: set[str]) -> None:
        """Nobody is invited twice, and who is missing is held."""
        files = (self.folder / "outbox").glob("*.eml")
        invited = Counter(parseaddr(email.message_from_bytes(file.read_bytes())["To"])[1] for file in files)
        assert set(invited.values()) <= {1}, invited.most_common(3)
        (journal,) = (self.folder / ".musterroll").glob("*.journal")
        with closing(sqlite3.connect(journal)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            held = {f"{name}@example.com" for (name,) in db.execute("SELECT username FROM invite WHERE state = 'held'")}
        assert wanted - set(invited) <= held
        assert set(invited) <= wanted

    def check_last_values(self) -> None:
        """What users were given last is what they have: whatever was handed over as done is known, and nothing else."""
        (journal,) = (self.folder / ".musterroll").glob("*.journal")
        with closing(sqlite3.connect(journal)) as db:
            assert db.execute("SELECT count(*) FROM agreed").fetchone() == (0,)
            last = db.execute("SELECT fields, groups FROM last_values").fetchall()
        known = {
            json.loads(fields)["username"]: (json.loads(fields), set(json.loads(groups))) for fields, groups in last
        }
        mine = "SELECT username, email, forename, surname, id FROM users WHERE username LIKE ?"
        with closing(sqlite3.connect(self.directory)) as db:
            users = db.execute(mine, (f"{self.prefix}%",)).fetchall()
            members = db.execute("SELECT user_id, group_id FROM memberships").fetchall()
        assert known.keys() == {username for username, *_ in users}
        for username, email_, forename, surname, id_ in users:
            fields, groups = known[username]
            assert (fields["email"], fields["forename"], fields["surname"]) == (email_, forename, surname)
            assert groups == {group for user, group in members if user == id_}


@dataclass
class Rehearsal:
    """What is killed, and what is to be the case in the end."""

    place: Place
    words: tuple[str, ...]
    again: tuple[str, ...]
    final: State
    invited: set[str]


def _settled(server: ForkServer, rehearsal: Rehearsal) -> None:
    """Goes on with what was killed, and checks what comes of it."""
    place = rehearsal.place
    resumed = server.run(place.folder, "jobs", "resume", "last", "--format", "json")
    if resumed.status in (0, 1, 4):
        counts = resumed.document["job"]["counts"]
        assert counts["rows"] == sum(counts.get(name, 0) for name in COUNTS), counts
    again = server.run(place.folder, *rehearsal.again, "--format", "json")
    assert again.status in (0, 3), again.out
    assert place.state() == rehearsal.final
    place.check_ledger(rehearsal.invited)
    place.check_last_values()


def _killed_at(
    server: ForkServer, rehearse: Callable[[], Rehearsal], commit: int, when: When, chance: random.Random
) -> bool:
    """Kills at one commit, and then the resume up to three times; returns whether the command was killed at all."""
    rehearsal = rehearse()
    folder = rehearsal.place.folder
    killed = server.run(folder, *rehearsal.words, commit=commit, when=when).status is None
    for _ in range(3 if killed else 0):
        if server.run(folder, "jobs", "resume", "last", commit=chance.randrange(1, 12), when=when).status is not None:
            break
    _settled(server, rehearsal)
    return killed


def _killed_everywhere(server: ForkServer, rehearse: Callable[[], Rehearsal], *, step: int = 1) -> int:
    """Kills at every `step`th commit until the command gets through; returns how many kills there were."""
    chance, before = random.Random(SEED), server.kills
    commit = 1
    while _killed_at(server, rehearse, commit, chance.choice(("before", "after")), chance):
        commit += chance.randrange(1, 2 * step)
    return server.kills - before


def _killed_at_random(server: ForkServer, rehearse: Callable[[], Rehearsal], times: int, latest: float) -> None:
    chance = random.Random(SEED)
    for _ in range(times):
        rehearsal = rehearse()
        server.run(rehearsal.place.folder, *rehearsal.words, seconds=chance.uniform(0.01, latest))
        _settled(server, rehearsal)


def _fine(command: Command) -> Command:
    assert command.status == 0, command.out + command.err
    return command


class Directory:
    """Rehearsals in the embedded directory: each begins with a copy of the same folder."""

    def __init__(self, server: ForkServer, folder: Path, *, bosses: bool = False) -> None:
        self._server, self._folder, self._number = server, folder, 0
        self._base = Place(folder / "base", folder / "base" / "users.db")
        backend = '"directory"\nbackend.options = { path = "users.db", passwords = "none" }'
        strangers = Place(folder / "base", folder / "base" / "users.db", "other-")
        strangers.write(backend)
        _fine(server.run(strangers.folder, "run", "one.csv"))
        self._strangers = strangers.state()
        shutil.rmtree(strangers.folder / ".musterroll")
        shutil.rmtree(strangers.folder / "outbox")
        self._base.prefix, self._base.bosses = "our-", bosses
        self._base.write(backend)
        _fine(server.run(self._base.folder, "run", "one.csv"))
        self.first = self._base.state()
        self._done = self._copy(self._base)
        _fine(server.run(self._done.folder, "run", "two.csv"))
        self.second = self._done.state()

    def _copy(self, of: Place) -> Place:
        self._number += 1
        folder = self._folder / str(self._number)
        shutil.copytree(of.folder, folder)
        return Place(folder, folder / "users.db", of.prefix)

    def run(self) -> Rehearsal:
        return Rehearsal(self._copy(self._base), ("run", "two.csv"), ("run", "two.csv"), self.second, _addresses(14))

    def apply(self) -> Rehearsal:
        place = self._copy(self._base)
        _fine(self._server.run(place.folder, "plan", "two.csv", "-o", "saved.json"))
        return Rehearsal(place, ("apply", "saved.json"), ("run", "two.csv"), self.second, _addresses(14))

    def undo(self) -> Rehearsal:
        # After the undo went through, a second one is refused; if nothing was left of it, it is done then.
        place = self._copy(self._done)
        with closing(sqlite3.connect(next((place.folder / ".musterroll").glob("*.journal")))) as db:
            (job,) = db.execute("SELECT id FROM job ORDER BY started DESC LIMIT 1").fetchone()
        return Rehearsal(place, ("jobs", "undo", job), ("jobs", "undo", job), self.first, _addresses(14))

    def strangers_are_as_they_were(self) -> None:
        for number in range(1, self._number + 1):
            folder = self._folder / str(number)
            assert Place(folder, folder / "users.db", "other-").state() == self._strangers


def _addresses(count: int, prefix: str = "our-") -> set[str]:
    return {f"{prefix}user{n:02}x@example.com" for n in range(count)}


def test_a_sample_of_kills(server: ForkServer, tmp_path: Path) -> None:
    directory = Directory(server, tmp_path)
    assert _killed_everywhere(server, directory.run, step=10) >= 3
    assert _killed_everywhere(server, directory.undo, step=12) >= 2
    directory.strangers_are_as_they_were()


def test_a_sample_of_kills_where_users_name_each_other(server: ForkServer, tmp_path: Path) -> None:
    directory = Directory(server, tmp_path, bosses=True)
    bosses = [boss for *_, boss in directory.second[0]]
    assert len(bosses) > 3
    assert None not in bosses
    assert _killed_everywhere(server, directory.run, step=10) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("bosses", [False, True])
@pytest.mark.parametrize("command", ["run", "apply", "undo"])
def test_killed_at_every_commit(server: ForkServer, tmp_path: Path, command: str, *, bosses: bool) -> None:
    directory = Directory(server, tmp_path, bosses=bosses)
    before = server.kills
    _killed_everywhere(server, getattr(directory, command))
    _killed_at_random(server, getattr(directory, command), 20, 0.3)
    assert server.kills - before >= 60
    directory.strangers_are_as_they_were()


@pytest.mark.slow
def test_killed_at_every_commit_with_a_portal(server: ForkServer, tmp_path: Path) -> None:
    """The portal lives on, with its faults; each rehearsal has users and groups of its own in it."""
    database, number = tmp_path / "portal.db", 0
    faults = ("--fault", "429:0.02", "--retry-after", "0", "--fault", "reset-after-commit:0.02",
              "--fault", "503-after-commit:0.05")  # fmt: skip
    with mock_portal(database, "--seed", "7", "--passwords", "none", *faults) as portal:
        token = tmp_path / "token.txt"  # the server's environment is older
        token.write_text(portal.token)
        backend = f'"scim"\nbackend.options = {{ url = "{portal.url}", token = {{ file = "{token.as_posix()}" }} }}'

        def rehearse() -> Rehearsal:
            nonlocal number
            number += 1
            place = Place(tmp_path / str(number), database, f"p{number:03}-")
            place.write(backend)
            _fine(server.run(place.folder, "run", "one.csv"))
            words = ("run", "two.csv")
            final = tuple(
                [tuple(_renamed(value, place.prefix) for value in line) for line in lines] for lines in wanted
            )
            return Rehearsal(place, words, words, final, _addresses(14, place.prefix))

        wanted = Directory(server, tmp_path / "directory").second
        assert _killed_everywhere(server, rehearse, step=2) >= 25


def _renamed(value: Any, prefix: str) -> Any:
    return value.replace("our-", prefix) if isinstance(value, str) else value
