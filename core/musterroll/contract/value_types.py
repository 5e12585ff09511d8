"""What a field's type makes of a text: one spelling of each value from here on, whatever a customer writes.

A date is `2026-12-31` (or as the field's `to` has it), a truth value `true` or `false`, a whole number its digits, a
telephone number `+447712345678`, and a word of a field with a role one of our own words.
"""

from __future__ import annotations

import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from musterroll.contract.cells import BoolCell, Cell, DateCell, NumberCell
from musterroll.contract.dates import EXAMPLE_DATE, ISO_DATE, DateForm
from musterroll.contract.drafts import Guidance
from musterroll.contract.fields import Field, FieldRole, FieldType
from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.phones import split_whole
from musterroll.contract.text import clean, fold, nearest
from musterroll.contract.translation import gettext

TRUE, FALSE = "true", "false"
DATE_ROLES = frozenset({FieldRole.VALID_FROM, FieldRole.VALID_UNTIL})
TRUTH_CELLS: Mapping[FieldRole | None, Mapping[bool, str]] = {
    FieldRole.ACTIVE: {True: "yes", False: "no"},
    None: {True: TRUE, False: FALSE},
}
"""What the truth values of a spreadsheet program stand for."""
_MIDNIGHT = late_pattern(r"([^T ]+)[T ]00:00(?::00(?:\.0+)?)?", re.ASCII)
_OTHER_DATE = late_pattern(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})", re.ASCII)
_INTEGER = late_pattern(r"([+-]?)0*(\d+)", re.ASCII)
_MOST_DIGITS = 18  # what every portal and database can hold
# Digits with something between them, or a fraction of nothing, that can mean one number only: 1.000 may be 1 as well.
_SPACED = late_pattern(r"[+-]?\d{1,3}(?:[ '\u00a0\u202f\u2019]\d{3})+", re.ASCII)
_GROUPED = late_pattern(r"[+-]?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})+", re.ASCII)
_NO_FRACTION = late_pattern(r"([+-]?\d+)[.,]0{1,2}", re.ASCII)
_GROUPED_CELL = late_pattern(r"-?[\d ,.'\u00a0\u202f\u2019]+")


class TypeFault(NamedTuple):
    """Why a text is no value of its field.

    Attributes:
        rule: the second part of the problem's code.
        message: what to tell, in the person's language.
        suggestion: what was meant, where there is only one meaning.
    """

    rule: str
    message: str
    suggestion: str | None = None


class ValueType(ABC):
    """How the values of one field are read.

    Attributes:
        is_strict: whether there are texts that are no value.
    """

    is_strict = True

    @abstractmethod
    def canonical(self, text: str) -> str | None:
        """Returns the one spelling of a text that is not blank; None where it is no value."""

    def fault(self, text: str) -> TypeFault:
        """Says what is wrong with a text that has no `canonical` spelling; never asked where every text has one."""
        raise AssertionError(text)

    def of_cell(self, cell: Cell) -> str | None:
        """Returns the text that a cell of the field's own kind stands for; None of every other cell."""
        return None

    def written(self, text: str) -> str:
        """Returns a value as this customer's sheet has it."""
        return text

    def guidance(self) -> Guidance | None:
        """What to tell whoever fills the sheet in; None where a rule does."""
        return None


class WholeNumbers(ValueType):
    """`integer`: without a plus sign and zeros in front."""

    def __init__(self, field: Field) -> None:
        self._problem = f"{field.name}.type"

    def canonical(self, text: str) -> str | None:
        """Returns the digits."""
        found = _INTEGER.fullmatch(text if text.isascii() else fold(text))
        if found is None or len(found[2]) > _MOST_DIGITS:
            return None
        return found[2] if found[1] != "-" or found[2] == "0" else f"-{found[2]}"

    def fault(self, text: str) -> TypeFault:
        """Says that a whole number is expected."""
        if _INTEGER.fullmatch(text):
            message = gettext("This number is too big: it can have {most} digits at the most", most=_MOST_DIGITS)
            return TypeFault("type", message)
        bare = text.replace("\N{MINUS SIGN}", "-")
        if _SPACED.fullmatch(bare) or _GROUPED.fullmatch(bare):
            bare = re.sub(r"[^0-9+-]", "", bare)
        elif whole := _NO_FRACTION.fullmatch(bare):
            bare = whole[1]
        return TypeFault("type", gettext("This is no whole number; write digits only, e.g. 42"), self.canonical(bare))

    def of_cell(self, cell: Cell) -> str | None:
        """Returns the digits of a number whose format shows them, grouped or with zeros in front as well."""
        if not isinstance(cell, NumberCell) or cell.shown is None or not float(cell.value).is_integer():
            return None
        if abs(cell.value) >= 10 ** (_MOST_DIGITS - 4):  # beyond it a spreadsheet program has lost the end
            return None
        digits = str(int(cell.value))
        shown = cell.shown.strip()
        bare = re.sub(r"\D", "", shown).lstrip("0") if _GROUPED_CELL.fullmatch(shown) else ""
        return digits if bare == digits.lstrip("-0") else None

    def guidance(self) -> Guidance:
        """Says that a whole number is expected."""
        return Guidance(text=gettext("A whole number."), problem=self._problem, whole_number=True)


