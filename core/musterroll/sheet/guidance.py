"""Tells a user's row from guidance, between the headings and the first row of data."""

from __future__ import annotations

import re

from musterroll.model.rows import Row

_ADDRESS = re.compile(r"[^\s@,;:()<>]+@[^\s@,;:()<>]+\.[^\s@,;:()<>]+")


def looks_like_a_user(row: Row) -> bool:
    """Whether a row in the place of the guidance seems to be a user.

    A user has a username of one word, and besides an address that is nothing but an address, or a phone
    number, or a name and a password with a digit or sign in it. Guidance is made of words and sentences.
    """
    username = row["username"] if "username" in row.values else ""
    if not username or len(username.split()) > 1 or len(username) > 100:
        return False
    if _ADDRESS.fullmatch(row.value("email").text):
        return True
    phone = row.value("phone").text
    if len(phone) >= 6 and phone.isdecimal():
        return True
    password = row.secret("password")
    text = password.reveal() if password is not None else ""
    return bool(row.value("forename").text) and bool(text) and not text.isalpha() and " " not in text
