"""Guards of speed that do not depend on the machine: how much is done for a row of a sheet without faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cost import most_bytes_held, python_calls
from support.cost_of_sheets import for_a_row

ROWS = 6000
MOST_CALLS = {"csv": 5.5, "xlsx": 5.5, "ods": 7.5}
"""Python calls for a row to validate it."""
MOST_BYTES = {"csv": 500, "xlsx": 820, "ods": 480}
"""What is remembered of a row: its username and its address, in case they are repeated; and texts of groups.

Of a sheet with more than 130,000 rows it is less: see `FirstRows`.
"""


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
def test_python_calls_and_bytes_held_for_a_clean_row(form: str, tmp_path: Path) -> None:
    calls, held = for_a_row(tmp_path, form, ROWS)
    assert calls <= MOST_CALLS[form]
    assert held <= MOST_BYTES[form]


def test_calls_are_counted() -> None:
    def nothing() -> None: ...

    def work() -> None:
        for _ in range(10):
            nothing()
        len(sorted([3, 1, 2], key=abs))

    assert python_calls(work) == 11


def test_bytes_are_counted() -> None:
    def work() -> None:
        held = bytearray(100_000)
        del held
        bytearray(50_000)

    assert 100_000 <= most_bytes_held(work) < 101_000
