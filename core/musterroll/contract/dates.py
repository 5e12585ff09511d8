"""The forms that people write dates in: `DD.MM.YYYY`."""

from __future__ import annotations

import datetime as dt
import re
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator

_PARTS = {"YYYY": "(?P<year>[0-9]{4})", "MM": "(?P<month>[0-9]{1,2})", "DD": "(?P<day>[0-9]{1,2})"}
_TOKEN = re.compile("YYYY|MM|DD|[A-Za-z]+|[^A-Za-z]+")
_HOW = "write a form of YYYY, MM and DD, each once, e.g. DD.MM.YYYY"
EXAMPLE_DATE = dt.date(2026, 12, 31)
ISO_DATE = "YYYY-MM-DD"
"""The form of dates that means one day everywhere."""


class DateForm:
    """One form of dates.

    Args:
        text: the form, of `YYYY`, `MM` and `DD` and what stands between them.

    Raises:
        ValueError: it is none; how to write one.
    """

    def __init__(self, text: str) -> None:
        self.text, self._tokens = text, _TOKEN.findall(text)
        if sorted(token for token in self._tokens if token.isalpha()) != sorted(_PARTS):
            raise ValueError(_HOW)

    def read(self, text: str) -> dt.date | None:
        """Returns the day that a text in this form means; one digit will do for days and months below 10."""
        found = self._pattern.fullmatch(text)
        if found is None:
            return None
        try:
            return dt.date(int(found["year"]), int(found["month"]), int(found["day"]))
        except ValueError:  # the 30th of February
            return None

    def write(self, day: dt.date) -> str:
        """Returns a day in this form."""
        parts = {"YYYY": f"{day.year:04}", "MM": f"{day.month:02}", "DD": f"{day.day:02}"}
        return "".join(parts.get(token, token) for token in self._tokens)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("".join(_PARTS.get(token, re.escape(token)) for token in self._tokens))


def _checked(text: str) -> str:
    return DateForm(text).text


DateFormText = Annotated[str, AfterValidator(_checked)]
"""The text of a form, for options."""
