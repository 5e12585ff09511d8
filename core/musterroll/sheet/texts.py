"""From columns of cells to columns of texts: what `values` does for one cell, for a thousand at once.

A column is looked at as a whole, and whatever is not plainly a text is left to those who make rows of values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from unicodedata import is_normalized

from musterroll.contract.cells import Cell
from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.rows import Origin, Row
from musterroll.contract.text import INVISIBLE, clean
from musterroll.sheet.values import ERRORS, CellFault, cell_value

# Where `clean` has more to do than to strip, or a character is damaged.
_CARE = late_pattern(f"[{INVISIBLE}\u2800\ud800-\udfff]")
_DAMAGED = late_pattern("[\ud800-\udfff]")
# How the texts begin in which `values` or `plain_text` may see something else than the text. A # alone is no sign: many
# passwords begin with it.
_ODD = rf"(?:#{{3,}}|(?i:{ERRORS}))(?=\n|\Z)|[+-]?[0-9]{{1,3}}(?:[.,][0-9]+[Ee]|[Ee]\+)"
_SIGNS = "#:.,+='"  # of which one is in every odd text
_MEANT = rf"{_ODD}|[=']"


@dataclass(slots=True)
class Texts:
    """Texts of rows by field, one a row.

    Attributes:
        plain: those of fields that are no secrets.
        secret: the secrets, empty where a row has none.
        defaults: the places of values that are defaults, or made of defaults only, by field.
        made: the places of values that are proposals until the plan says what is free, by field.
        odd: the places of rows that have to be made one by one.
        joined: those of some fields with a line break before each: joining them once more takes as long as making them.
    """

    plain: dict[str, list[str]] = field(default_factory=dict)
    secret: dict[str, list[str]] = field(default_factory=dict, repr=False)
    defaults: dict[str, set[int]] = field(default_factory=dict)
    made: dict[str, set[int]] = field(default_factory=dict)
    odd: set[int] = field(default_factory=set)
    joined: dict[str, str] = field(default_factory=dict, repr=False)

    def put(self, place: int, row: Row) -> None:
        """Puts the texts of a row that was made by itself in their place."""
        self.joined.clear()
        for name, texts in self.plain.items():
            texts[place] = row.value(name).text
        for name, texts in self.secret.items():
            secret = row.secret(name)
            texts[place] = secret.reveal() if secret is not None else ""
        for name, value in row.values.items():
            if value.origin is Origin.DEFAULT:
                self.defaults.setdefault(name, set()).add(place)
            elif name in self.defaults:
                self.defaults[name].discard(place)
            if value.origin is Origin.MADE:
                self.made.setdefault(name, set()).add(place)
            elif name in self.made:
                self.made[name].discard(place)

    def without_defaults(self) -> Texts:
        """The texts as they were without defaults; the same object where none is one."""
        if not any(self.defaults.values()):
            return self
        plain = {name: self._bare(name, texts) for name, texts in self.plain.items()}
        return Texts(plain, {name: self._bare(name, texts) for name, texts in self.secret.items()})

    def _bare(self, name: str, texts: list[str]) -> list[str]:
        places = self.defaults.get(name)
        return ["" if place in places else text for place, text in enumerate(texts)] if places else texts


def column_texts(cells: Sequence[Cell], odd: set[int], *, plain_text: bool) -> tuple[list[str], str]:
    """The texts of a column that holds no secrets, and all of them with a line break before each.

    Args:
        cells: the column's cells.
        odd: takes the places of cells that need a look of their own.
        plain_text: whether some texts mean something else than they say.
    """
    raw: Sequence[Any] = cells
    try:
        texts = list(map(str.strip, raw))  # which takes texts only
    except TypeError:
        raw = _as_texts(cells, odd)
        texts = list(map(str.strip, raw))
    joined = "\n" + "\n".join(texts)
    if not joined.isascii() and (_CARE.search(joined) or not is_normalized("NFC", joined)):
        texts = list(map(clean, raw))
        odd.update(place for place, text in enumerate(texts) if _DAMAGED.search(text))
        joined = "\n" + "\n".join(texts)
    odd.update(_odd(texts, joined, *_PATTERNS[plain_text]))
    return texts, joined


def secret_texts(cells: Sequence[Cell], odd: set[int]) -> list[str]:
    """The secrets of a column as they are. See `column_texts`."""
    texts = _as_texts(cells, odd)
    stripped = list(map(str.strip, texts))
    joined = "\n" + "\n".join(stripped)
    if not joined.isascii():
        odd.update(place for place, text in enumerate(texts) if _DAMAGED.search(text))
    odd.update(_odd(stripped, joined, *_PATTERNS[False]))
    return texts


_Patterns = tuple[re.Pattern[str], re.Pattern[str]]
_PATTERNS: tuple[_Patterns, _Patterns] = (
    (late_pattern(rf"\n(?:{_ODD})"), late_pattern(_ODD)),
    (late_pattern(rf"\n(?:{_MEANT})"), late_pattern(_MEANT)),
)


def _odd(texts: Sequence[str], joined: str, anywhere: re.Pattern[str], first: re.Pattern[str]) -> Iterable[int]:
    # Most columns have not even the signs.
    if not any(sign in joined for sign in _SIGNS) or not anywhere.search(joined):
        return ()
    return (place for place, text in enumerate(texts) if first.match(text))


def _as_texts(cells: Sequence[Cell], odd: set[int]) -> list[str]:
    """The texts that cells stand for; those that cannot be used are odd."""
    with suppress(TypeError):
        return list(map(str.__str__, cells))  # which takes texts only
    return [
        cell if isinstance(cell, str) else "" if cell is None else _other(cell, place, odd)
        for place, cell in enumerate(cells)
    ]


def _other(cell: Cell, place: int, odd: set[int]) -> str:
    value = cell_value(cell)
    if isinstance(value, CellFault):
        odd.add(place)
        return ""
    return value.text
