"""Users of the standard sheet, the same ones every time, with names and numbers of many countries.

Every fault is an error for musterroll, and one that the rules of every program it is compared with find as well.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType

import phonenumbers

from support.languages import OTHER, WESTERN

HEADINGS = ("Email", "Username", "Forename", "Surname", "Password", "Calling Code", "Phone", "Groups")
GUIDANCE = (
    "Where the invite goes",
    "Needed",
    "Needed",
    "May be left empty",
    "At least 8 characters",
    "e.g. 44",
    "The local part only",
    "Groups with ; and levels with |",
)
FIRST_ROW = 3
"""The row number of the first user."""

Cells = dict[str, str]
"""The cells of a user by their headings."""


class Quality(Enum):
    """How many rows are bad: every so many-th one."""

    CLEAN = 0
    ONE_PERCENT = 100
    ALL_BAD = 1

    @property
    def label(self) -> str:
        """What a person reads."""
        return {"CLEAN": "clean", "ONE_PERCENT": "1 % bad", "ALL_BAD": "all bad"}[self.name]


_SEED = "musterroll"
# Of ten names some eight need no letter beyond ASCII, in a list of many countries.
_PLAIN = (
    "Adam Ahmed Alexander Amina Amit Ana Andrea Anna Ben Carlos Carmen Chen Claire Daniel David Diana Elena Emma "
    "Eva Fatima Felix Finn Fatou Giulia Grace Hana Hassan Helen Hugo Ibrahim Ines Ivan Jan Jane John Julia Kofi "
    "Laura Leila Linda Louis Lucas Luisa Marco Maria Mark Martin Mei Michael Mina Mohamed Nadia Nina Noah Nora "
    "Olga Oliver Omar Paul Pedro Peter Priya Rahul Rosa Ruth Samuel Sara Sofia Stefan Thomas Tim Victor Wei Yuki "
    "Zainab Andersen Becker Brown Campbell Cohen Costa Diallo Evans Fischer Garcia Hansen Hoffmann Ito Jansen Kaya "
    "Khan Kim Kowalski Larsen Lee Lopez Mbeki Meyer Moreau Murphy Nguyen Novak Okafor Patel Petrov Rossi Schmidt "
    "Sharma Silva Smith Suzuki Svensson Tanaka Taylor Visser Wagner Walker Wang Weber Wilson Wright Yilmaz Zhang"
)
_OTHER_NAMES = sorted(
    {word for text in (*WESTERN.values(), *(words for _, words in OTHER.values())) for word in text.split()}
)
_PLAIN_NAMES = _PLAIN.split()
_OTHERS = 0.15
_REGIONS = (
    *("AU", "BE", "BR", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "IE", "IN", "IT", "JP", "KE", "NL"),
    *("NO", "NZ", "PL", "PT", "RO", "SE", "TR", "US", "ZA"),
)
_PROVIDERS = ("gmail.com", "outlook.com", "icloud.com", "yahoo.com")
_DOMAINS = (*_PROVIDERS, *(f"company{n}.{ending}" for n in range(40) for ending in ("com", "de", "fr", "co.uk", "org")))
_SITES = ("North", "East", "South", "West", "Abroad")
_DEPARTMENTS = ("Sales", "Research", "Service", "Finance", "People", "Production", "Purchasing", "Legal")
_TEAMS = tuple(f"Team {n}" for n in range(1, 7))
_ROLES = ("Manager", "Editor", "Reader", "Auditor")
# Without what is easily mistaken for another character, as generators of passwords leave it out.
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!$%&*+-=?@#"
_PASSWORD_LENGTH = 14
_LOCAL_END = 5  # so many last digits of a telephone number vary


def _without_at(cells: Cells, _: Cells) -> Cells:
    return {"Email": f"{cells['Username']} at company1.com"}


def _repeated(_: Cells, before: Cells) -> Cells:
    return {"Username": before["Username"]}


def _without_code(cells: Cells, _: Cells) -> Cells:
    return {"Calling Code": "", "Phone": cells["Phone"] or "7712345678"}


FAULTS: Mapping[str, Callable[[Cells, Cells], Cells]] = MappingProxyType(
    {
        "no address": _without_at,
        "username of the row before": _repeated,
        "no forename": lambda *_: {"Forename": ""},
        "control character": lambda cells, _: {"Forename": f"{cells['Forename']}\x7f"},
        "surname too long": lambda cells, _: {"Surname": f"{cells['Surname'] or 'Silva'} " + "x" * 50},
        "password too short": lambda cells, _: {"Password": cells["Password"][:5]},
        "username in the password": lambda cells, _: {"Password": f"{cells['Username'].upper()}#7c"},
        "common password": lambda *_: {"Password": "football1"},
        "no calling code": _without_code,
        "unknown calling code": lambda *_: {"Calling Code": "999", "Phone": "7712345678"},
        "number too short": lambda *_: {"Calling Code": "44", "Phone": "77"},
        "empty level of a group": lambda cells, _: {"Groups": cells["Groups"].replace("|", "||", 1)},
    }
)
"""What is wrong with bad rows, in turn: cells that a row gets, given its own and those of the row before.

