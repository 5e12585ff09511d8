"""The formats of passwords, each read by the library that applications read it with, or by the letter of its rules."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from musterroll import Desired, Secret
from support.sql_servers import needs_sql
from support.sql_tables import DESCRIBED, application, changed, make_file, open_sql

pytestmark = needs_sql

PASSWORD = "Canary-7c1f-Sesame"


def _hashed(name: str) -> str:
    from musterroll_plugins.backends.sql.passwords import FORMATS

    made = FORMATS[name].hashed(PASSWORD.encode())
    assert len(made) <= FORMATS[name].characters
    assert PASSWORD not in made
    return made


def test_argon2id() -> None:
    import argon2

    made = _hashed("argon2id")
    assert made.startswith("$argon2id$")
    assert argon2.PasswordHasher().verify(made, PASSWORD)


def test_bcrypt() -> None:
    import bcrypt

    made = _hashed("bcrypt")
    assert bcrypt.checkpw(PASSWORD.encode(), made.encode())
    assert not bcrypt.checkpw(b"another", made.encode())


def test_pbkdf2_as_django_has_it() -> None:
    """`algorithm$iterations$salt$hash`, the salt taken as it is written."""
    algorithm, iterations, salt, made = _hashed("pbkdf2-django").split("$")
    assert algorithm == "pbkdf2_sha256"
    again = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt.encode(), int(iterations))
    assert base64.b64decode(made) == again


@pytest.mark.parametrize(("password", "objects"), [("x" * 72, False), ("x" * 73, True), ("ß" * 37, True)])
def test_what_bcrypt_would_cut_off_is_said_while_planning(tmp_path: Path, password: str, objects: bool) -> None:
    make_file(tmp_path / "shop.db", application("sqlite"))
    options = changed(DESCRIBED, passwords="bcrypt")
    backend = open_sql(read_only=True, file=tmp_path / "shop.db", **options)
    user = Desired(username="ana", fields={"forename": "Ana", "surname": "Silva"})
    found = list(backend.check(user, None, Secret(password)))
    assert [one.field for one in found] == ["password"] * objects
    assert password not in repr(found)
    backend.close()