class Dates(ValueType):
    """`date`: in one of the forms that the customer names, or 2026-12-31."""

    def __init__(self, field: Field) -> None:
        self._problem = f"{field.name}.type"
        self._forms = [DateForm(form, field.first_year) for form in dict.fromkeys((*field.formats, ISO_DATE))]
        self._to = DateForm(field.to)

    def canonical(self, text: str) -> str | None:
        """Returns the day; None of a text that can be several as well."""
        days = self._days(text)
        return self._to.write(days.pop()) if len(days) == 1 else None

    def fault(self, text: str) -> TypeFault:
        """Says which dates are expected, and which ones it may be."""
        if days := self._days(text):
            one, other = (day.isoformat() for day in sorted(days)[:2])
            message = gettext(
                "This may be {one} or {other}; write it as one of them, or as a date of the spreadsheet program",
                one=one,
                other=other,
            )
            return TypeFault("type", message)
        if len(self._forms) > 1:
            message = gettext(
                "This is no date of the forms {forms}; write it as one of them, or as a date of the spreadsheet "
                "program",
                forms=", ".join(form.text for form in self._forms),
            )
        else:
            message = gettext(
                "This is no date that can be read in one way only; write it as {example}, or as a date of the "
                "spreadsheet program",
                example=self._example(),
            )
        return TypeFault("type", message, self._only_day(text))

    def of_cell(self, cell: Cell) -> str | None:
        """Returns the day of a date of the spreadsheet program."""
        if not isinstance(cell, DateCell) or not isinstance(cell.value, dt.date):
            return None
        return (cell.value.date() if isinstance(cell.value, dt.datetime) else cell.value).isoformat()

    def written(self, text: str) -> str:
        """Returns a day in the first form that the sheet has."""
        day = self._to.read(text)
        written = text if day is None else self._forms[0].write(day)
        # Two digits cannot say every year.
        return written if day is None or self._forms[0].read(written) == day else day.isoformat()

    def guidance(self) -> Guidance:
        """Says which dates are expected."""
        text = gettext("A date, e.g. {example}.", example=self._example())
        return Guidance(text=text, problem=self._problem, dates=tuple(form.text for form in self._forms))

    def _days(self, text: str) -> set[dt.date]:
        if not text.isascii():
            text = fold(text).replace("t", "T")
        if midnight := _MIDNIGHT.fullmatch(text):  # as programs write a date of theirs into a csv
            text = midnight[1]
        return {day for form in self._forms if (day := form.read(text)) is not None}

    def _example(self) -> str:
        return self._forms[0].write(EXAMPLE_DATE)

    def _only_day(self, text: str) -> str | None:
        """What a date of another form means, where it can mean one day only: months have no 13th of them."""
        parts = _OTHER_DATE.fullmatch(text)
        if parts is None:
            return None
        first, sign, second, year = int(parts[1]), parts[2], int(parts[3]), int(parts[4])
        pairs = [(first, second)] if sign == "." else [(first, second), (second, first)]
        days = {found for day, month in pairs if (found := _day(year, month, day)) is not None}
        return self._forms[0].write(days.pop()) if len(days) == 1 else None


class Words(ValueType):
    """Words that mean one of a few things: truth values, commands, and whether somebody is active."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._truths = TRUTH_CELLS.get(field.role, {}) if field.type is FieldType.BOOLEAN else {}

    def canonical(self, text: str) -> str | None:
        """Returns what the word means."""
        return self._field.words.get(fold(text))

    def fault(self, text: str) -> TypeFault:
        """Says which words there are."""
        choices = self._field.choices
        words, meant = ", ".join(choices), nearest(text, choices)
        if self._field.role is None:
            return TypeFault("type", gettext("This says neither yes nor no; write one of {words}", words=words), meant)
        message = gettext("This is none of the words that can stand here: {words}", words=words)
        return TypeFault("not_a_choice", message, meant)

    def of_cell(self, cell: Cell) -> str | None:
        """Returns what a truth value of the spreadsheet program means."""
        return self._truths.get(cell.value) if isinstance(cell, BoolCell) else None

    def written(self, text: str) -> str:
        """Returns the customer's word."""
        meant = self.canonical(text)
        return next((word for word in self._field.choices if self.canonical(word) == meant), text)


class WholePhones(ValueType):
    """`phone`: a whole number. Whether it can be one, the rule `phone` says."""

    is_strict = False

    def canonical(self, text: str) -> str:
        """Returns the number without what only sets its digits apart; what is none as it is."""
        parts = split_whole(text)
        return text if parts is None else "+" + "".join(parts)


class Usernames(ValueType):
    """`user`: whoever it is, the portal or the sheet says."""

    is_strict = False

    def __init__(self, field: Field) -> None:
        self._problem = f"{field.name}.unknown_user"

    def canonical(self, text: str) -> str:
        """Returns the text."""
        return text

    def guidance(self) -> Guidance:
        """Says that somebody is to be named."""
        return Guidance(text=gettext("The username of another user."), problem=self._problem)


def value_type_of(field: Field) -> ValueType | None:
    """Returns how the values of a field are read; None where a text is what it is."""
    if field.words:
        return Words(field)
    match field.type:
        case FieldType.DATE:
            return Dates(field)
        case FieldType.INTEGER:
            return WholeNumbers(field)
        case FieldType.PHONE:
            return WholePhones()
        case FieldType.USER:
            return Usernames(field)
    return None


def value_types_of(fields: Iterable[Field]) -> dict[str, ValueType]:
    """Returns how the values of fields are read, by name; without those whose texts are what they are."""
    return {field.name: found for field in fields if (found := value_type_of(field)) is not None}


def spelling_of(type_: ValueType, text: str) -> str:
    """Returns `; write "true"` for a text that is spelt otherwise from here on, or nothing."""
    found = type_.canonical(clean(text))
    return "" if found is None else f'; write "{found}"'


def _day(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
