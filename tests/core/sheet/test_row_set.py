from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from musterroll.sheet.row_set import RowSet

ROWS = st.lists(st.integers(1, 5000) | st.integers(1, 1 << 40))


@given(ROWS, ROWS)
def test_a_row_set_is_a_set_in_order(some: list[int], others: list[int]) -> None:
    rows = RowSet(some)
    assert list(rows) == sorted(set(some))
    assert len(rows) == len(set(some))
    assert list(rows | RowSet(others)) == sorted({*some, *others})
    assert all(row in rows for row in some)
    assert not any(row in rows for row in {*others, 0}.difference(some))


def test_no_row_is_in_it_where_there_is_no_row() -> None:
    assert None not in RowSet([0, 1])


def test_many_rows_take_few_bytes() -> None:
    tracemalloc.start()
    rows = RowSet(range(100_000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows) == 100_000
    assert held < 100_000
