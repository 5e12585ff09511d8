"""The first rows of texts: as a dict has them, in fewer bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll_plugins.validators import _first_rows
from musterroll_plugins.validators._first_rows import FirstRows
from support.cost import most_bytes_held

BATCHES = st.lists(st.lists(st.text("aßя\n\ud800😀", max_size=3), max_size=40), max_size=40)


@given(BATCHES, st.sampled_from([0, 30, 1000]))
def test_rows_are_as_in_a_dict(batches: list[list[str]], few: int) -> None:
    first_rows, expected, row = FirstRows(few), dict[str, int](), 3
    for texts in batches:
        rows = range(row, row := row + len(texts))
        repeated = [
            place for place, text in enumerate(texts) if text and expected.setdefault(text, rows[place]) != rows[place]
        ]
        assert first_rows.add(texts, rows) == repeated
        assert first_rows.add(texts, rows) == repeated  # what was noted already
    assert {text: first_rows.get(text) for text in expected} == expected
    assert "" not in first_rows
    assert "nobody" not in first_rows


def test_texts_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_first_rows, "_CODE", 0xFFFFF)  # as if hashes had fewer bits
    monkeypatch.setattr(_first_rows, "_BITS", 20)
    first_rows, names = FirstRows(few=0), [f"user{number}" for number in range(20_000)]
    for start in range(0, len(names), 1000):
        assert first_rows.add(names[start : start + 1000], range(start, start + 1000)) == []
    assert [first_rows.get(name) for name in names] == list(range(20_000))
    assert first_rows.setdefault("user7", 30_000) == 7
    assert first_rows.setdefault("somebody else", 30_000) == 30_000
    assert first_rows.add(["user8", "somebody else", "new"], [8, 30_001, 30_002]) == [1]


def test_a_text_costs_few_bytes() -> None:
    def remember() -> None:
        first_rows = FirstRows(few=0)
        for start in range(0, 30_000, 1000):
            first_rows.add(
                [f"user{place}@acme.example" for place in range(start, start + 1000)], range(start, start + 1000)
            )
        assert first_rows.get("user29999@acme.example") == 29_999

    assert most_bytes_held(remember) / 30_000 < 80  # a dict has 170