What repeats the row before is not the first, since the first row may be bad.
"""


def users(count: int, quality: Quality = Quality.CLEAN) -> Iterator[Cells]:
    """Yields so many users; a longer sheet begins as a shorter one does."""
    draw = random.Random(_SEED)  # noqa: S311 -- the same users every time
    faults, bad, before = list(FAULTS.values()), 0, Cells()
    for number, cells in enumerate(_good_users(count, draw), 1):
        if quality.value and number % quality.value == 0:
            cells.update(faults[bad % len(faults)](cells, before))
            bad += 1
        yield cells
        before = cells


def _good_users(count: int, draw: random.Random) -> Iterator[Cells]:
    prefixes = [_mobile_prefix(region) for region in _REGIONS]
    for number in range(count):
        forename, surname = _name(draw), _name(draw)
        username = f"{_plain(forename) or 'user'}.{_plain(surname) or 'x'}{number}"
        code, prefix = draw.choice(prefixes)
        chance = draw.random()
        has_phone = chance > 0.1
        groups = [f"{draw.choice(_SITES)}|{draw.choice(_DEPARTMENTS)}|{draw.choice(_TEAMS)}"]
        groups += draw.sample(_ROLES, draw.randrange(3))
        yield {
            "Email": f"{username}@{draw.choice(_DOMAINS)}" if chance < 0.97 else "",
            "Username": username,
            "Forename": forename,
            "Surname": surname if not 0.5 < chance < 0.52 else "",
            "Password": "".join(draw.choices(_LETTERS, k=_PASSWORD_LENGTH)),
            "Calling Code": str(code) if has_phone else "",
            "Phone": _valid_number(code, prefix, draw) if has_phone else "",
            "Groups": ";".join(groups),
        }


def _name(draw: random.Random) -> str:
    return draw.choice(_OTHER_NAMES if draw.random() < _OTHERS else _PLAIN_NAMES)


def _plain(name: str) -> str:
    """Returns what a name leaves in ASCII letters; those of other scripts leave nothing."""
    return "".join(c for c in unicodedata.normalize("NFKD", name).casefold() if c.isascii() and c.isalpha())


def _mobile_prefix(region: str) -> tuple[int, str]:
    """Returns a calling code, and what mobile numbers there begin with."""
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    assert example.country_code is not None
    return example.country_code, str(example.national_number)[:-_LOCAL_END]


def _valid_number(code: int, prefix: str, draw: random.Random) -> str:
    while True:
        local = f"{prefix}{draw.randrange(10**_LOCAL_END):0{_LOCAL_END}}"
        if phonenumbers.is_valid_number(phonenumbers.PhoneNumber(country_code=code, national_number=int(local))):
            return local
