"""Finds out how a sheet that nobody has described is laid out: its headings, its first user, what each column means.

Nothing of a password's column is looked at but whether it is filled.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from musterroll.contract.cells import SheetRow
from musterroll.contract.fields import CALLING_CODE, GROUPS, PASSWORD, PHONE, Field
from musterroll.contract.phones import split_whole
from musterroll.contract.text import clean, column_letter
from musterroll.contract.translation import counted, gettext
from musterroll.pipeline.row_fields import words_for_yes_or_no
from musterroll.sheet.found_types import NO_TYPE, FoundType, found_type
from musterroll.sheet.headings import heading_text
from musterroll.sheet.synonyms import KnownHeadings, Reason, bare
from musterroll.sheet.values import is_filled, shown

ROWS = 5_000  # so many are looked at
_HEADING_WITHIN = 30  # rows from the top
_EMAIL, _FORENAME, _SURNAME = "email", "forename", "surname"
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+")
_WORDS = re.compile(r"[^\W\d_](?:[^\W\d_]|[ &/.,'-]){0,59}")
_NUMBER = re.compile(r"[+0-9][0-9 ()./-]{5,20}")
_MOST = 0.9  # of the filled cells of a column have to look alike
_FEW = 20  # choices of a field at the most, and values that say something about a column at the least
_LONGEST = 60  # characters of a heading that are looked at


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column of a sheet.

    Attributes:
        index: from 0.
        heading: as it stands there.
        field: the field that it seems to be; None where nothing fits.
        reason: why; None where nothing fits.
        is_certain: whether nothing else can be meant.
        filled: the share of the rows that have a value, from 0 to 1.
        choices: its values, where they are few and come again; none of a password.
        found: the type of its values, where it is no field that is known.
    """

    index: int
    heading: str
    field: str | None = None
    reason: Reason | None = None
    is_certain: bool = True
    filled: float = 0.0
    choices: tuple[str, ...] = ()
    found: FoundType = NO_TYPE

    @property
    def letter(self) -> str:
        """The letter that the spreadsheet program shows."""
        return column_letter(self.index)


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """How a sheet is laid out.

    Attributes:
        heading_row: the row of the headings, from 1.
        first_row: the first row with a user.
        columns: those that have a heading, from left to right.
        rows: how many rows of users were looked at.
        whole_phones: whether the telephone numbers have their calling codes in front.
    """

    heading_row: int
    first_row: int
    columns: tuple[FoundColumn, ...]
    rows: int
    whole_phones: bool

    def column(self, field: str) -> FoundColumn | None:
        """Returns the column of a field."""
        return next((one for one in self.columns if one.field == field), None)


def find_layout(rows: Iterable[SheetRow], fields: Iterable[Field], *, heading_row: int | None = None) -> SheetLayout:
    """Finds out how a sheet is laid out, by at most `ROWS` of its rows.

    Args:
        rows: its filled rows.
        fields: what a column can be.
        heading_row: the row of the headings, where it is known.

    Raises:
        ValueError: no row holds a heading that is known.
    """
    seen = list(islice(rows, ROWS))
    names = KnownHeadings(fields)
    heading = _heading_row(seen, names, heading_row)
    headings = {i: text for i, cell in enumerate(heading.cells) if (text := heading_text(cell)[:_LONGEST])}
    below = [row for row in seen if row.number > heading.number]
    columns = _fields_by_heading(headings, names)
    samples = {
        index: [_text(row, index) for row in below] for index, column in columns.items() if column.field != PASSWORD
    }
    first = _first_row(below, columns, heading.number)
    users = [row for row in below if row.number >= first]
    samples = {index: texts[len(below) - len(users) :] for index, texts in samples.items()}
    columns |= _fields_by_content(columns, samples)
    columns = {index: _with_values(one, users, samples.get(index)) for index, one in columns.items()}
    phone = next((samples[i] for i, one in columns.items() if one.field == PHONE), ())
    no_code = all(one.field != CALLING_CODE for one in columns.values())
    return SheetLayout(
        heading_row=heading.number,
        first_row=first,
        columns=tuple(columns[index] for index in sorted(columns)),
        rows=len(users),
        whole_phones=no_code and _share(phone, lambda text: text[0] in "+0" and split_whole(text) is not None) >= _MOST,
    )


def _heading_row(rows: Sequence[SheetRow], names: KnownHeadings, number: int | None) -> SheetRow:
    if number is not None:
        candidates = [row for row in rows if row.number == number]
    else:
        candidates = [row for row in rows if row.number <= _HEADING_WITHIN]

    def known(row: SheetRow) -> int:
        return len({field for cell in row.cells if (field := names.meant(heading_text(cell)))})

    best = max(candidates, key=lambda row: (known(row), -row.number), default=None)
    # Without a heading that is known it may be the row of a user, and the password must not be shown as a heading.
    if best is None or not known(best):
        raise ValueError(
            gettext("none of the first {count} rows holds a heading that is known", count=counted(_HEADING_WITHIN))
        )
    return best


