"""Tells a row whose cells slipped by one column from a row that is merely wrong.

A cell too many or too few (a comma that should have been in quotes, a cell that was inserted or deleted) moves all
cells behind it. Rules then find several unrelated faults, and show the password, which stands under another heading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from musterroll.contract.fields import GROUPS, PASSWORD, Field, FieldSet
from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.problems import Problem
from musterroll.contract.rows import ABSENT, Origin, Row, Value
from musterroll.contract.text import column_index, fold
from musterroll.contract.translation import gettext, gettext_noop

SHIFTED = "row.shifted"
"""The code of the one problem of a row whose cells slipped."""

_ADDRESS = late_pattern(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+")
_CODE = late_pattern(r"(?:\+|00)?[0-9]{1,4}")
_NUMBER = late_pattern(r"\+?[0-9 ().\-/]{6,25}")
_DIGITS_OF_A_NUMBER = range(6, 16)
# A country and its code, which people write as a calling code.
_COUNTRY = late_pattern(r"[^\W\d]+[ .(+]+[0-9]{1,4}\)?")
_STRONG = late_pattern(r"[0-9!#$%^*+=?~]")  # what passwords have and names and groups have not
_LONGEST = 300  # what is longer is none of these
_KNOWN = 8000  # so many texts of a column are remembered

_NAMES = frozenset({"forename", "surname"})


# Whether a text looks like a value of a field. No enumeration: that takes longer than all else in Python 3.11.
_WRONG = -1  # nobody types this there on purpose
_OPEN = 0  # it may or may not belong there
_RIGHT = 1  # it looks like what belongs there, and like little else
_TO_THE_RIGHT = gettext_noop(
    "This row seems to be shifted by one column to the right; move its cells to the left again. Its values are not "
    "shown, since the password may stand under another heading"
)
_TO_THE_LEFT = gettext_noop(
    "This row seems to be shifted by one column to the left; move its cells to the right again. Its values are not "
    "shown, since the password may stand under another heading"
)


@dataclass(slots=True)
class _Cell:
    """A cell of the row under a field's heading.

    Attributes:
        field: the field.
        text: what stands there; None where that is not known.
        is_faulty: whether a rule found an error in it.
    """

    field: Field
    text: str | None
    is_faulty: bool
    _look: int | None = None

    @property
    def look(self) -> int:
        """Whether it looks like a value of the field. Of most cells that need not be known."""
        if self._look is None:
            self._look = _fit(self.field, self.text)
        return self._look


class ShiftFinder:
    """Says of a row that has errors whether its cells slipped by one column.

    They did if moving the cells from some column on by one place leaves nothing there that looks wrong, and puts values
    where they clearly belong. Rows without errors are never looked at.

    Args:
        fields: the fields of a user.
    """

    def __init__(self, fields: FieldSet) -> None:
        # A composed field without a column is known by its first source's, which is that field's own.
        self._fields = sorted(fields.values(), key=lambda field: field.compose is not None)
        self._letters: Mapping[str, str] = {}
        self._columns: Mapping[int, Field] = {}
        self._last: Field | None = None
        self._before: Field | None = None  # that of the column beside the last one
        self._is_wrong_before: Callable[[str], bool] = bool
        self._names: Set[str] = frozenset()

    def find(self, row: Row, problems: Iterable[Problem]) -> Problem | None:
        """Returns the one problem that stands for all of the row's if its cells slipped.

        Args:
            row: the row.
            problems: what was found in it.
        """
        if row.columns is not self._letters:  # most rows of a sheet share one
            self._take_columns(row.columns)
        if self._last_stays(row):
            return None
        faulty = {problem.field for problem in problems if problem.is_error}
        if self._names.isdisjoint(faulty):
            return None
        cells = _Cells(row, self._columns, faulty)
        if _slipped_right(cells):
            return _problem(row.number, _TO_THE_RIGHT)
        return _problem(row.number, _TO_THE_LEFT) if _slipped_left(cells) else None

    def _last_stays(self, row: Row) -> bool:
        """Whether what stands in the last column can have come from nowhere: of most rows that is all to be known."""
        if self._last is None or self._before is None:
            return False
        text = _text(row.value(self._last.name))
        return text is not None and text != "" and self._is_wrong_before(text)

    def _take_columns(self, letters: Mapping[str, str]) -> None:
        found: dict[int, Field] = {}
        for field in self._fields:
            if (letter := letters.get(field.name)) is not None:
                found.setdefault(column_index(letter), field)
        self._letters, self._columns = letters, dict(sorted(found.items(), reverse=True))
        self._names = {field.name for field in found.values()}
        index = max(found, default=0)
        last, before = found.get(index), found.get(index - 1)
        if last is self._last and before is self._before:
            return
        self._last, self._before = last, before
        if last is not None and before is not None:
            is_wrong = partial(_is_wrong, before)
            # The same groups stand in many rows.
            self._is_wrong_before = is_wrong if last.secret else lru_cache(maxsize=_KNOWN)(is_wrong)


class _Cells:
    """The cells of a row by the index of their column. Each is made when it is looked at, and of most rows few are.

    Args:
        row: the row.
        columns: the field of each column, from the last one to the first.
        faulty: the fields that a rule found an error in.
    """

    def __init__(self, row: Row, columns: Mapping[int, Field], faulty: Set[str | None]) -> None:
        self._row, self._columns, self._faulty = row, columns, faulty
        self._made: dict[int, _Cell] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(self._columns)

    def __contains__(self, index: int) -> bool:
        return index in self._columns

    @property
    def last(self) -> int:
        """The index of the last column."""
        return next(iter(self._columns))

    def __getitem__(self, index: int) -> _Cell:
        cell = self._made.get(index)
        if cell is None:
            field = self._columns[index]
            text = _text(self._row.value(field.name))
            cell = self._made[index] = _Cell(field, text, field.name in self._faulty)
        return cell

    def get(self, index: int) -> _Cell | None:
        """The cell of a column, if that has a field."""
        return self[index] if index in self._columns else None


class _Evidence:
    """What speaks for a shift of the cells from some column on, taken column by column from the last one on."""

    def __init__(self) -> None:
        self._seen = list[_Cell]()
        self._faults = 0
        self._right = 0
        self._finds_password = self._shows_password = False
        self._is_open = False

    def see(self, cell: _Cell) -> None:
        """Takes a cell as it stands."""
        self._seen.append(cell)
        self._faults += cell.is_faulty

    def move(self, cell: _Cell, source: _Cell | None) -> bool:
        """Takes the cell whose text would stand in another; returns False where it cannot."""
        text = source.text if source is not None else None
        if source is None or text is None:
            self._is_open = True
            return True
        fit = _fit(cell.field, text)
        if fit is _WRONG or (not text and cell.field.required):
            return False
        is_password = bool(text) and cell.field.name == PASSWORD
        # A password of words, in a column that nobody writes words into, and none where it belongs.
        self._shows_password |= is_password and source.look is _WRONG and cell.is_faulty
        if fit is _RIGHT and cell.look is not _RIGHT:
            self._right += 1
            self._finds_password |= is_password
        return True

    def suffices(self, *, left_over: bool) -> bool:
        """Whether the row slipped; `left_over` is whether the shift has no place for a value that is there."""
        if self._faults > 1 and self._shows_password and not left_over and not self._is_open:
            return True
        is_clear = self._finds_password and (self._faults > 1 or not left_over) and not self._is_open
        if not self._faults or self._right < (1 if is_clear else 2):
            return False
        return sum(cell.is_faulty or cell.look is _WRONG for cell in self._seen) > 1


def _slipped_right(cells: _Cells) -> bool:
    """Whether a cell too many stands somewhere: a blank one, or a part of what stands on its left."""
    evidence, last, right = _Evidence(), cells.last, None
    for index in cells:
        cell = cells[index]
        # What would move into the last one is beyond the headings. Most rows need no look but this.
        if index != last and not evidence.move(cell, right if index + 1 in cells else None):
            return False
        evidence.see(cell)
        right = cell
        if evidence.suffices(left_over=cell.text != ""):
            return True
    return False


def _slipped_left(cells: _Cells) -> bool:
    """Whether a cell is missing somewhere, which leaves the last one blank."""
    if cells[cells.last].text != "":
        return False
    evidence = _Evidence()
    for index in cells:
        cell = cells[index]
        evidence.see(cell)
        if evidence.suffices(left_over=False):
            return True
        if not evidence.move(cell, cells.get(index - 1)):
            return False
    return False


def hidden(row: Row) -> Row:
    """Returns a row of that number that holds no value, so that nothing shows one."""
    return replace(row, values=dict.fromkeys(row.values, ABSENT))


def _problem(row: int, message: str) -> Problem:
    return Problem(code=SHIFTED, row=row, message=gettext(message))


def _text(value: Value) -> str | None:
    """What stands in the cell of a value; None where it could not be used."""
    if value.origin is Origin.CELL:
        return value.text if value.secret is None else value.secret.reveal()
    return None if value.origin is Origin.ABSENT else ""


def _fit(field: Field, text: str | None) -> int:
    """Whether a text looks like a value of a field."""
    if not text:
        return _OPEN
    text = text.strip()
    is_short = len(text) <= _LONGEST
    if field.role is not None or field.words:
        return _OPEN  # what cannot stand there has a problem of its own
    if field.choices:
        return _either({fold(text)} <= {fold(choice) for choice in field.choices})
    match field.name:
        case "email":
            return _either(is_short and bool(_ADDRESS.fullmatch(text)))
        case "calling_code":
            return _either(bool(_CODE.fullmatch(text)))
        case "phone":
            return _either(_is_number(text))
    if field.name == PASSWORD:
        return _password(text)
    if field.name in _NAMES:
        return _WRONG if "@" in text or any(map(str.isdigit, text[:_LONGEST])) else _OPEN
    if field.name == GROUPS:
        return _WRONG if _is_number(text) or (is_short and _ADDRESS.fullmatch(text)) else _OPEN
    return _OPEN


def _is_wrong(field: Field, text: str) -> bool:
    return _fit(field, text) is _WRONG


def _either(is_right: bool) -> int:
    return _RIGHT if is_right else _WRONG


def _password(text: str) -> int:
    if _is_number(text) or len(text) > _LONGEST or _ADDRESS.fullmatch(text):
        return _WRONG
    if len(text) >= 6 and _STRONG.search(text) and any(map(str.isalpha, text)) and not _COUNTRY.fullmatch(text):
        return _RIGHT
    return _OPEN if len(text) >= 8 else _WRONG


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and sum(map(str.isdigit, text)) in _DIGITS_OF_A_NUMBER
