"""First passwords on slips of paper: a pipeline that makes passwords, and what its slips say."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import argon2

from support.workplace import Workplace

MAKES = """
[sheet]
first_row = 2
omit = ["password", "calling_code", "phone", "groups"]
[sheet.make]
password = { generate = "words" }
[[notifiers]]
name = "outbox"
options = { text = "You are {username}. Your password: {password}" }
"""
"""What a pipeline says that makes first passwords, and tells them by invite where there is an address."""

PUPILS = "Email,Username,Forename,Surname\nana@example.com,ana,Ana,Silva\n,bo,Bo,Berg\n,cy,Cy,Clark\n"
"""Three users, of whom one can be invited."""

_SLIP = re.compile(r"<dt>Username</dt><dd class=\"told\">(.+?)</dd>\n<dt>Password</dt><dd class=\"told\">(.+?)</dd>")


def told_by(page: str | bytes) -> dict[str, str]:
    """The passwords on the slips of a page, by username."""
    return dict(_SLIP.findall(page if isinstance(page, str) else page.decode("utf-8")))


def makes_passwords(place: Workplace, more: str = "", *, name: str = "test") -> None:
    """Writes a pipeline that makes first passwords."""
    place.pipeline(more + MAKES, name=name, passwords="argon2id")


def assert_they_sign_in(directory: Path, passwords: dict[str, str]) -> None:
    with closing(sqlite3.connect(directory)) as db:
        hashes = dict(db.execute("SELECT username, password_hash FROM users").fetchall())
    for name, password in passwords.items():
        argon2.PasswordHasher().verify(hashes[name], password)


def cut_off(place: Workplace, *untold: str) -> None:
    """Makes the last job one that was killed before it noted that some users were told their passwords."""
    (journal,) = (place.folder / ".musterroll").glob("*.journal")
    with closing(sqlite3.connect(journal)) as db, db:
        (job,) = db.execute("SELECT id FROM job ORDER BY number DESC LIMIT 1").fetchone()
        db.execute("UPDATE job SET state = 'interrupted' WHERE id = ?", (job,))
        db.executemany("UPDATE row SET handed = NULL WHERE job = ? AND username = ?", [(job, name) for name in untold])


def doubtful(place: Workplace, *usernames: str) -> None:
    """Makes the last job one that was killed before it heard whether the portal has created some users."""
    (journal,) = (place.folder / ".musterroll").glob("*.journal")
    with closing(sqlite3.connect(journal)) as db, db:
        (job,) = db.execute("SELECT id FROM job ORDER BY number DESC LIMIT 1").fetchone()
        db.executemany(
            "UPDATE operation SET state = 'intent' WHERE job = ?1 AND kind = 'create_user' AND row ="
            " (SELECT row FROM row WHERE job = ?1 AND username = ?2)",
            [(job, name) for name in usernames],
        )
