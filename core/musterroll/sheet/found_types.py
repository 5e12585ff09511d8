"""Finds out the type of a column that nobody has described, by what stands in it.

Only what every value proves: a date that may be one of two forms, or of two centuries, stays a text. Whole numbers do
as well, since a number that says who somebody is may have zeros in front, which an `integer` would lose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from musterroll.contract.cells import BoolCell, Cell, DateCell
from musterroll.contract.dates import ISO_DATE, LEAP_CENTURY, DateForm, named_form
from musterroll.contract.fields import Field, FieldType
from musterroll.contract.phones import split_whole
from musterroll.contract.text import clean, fold
from musterroll.contract.value_types import Dates
from musterroll.sheet.values import is_filled

_SHORTEST = 6  # digits of a telephone number after its calling code: 00123 is none
_LEAST = 3  # texts that say something about a column
_FORMS = (
    *("DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "YYYY/MM/DD"),
    *("DD.MM.YY", "DD/MM/YY", "MM/DD/YY", "YY/MM/DD", "DD-MM-YY", "MM-DD-YY", "YY-MM-DD"),
)
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+")


class FoundType(NamedTuple):
    """What a column holds.

    Attributes:
        type: the type of its values.
        formats: the form of its dates, where that is not 2026-12-31.
        others: the forms that its dates may have, where nobody knows which, or which century is meant: then it is none.
        example: one of these dates.
    """

    type: FieldType = FieldType.TEXT
    formats: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    example: str = ""

    @property
    def has_short_years(self) -> bool:
        """Whether the years of its dates may have two digits."""
        return any(DateForm(form, LEAP_CENTURY).has_short_year for form in self.others)


NO_TYPE = FoundType()


def found_type(cells: Iterable[Cell], yes_or_no: frozenset[str]) -> FoundType:
    """Returns the type that every value of a column proves.

    Args:
        cells: the column's.
        yes_or_no: the words that mean yes or no, folded.
    """
    filled = [cell for cell in cells if is_filled(cell)]
    texts = [clean(cell) for cell in filled if isinstance(cell, str)]
    others = [cell for cell in filled if not isinstance(cell, str)]
    if others and all(isinstance(cell, BoolCell) for cell in others):
        return FoundType(FieldType.BOOLEAN) if {fold(text) for text in texts} <= yes_or_no else NO_TYPE
    if not all(isinstance(cell, DateCell) for cell in others) or (not others and len(texts) < _LEAST):
        return NO_TYPE
    if others or not texts[0].isalpha():
        return _of_dates(texts) or (NO_TYPE if others else _of_texts(texts))
    different = {fold(text) for text in texts}
    return FoundType(FieldType.BOOLEAN) if len(different) > 1 and different <= yes_or_no else NO_TYPE


def _of_dates(texts: Sequence[str]) -> FoundType | None:
    if all(map(_reads(ISO_DATE), texts)):
        return FoundType(FieldType.DATE)
    named = named_form(texts)
    forms = [named] if named is not None else [form for form in _FORMS if all(map(_reads(form), texts))]
    is_certain = len(forms) == 1 and not DateForm(forms[0], LEAP_CENTURY).has_short_year
    if forms and not is_certain:
        return FoundType(others=tuple(forms), example=texts[0])
    return FoundType(FieldType.DATE, tuple(forms)) if forms else None


def _of_texts(texts: Sequence[str]) -> FoundType:
    if all(map(_ADDRESS.fullmatch, texts)):
        return FoundType(FieldType.EMAIL)
    if all((parts := split_whole(text)) is not None and len(parts[1]) >= _SHORTEST for text in texts):
        return FoundType(FieldType.PHONE)
    return NO_TYPE


def _reads(form: str) -> Callable[[str], bool]:
    dates = Dates(Field(name="found", heading="", type=FieldType.DATE, formats=(form,), first_year=LEAP_CENTURY))
    return lambda text: dates.canonical(text) is not None
