"""The rules of the standard sheet for programs that have none of their own: as short as somebody would write them."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable

import phonenumbers
from zxcvbn.frequency_lists import FREQUENCY_LISTS

FIRST_ROW = 3
LONGEST = {"Email": 255, "Username": 100, "Forename": 50, "Surname": 50, "Phone": 50}
NEEDED = ("Username", "Forename", "Password")
NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f-\x9f]*$"
GROUPS = r"^\s*[^;|\s][^;|]*([;|]\s*[^;|\s][^;|]*)*$"
"""Groups with ; and levels with |, none of them empty."""
_COMMON = frozenset(FREQUENCY_LISTS["passwords"])


def password_fault(password: str, username: str) -> str | None:
    """Says what is wrong with a password."""
    if len(password) < 8:
        return "too short"
    if username and folded(username) in folded(password):
        return "contains the username"
    return "too common" if password.lower() in _COMMON else None


def phone_fault(code: str, phone: str) -> str | None:
    """Says what is wrong with a calling code and a local number."""
    if not code and not phone:
        return None
    if not code or not phone:
        return "calling code and phone belong together"
    try:
        number = phonenumbers.parse(f"+{code}{phone}")
    except phonenumbers.NumberParseException as error:
        return str(error)
    return None if phonenumbers.is_valid_number(number) else "no number of that country"


def folded(text: str) -> str:
    """Returns a text as it compares."""
    return unicodedata.normalize("NFKC", text).casefold()


def tell(rows: int, bad: Iterable[int] = ()) -> None:
    """Prints how many rows there are, and the numbers of the bad ones."""
    json.dump({"rows": rows, "bad": sorted(set(bad))}, sys.stdout)
