"""Guards of speed that do not depend on the machine: how much is done for a row of a sheet without faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cost import most_bytes_held, python_calls
from support.cost_of_sheets import apart, bytes_for_a_row, calls_for_a_row

ROWS = 6000
MOST_CALLS = {"csv": 9, "xlsx": 9, "ods": 10.5}
"""Python calls for a row to validate it."""
MOST_BYTES = {"csv": 500, "xlsx": 820, "ods": 480}
"""What is remembered of a row: its username and its address, in case they are repeated; and texts of groups.

Of a sheet with more than 130,000 rows it is less: see `FirstRows`.
"""


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sheets, which are written when they are needed."""
    return tmp_path_factory.mktemp("sheets")


@pytest.mark.parametrize(("form", "most"), MOST_CALLS.items())
def test_python_calls_for_a_clean_row(form: str, most: float, sheets: Path) -> None:
    assert apart(calls_for_a_row, sheets, form, ROWS) <= most


@pytest.mark.parametrize(("form", "most"), MOST_BYTES.items())
def test_bytes_held_for_a_clean_row(form: str, most: int, sheets: Path) -> None:
    assert apart(bytes_for_a_row, sheets, form, ROWS) <= most


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
