"""The people of the complaints, and their sheets."""

from __future__ import annotations

from pathlib import Path

from support.rosters import write_csv
from support.workplace import Inside

PASSWORD = "Meadow-Kite-41"


def person(
    username: str, *, email: str = "", surname: str = "", code: str = "", phone: str = "", groups: str = ""
) -> list[str]:
    return [email, username, username.title(), surname, PASSWORD, code, phone, groups]


def sheet(office: Inside, *people: list[str], name: str = "staff.csv") -> Path:
    return write_csv(office.folder / name, people)
