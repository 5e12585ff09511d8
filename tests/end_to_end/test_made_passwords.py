"""First passwords that are made: they work, are told once and by one way, and are kept nowhere, whatever happens."""

from __future__ import annotations

import csv
import email
import os
import random
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import argon2
import pytest

from musterroll import MusterrollError, Secret
from musterroll.engine import load_pipeline
from musterroll.written.hand_over import Told, write_hand_over
from support.fork_server import ForkServer, When
from support.workplace import Inside

PIPELINE = """
name = "school"
match = ["number", "username"]
backend.use = "directory"
backend.options = {{ path = "directory.db", passwords = "argon2id" }}
{more}
[sheet]
first_row = 2
omit = ["password", "calling_code", "phone", "groups"]
[sheet.make]
username = {{ from = ["{{forename|lower}}", "{{base}}{{n}}"], unique = true }}
password = {{ generate = {generate} }}
[[sheet.fields]]
name = "number"
heading = "Number"
[[notifiers]]
name = "outbox"
options = {{ text = "You are {{username}}.\\nYour password: {{password}}" }}
"""
SHEET = "Number,Forename,Surname,Email\n" + "".join(
    f"{n},{'Ana' if n % 3 else 'Bo'},-Silva,{f'p{n}@example.com' if n % 2 else ''}\n" for n in range(1, 7)
)


def write(folder: Path, *, generate: str = '"words"', more: str = "", sheet: str = SHEET) -> None:
    (folder / "musterroll.toml").write_text(PIPELINE.format(generate=generate, more=more), encoding="utf-8")
    (folder / "pupils.csv").write_text(sheet, encoding="utf-8")


def told(folder: Path) -> dict[str, str]:
    """The password of everybody who was told one; of several, the last."""
    found: dict[str, str] = {}
    for file in sorted(folder.glob("told*.csv"), key=lambda file: file.stat().st_mtime_ns):
        with file.open(encoding="utf-8-sig", newline="") as lines:
            found |= {row["Username"]: row["Password"] for row in csv.DictReader(lines)}
    for file in sorted((folder / "outbox").glob("*.eml")):
        body = email.message_from_bytes(file.read_bytes()).get_payload(decode=True)
        assert isinstance(body, bytes)
        said = re.search(r"You are (\S+)\.\s+Your password: (\S+)", body.decode())
        assert said, body
        assert said[1] not in found, "told by two ways"
        found[said[1]] = said[2]
    return found


def stored(folder: Path) -> dict[str, str]:
    with closing(sqlite3.connect(folder / "directory.db")) as db:
        return dict(db.execute("SELECT username, password_hash FROM users").fetchall())


def assert_everybody_can_sign_in(folder: Path) -> None:
    hashes, passwords = stored(folder), told(folder)
    assert passwords.keys() == hashes.keys()
    for name, hashed in hashes.items():
        argon2.PasswordHasher().verify(hashed, passwords[name])


def assert_kept_nowhere(folder: Path) -> None:
    """A password is in its invite, or in the file that hands it over, and nowhere else."""
    secrets = [password.encode() for password in told(folder).values()]
    others = [file for file in folder.rglob("*") if file.is_file() and file.suffix not in (".eml", ".html")]
    for file in others:
        data = file.read_bytes()
        assert file.name.startswith("told") or not any(secret in data for secret in secrets), file


@pytest.mark.parametrize("generate", ['"words"', "16"])
def test_an_invite_tells_the_password_and_a_file_those_of_whom_nobody_hears(inside: Inside, generate: str) -> None:
    write(inside.folder, generate=generate)
    planned = inside.json("plan", "pupils.csv")
    assert [change["made"] for change in planned.document["changes"]] == [["username", "password"]] * 6
    refused = inside.json("run", "pupils.csv")
    assert (refused.status, refused.document["error"]["code"]) == (3, "hand_over.missing")
    assert "3 new users" in refused.document["error"]["message"]
    assert not inside.directory.exists()
    done = inside.run("run", "pupils.csv", "--hand-over", "told.csv")
    assert done.status == 0
    file = inside.folder / "told.csv"
    if os.name != "nt":
        assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text(encoding="utf-8-sig")
    assert "'-Silva" in text  # no formula
    assert all(line.startswith('"') and line.endswith('"') for line in text.splitlines())  # nor one behind a semicolon
    assert_everybody_can_sign_in(inside.folder)
    assert_kept_nowhere(inside.folder)
    assert not any(password in done.out + done.err for password in told(inside.folder).values())
    assert inside.run("run", "pupils.csv").status == 0  # nobody is new
    assert_everybody_can_sign_in(inside.folder)


