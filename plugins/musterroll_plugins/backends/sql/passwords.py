"""Passwords in the formats that applications keep them in."""

from __future__ import annotations

import base64
import hashlib
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from musterroll_plugins.backends.passwords import argon2id

_BCRYPT_BYTES = 72  # what follows does not count
_ITERATIONS = 1_000_000  # as Django 5.2
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class PasswordFormat:
    """How an application keeps passwords.

    Attributes:
        hashed: makes a hash of a password's bytes.
        characters: so long a hash is at the most.
        longest: so many bytes a password may have; None for any.
    """

    hashed: Callable[[bytes], str]
    characters: int
    longest: int | None = None


def unusable() -> str:
    """Returns what stands for the password of a user who has none: no hash at all, as Django has it."""
    return "!" + _random(40)


def _bcrypt(password: bytes) -> str:
    import bcrypt  # noqa: PLC0415 -- only where there are such passwords

    return bcrypt.hashpw(password, bcrypt.gensalt()).decode("ascii")


def _django(password: bytes) -> str:
    salt = _random(22)
    made = hashlib.pbkdf2_hmac("sha256", password, salt.encode("ascii"), _ITERATIONS)
    return f"pbkdf2_sha256${_ITERATIONS}${salt}${base64.b64encode(made).decode('ascii')}"


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


FORMATS: Mapping[str, PasswordFormat] = {
    "argon2id": PasswordFormat(argon2id, 97),
    "bcrypt": PasswordFormat(_bcrypt, 60, _BCRYPT_BYTES),
    "pbkdf2-django": PasswordFormat(_django, 89),
}
"""The formats by their names in the options."""
