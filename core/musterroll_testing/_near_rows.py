"""Rows by chance, near given ones: what proofs are tried with."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping

from musterroll.contract.rows import ABSENT, BLANK, Origin, Row, Value
from musterroll.contract.secret import Secret
from musterroll.contract.text import clean
from musterroll_testing.building import STANDARD_FIELDS, make_row

SEEDS = range(25)
_ROWS = 40
_ORIGINS = (Origin.CELL, Origin.CELL, Origin.CELL, Origin.DEFAULT, Origin.COMPOSED)


def near_rows(examples: Iterable[Mapping[str, str]], strange: Iterable[str], seed: int) -> list[Row]:
    """Makes rows whose values are those of examples, changed here and there, or strange ones.

    Args:
        examples: rows by field.
        strange: texts that may stand anywhere.
        seed: the same one makes the same rows.
    """
    draw = random.Random(seed)  # noqa: S311 -- the same rows every time
    pools: dict[str, list[str]] = {name: [""] for name in STANDARD_FIELDS}
    for row in examples:
        for name, text in row.items():
            pools.setdefault(name, [""]).append(text)
    others = list(strange)
    anything = [*(text for pool in pools.values() for text in pool), *others]
    return [
        make_row(number, **{name: _value(name, pool, anything, others, draw) for name, pool in pools.items()})
        for number in range(3, 3 + _ROWS)
    ]


def _value(name: str, pool: list[str], anything: list[str], strange: list[str], draw: random.Random) -> Value:
    text = draw.choice(pool if draw.random() < 0.9 else anything)
    if draw.random() < 0.4:
        text = draw.choice(list(_changed(text, draw.choice(strange), draw.randrange(len(text) + 1))))
    if name == "password":
        return Value("", Origin.CELL, None, Secret(text)) if text else draw.choice((BLANK, ABSENT))
    text = clean(text)
    return Value(text, draw.choice(_ORIGINS), text) if text else draw.choice((BLANK, ABSENT))


def _changed(text: str, strange: str, place: int) -> Iterator[str]:
    yield text[:place] + strange + text[place:]
    yield text[:place] + text[place + 1 :]
    yield text[:place] + text[place : place + 1] + text[place:]
    yield text[:place] + text[place : place + 1].swapcase() + text[place + 1 :]
    yield text * 2
