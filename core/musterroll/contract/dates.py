"""The forms that people write dates in: `DD.MM.YYYY`, `DD MMMM YYYY`, `MM/DD/YY`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Annotated

from pydantic import AfterValidator

from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.text import fold
from musterroll.contract.translation import gettext, gettext_noop, in_every_language

# Each as people of a language write it: in full, in short, and in other ways.
_MONTHS = (
    gettext_noop("January, Jan"),
    gettext_noop("February, Feb"),
    gettext_noop("March, Mar"),
    gettext_noop("April, Apr"),
    gettext_noop("May, May"),
    gettext_noop("June, Jun"),
    gettext_noop("July, Jul"),
    gettext_noop("August, Aug"),
    gettext_noop("September, Sep, Sept"),
    gettext_noop("October, Oct"),
    gettext_noop("November, Nov"),
    gettext_noop("December, Dec"),
)
_NAME = r"(?P<name>[^\W\d_]+\.?)"
_PARTS = {
    "YYYY": "(?P<year>[0-9]{4})",
    "YY": "(?P<short>[0-9]{2})",
    "MMMM": _NAME,
    "MMM": _NAME,
    "MM": "(?P<month>[0-9]{1,2})",
    "DD": "(?P<day>[0-9]{1,2})",
}
_WHATS = {"YYYY": "year", "YY": "year", "MMMM": "month", "MMM": "month", "MM": "month", "DD": "day"}
_TOKEN = late_pattern("YYYY|YY|MMMM|MMM|MM|DD|[A-Za-z]+|[^A-Za-z]+")
_HOW = "write a form of YYYY, MM and DD, each once, e.g. DD.MM.YYYY (or YY for two digits, MMM and MMMM for names)"
_DIGITS_OR_NAME = re.compile(r"[0-9]+|[^\W\d_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_PLAIN = "this is how dates go on from here, so write it with YYYY, MM and DD, e.g. DD.MM.YYYY"
EXAMPLE_DATE = dt.date(2026, 12, 31)
ISO_DATE = "YYYY-MM-DD"
"""The form of dates that means one day everywhere."""
LEAP_CENTURY = 2000
"""A `first_year` of which every date can be read that is one in some century, the 29th of February 00 as well."""


class DateForm:
    """One form of dates.

    Args:
        text: the form, of `YYYY`, `MM` and `DD` and what stands between them. `YY` is a year of two digits; `MMM` and
            `MMMM` are the names of months, in every language that there is, in short or in full.
        first_year: the first of the hundred years that two digits can mean; needed where there is `YY`.

    Raises:
        ValueError: it is none; how to write one.
    """

    def __init__(self, text: str, first_year: int | None = None) -> None:
        self.text, self._tokens, self._first_year = text, _TOKEN.findall(text), first_year
        if sorted(_WHATS.get(token, "") for token in self._tokens if token.isalpha()) != ["day", "month", "year"]:
            raise ValueError(_HOW)
        if self.has_short_year and first_year is None:
            raise ValueError("YY can be any century: say which hundred years are meant, e.g. first_year = 1930")

    @property
    def has_short_year(self) -> bool:
        """Whether the year has two digits."""
        return "YY" in self._tokens

    @property
    def has_names(self) -> bool:
        """Whether months are named."""
        return not {"MMM", "MMMM"}.isdisjoint(self._tokens)

    def read(self, text: str) -> dt.date | None:
        """Returns the day that a text in this form means; one digit will do for days and months below 10."""
        found = self._pattern.fullmatch(text)
        if found is None:
            return None
        parts = found.groupdict()
        month = _months().get(fold(parts["name"].rstrip("."))) if self.has_names else int(parts["month"])
        if month is None:
            return None
        try:
            return dt.date(
                self._year(parts["short"]) if self.has_short_year else int(parts["year"]), month, int(parts["day"])
            )
        except ValueError:  # the 30th of February
            return None

    def _year(self, digits: str) -> int:
        first = self._first_year or 0
        return first + (int(digits) - first) % 100

    def write(self, day: dt.date) -> str:
        """Returns a day in this form; names of months are those of the language."""
        names = gettext(_MONTHS[day.month - 1]).split(", ") if self.has_names else ()
        parts = {
            "YYYY": f"{day.year:04}",
            "YY": f"{day.year % 100:02}",
            "MMMM": next(iter(names), ""),
            "MMM": next(iter(names[1:]), ""),
            "MM": f"{day.month:02}",
            "DD": f"{day.day:02}",
        }
        return "".join(parts.get(token, token) for token in self._tokens)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("".join(_PARTS.get(token, re.escape(token)) for token in self._tokens))


@cache
def _months() -> dict[str, int]:
    """The months by their names, folded; without those that are another month in another language."""
    found: dict[str, set[int]] = {}
    for month, text in enumerate(_MONTHS, 1):
        for name in {name for said in in_every_language(text) for name in said.split(", ")}:
            found.setdefault(fold(name), set()).add(month)
    return {name: next(iter(months)) for name, months in found.items() if len(months) == 1}


def named_form(texts: Sequence[str]) -> str | None:
    """Returns the form with names of months that all of some dates have, e.g. `DD MMM YYYY`; None where there is none.

    The first of two digits is the day, and the last the year.
    """
    tokens = list(_DIGITS_OR_NAME.finditer(texts[0])) if texts else []
    numbers = [token[0] for token in tokens if token[0].isdigit()]
    if len(tokens) != len(("day", "month", "year")) or len(numbers) != len(("day", "year")):
        return None
    kinds = iter(("YYYY", "DD") if len(numbers[0]) > len("DD") else ("DD", "Y" * len(numbers[1])))
    short, end = "", 0
    for token in tokens:
        short += texts[0][end : token.start()] + (next(kinds) if token[0].isdigit() else "MMM")
        end = token.end()
    short = short.replace("MMM. ", "MMM ")  # such a dot belongs to the name, and others leave it out
    try:
        form = DateForm(short, LEAP_CENTURY)
    except ValueError:  # a year of three digits
        return None
    if not all(map(form.read, texts)):
        return None
    names = {fold(name) for text in texts for name in _LETTERS.findall(text)}
    return short if names - _full_names() else short.replace("MMM", "MMMM")


@cache
def _full_names() -> frozenset[str]:
    """The names of months in full, folded."""
    return frozenset(fold(said.split(", ")[0]) for text in _MONTHS for said in in_every_language(text))


def _checked(text: str) -> str:
    return DateForm(text, first_year=0).text


def _plain(text: str) -> str:
    form = DateForm(text, first_year=0)
    if form.has_short_year or form.has_names:
        raise ValueError(_PLAIN)
    return text


DateFormText = Annotated[str, AfterValidator(_checked)]
"""The text of a form that dates are read in, for options."""

PlainDateFormText = Annotated[str, AfterValidator(_plain)]
"""That of a form that means one day everywhere and always: in figures, with the whole year."""