def _fields_by_heading(headings: Mapping[int, str], names: KnownHeadings) -> dict[int, FoundColumn]:
    columns = {index: FoundColumn(index, heading) for index, heading in headings.items()}
    taken: dict[str, int] = {}
    for reason, meant in ((Reason.HEADING, names.own), (Reason.SYNONYM, names.meant)):
        for index, column in columns.items():
            if column.field is not None or (field := meant(column.heading)) is None:
                continue
            if field in taken:  # of two, the first; nobody can know
                columns[taken[field]] = replace(columns[taken[field]], is_certain=False)
                continue
            taken[field] = index
            columns[index] = replace(column, field=field, reason=reason)
    if _SURNAME in taken and _FORENAME not in taken and bare(headings[taken[_SURNAME]]) in {"name", "nom", "nume"}:
        columns[taken[_SURNAME]] = replace(columns[taken[_SURNAME]], is_certain=False)  # perhaps the whole name
    for index, column in columns.items():
        if column.field is None and (field := names.near(column.heading, taken)) is not None:
            taken[field] = index
            columns[index] = replace(column, field=field, reason=Reason.NEAR, is_certain=False)
    return columns


def _first_row(below: Sequence[SheetRow], columns: Mapping[int, FoundColumn], heading_row: int) -> int:
    """The first row of data: the one below the headings, unless it holds guidance.

    Guidance is a row in which no column that ought to hold addresses or numbers does.
    """
    tests = {index: test for index, one in columns.items() if one.field is not None and (test := _TESTS.get(one.field))}
    for row in below[:2]:
        texts = {index: text for index in tests if (text := _text(row, index))}
        words = [_text(row, index) for index, one in columns.items() if one.field not in (PASSWORD, *_TESTS)]
        if texts and not any(tests[index](text) for index, text in texts.items()):
            continue
        if not texts and any(len(text.split()) > 3 for text in words):
            continue
        return row.number
    return below[0].number if below else heading_row + 1


def _is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _is_code(text: str) -> bool:
    return text.lstrip("+0").isdigit() and len(text) <= 6


_TESTS = {_EMAIL: _is_address, PHONE: _is_number, CALLING_CODE: _is_code}


def _fields_by_content(
    columns: Mapping[int, FoundColumn], samples: Mapping[int, Sequence[str]]
) -> dict[int, FoundColumn]:
    """What columns with an unknown heading hold, of the fields that have no column yet."""
    taken = {one.field for one in columns.values()}
    found: dict[int, FoundColumn] = {}
    for field, test in ((_EMAIL, _is_address), (PHONE, _is_number), (GROUPS, lambda text: "|" in text or ";" in text)):
        if field in taken:
            continue
        fitting = [
            index
            for index, one in columns.items()
            if one.field is None
            and len(list(filter(None, samples[index]))) >= 3
            and _share(samples[index], test) >= _MOST
        ]
        if len(fitting) == 1:
            (index,) = fitting
            found[index] = replace(columns[index], field=field, reason=Reason.CONTENT, is_certain=False)
    return found


def _with_values(column: FoundColumn, users: Sequence[SheetRow], texts: Sequence[str] | None) -> FoundColumn:
    filled = sum(column.index < len(row.cells) and is_filled(row.cells[column.index]) for row in users)
    share = filled / len(users) if users else 0.0
    if column.field is not None:
        return replace(column, filled=share)
    cells = (row.cells[column.index] for row in users if column.index < len(row.cells))
    return replace(
        column, filled=share, choices=tuple(_choices(texts or ())), found=found_type(cells, words_for_yes_or_no())
    )


def _choices(texts: Sequence[str]) -> Iterator[str]:
    """The values of a column, where they are few words and each comes again.

    One value that all have, or one with a digit, could be a password under a heading that nobody knows.
    """
    counts = Counter(filter(None, texts))
    if 1 < len(counts) <= _FEW <= counts.total() and min(counts.values()) > 1 and all(map(_WORDS.fullmatch, counts)):
        yield from sorted(counts)


def _share(texts: Iterable[str], test: Callable[[str], bool]) -> float:
    filled = [text for text in texts if text]
    return sum(map(test, filled)) / len(filled) if filled else 0.0


def _text(row: SheetRow, index: int) -> str:
    return clean(shown(row.cells[index]) or "") if index < len(row.cells) else ""
