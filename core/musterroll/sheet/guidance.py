"""Tells a user's row from guidance, between the headings and the first row of data."""

from __future__ import annotations

import re

from musterroll.contract.rows import Origin, Row

_ADDRESS = re.compile(r"[^\s@,;:()<>]+@[^\s@,;:()<>]+\.[^\s@,;:()<>]+")


def looks_like_a_user(row: Row) -> bool:
    """Whether a row in the place of the guidance seems to be a user.

    A user has a username of one word, and besides an address that is nothing but an address, or a phone
    number, or a name and a password with a digit or sign in it. Guidance is made of words and sentences, and
    of the same word in several columns.
    """
    username = _typed(row, "username")
    if not username or len(username.split()) > 1 or len(username) > 100:
        return False
    if _ADDRESS.fullmatch(_typed(row, "email")) or _ADDRESS.fullmatch(username):
        return True
    phone = _typed(row, "phone")
    if len(phone) >= 6 and phone.isdecimal():
        return True
    forename, secret = _typed(row, "forename"), row.value("password")
    password = secret.secret.reveal() if secret.secret is not None and secret.origin is Origin.CELL else ""
    return bool(forename) and bool(password) and not password.isalpha() and " " not in password and password != username


def _typed(row: Row, name: str) -> str:
    """What the person typed, itself or for composing: a default says nothing about the row."""
    value = row.value(name)
    return "" if value.origin is Origin.DEFAULT else value.text
