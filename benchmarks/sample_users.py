"""The users that every portal's benchmark creates, and their sheet."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

HEADINGS = ("Email", "Username", "Forename", "Surname", "Password", "Calling Code", "Phone", "Groups")
PASSWORD = "Sesame-1234"  # noqa: S105 -- of nobody


def fields(n: int) -> dict[str, str]:
    """The fields of one user."""
    return {
        "email": f"user{n}@example.com",
        "forename": "Ana",
        "surname": f"Silva {n}",
        "calling_code": "44",
        "phone": f"77{n:08d}",
    }


def write_sheet(path: Path, count: int, *, password: str, group: Callable[[int], str]) -> None:
    """Writes a csv of so many users.

    Args:
        path: the file.
        count: how many.
        password: everybody's.
        group: what stands under Groups, by the user's number.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([HEADINGS, ["guidance"] * len(HEADINGS)])
        for n in range(count):
            email, forename, surname, code, phone = fields(n).values()
            writer.writerow([email, f"user{n}", forename, surname, password, code, phone, group(n)])