def test_a_page_has_a_slip_for_each(inside: Inside) -> None:
    write(inside.folder, sheet="Number,Forename,Surname,Email\n1,Ana,<b>Silva,\n2,Bo,Costa,\n")
    assert inside.run("run", "pupils.csv", "--hand-over", "slips.html").status == 0
    page = (inside.folder / "slips.html").read_text(encoding="utf-8")
    assert page.count("<section>") == 2
    assert "&lt;b&gt;Silva" in page
    for name, hashed in stored(inside.folder).items():
        password = re.search(rf">{name}</dd>\n<dt>Password</dt><dd class=\"told\">([^<]+)<", page)
        assert password
        argon2.PasswordHasher().verify(hashed, password[1])


@pytest.mark.parametrize("name", ["told.txt", "pupils.csv", "nowhere/told.csv"])
def test_a_file_that_cannot_be_is_refused_before_anything_is_done(inside: Inside, name: str) -> None:
    write(inside.folder)
    before = (inside.folder / "pupils.csv").read_bytes()
    assert inside.run("run", "pupils.csv", "--hand-over", name).status == 2
    assert not inside.directory.exists()
    assert (inside.folder / "pupils.csv").read_bytes() == before


def test_what_cannot_be_written_is_said_without_where_it_lies(inside: Inside) -> None:
    write(inside.folder)
    path, fields = inside.folder / "pupils.csv", load_pipeline(inside.folder / "musterroll.toml").fields
    with pytest.raises(MusterrollError, match=r"cannot be written to pupils\.csv: the file exists by now") as refused:
        write_hand_over(path, [Told("ana", Secret("Meadow-Kite-41"), {})], fields, "school")
    assert str(inside.folder) not in refused.value.message  # on a page that is nobody's business
    assert "Meadow" not in refused.value.message


def test_rules_that_no_password_meets_are_a_mistake(inside: Inside) -> None:
    write(inside.folder)
    said = inside.run("pipeline", "check", "--set", "validators.password.options.max_length=12")
    assert said.status == 2
    assert "sheet.make.password.generate" in said.err
    assert "at most 12 characters" in said.err
    every = "validators.password.options.require=['lower', 'upper', 'digit', 'symbol']"
    assert inside.run("pipeline", "check", "--set", every).status == 0


@pytest.mark.parametrize("generate", ["9", "129", '"word"', "true", "16.0"])
def test_what_a_password_cannot_be_made_of(inside: Inside, generate: str) -> None:
    write(inside.folder, generate=generate)
    said = inside.run("pipeline", "check")
    assert said.status == 2
    assert 'should be "words", or a number of characters from 10 to 128' in said.err


def test_a_password_that_is_typed_counts(inside: Inside) -> None:
    write(inside.folder, sheet="Number,Forename,Surname,Email,Password\n1,Ana,Silva,,Meadow-Kite-41\n2,Bo,Costa,,\n")
    text = (inside.folder / "musterroll.toml").read_text(encoding="utf-8").replace('"password", "calling', '"calling')
    (inside.folder / "musterroll.toml").write_text(text, encoding="utf-8")
    assert inside.run("run", "pupils.csv", "--hand-over", "told.csv").status == 0
    assert list(told(inside.folder)) == ["bo"]
    argon2.PasswordHasher().verify(stored(inside.folder)["ana"], "Meadow-Kite-41")


def test_the_password_can_be_told_only_where_it_is_made(inside: Inside) -> None:
    inside.pipeline('[[notifiers]]\nname = "outbox"\noptions = { text = "{password}" }')
    assert "unknown placeholder {password}" in inside.run("pipeline", "check").err


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_commit_everybody_can_sign_in_after_the_resume(
    server: ForkServer, tmp_path: Path, when: When
) -> None:
    base, chance, commit = tmp_path / "base", random.Random(when), 1
    base.mkdir()
    write(base)
    while True:
        folder = tmp_path / str(commit)
        shutil.copytree(base, folder)
        words = ("run", "pupils.csv", "--hand-over", "told1.csv")
        killed = server.run(folder, *words, commit=commit, when=when).status is None
        for again in range(2, 5):
            resume = ("jobs", "resume", "last", "--hand-over", f"told{again}.csv")
            if not killed or server.run(folder, *resume, commit=chance.randrange(1, 9), when=when).status is not None:
                break
        server.run(folder, "jobs", "resume", "last", "--hand-over", "told8.csv")
        last = server.run(folder, "run", "pupils.csv", "--hand-over", "told9.csv")
        assert last.status in (0, 3, 4), last.out + last.err
        with closing(sqlite3.connect(next((folder / ".musterroll").glob("*.journal")))) as journal:
            held = {name for (name,) in journal.execute("SELECT username FROM invite WHERE state = 'held'")}
        hashes, passwords = stored(folder), told(folder)
        assert sorted(hashes) == ["ana", "ana2", "ana3", "ana4", "bo", "bo2"]
        assert hashes.keys() - passwords.keys() <= held
        for name in hashes.keys() & passwords.keys():
            argon2.PasswordHasher().verify(hashes[name], passwords[name])
        assert_kept_nowhere(folder)
        if not killed:
            break
        commit += chance.randrange(2, 6)
    assert commit > 8
