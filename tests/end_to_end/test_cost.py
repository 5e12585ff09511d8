"""Guards of speed that do not depend on the machine: how much is done for a row of a sheet without faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from musterroll import engine
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline
from speed.people import Quality
from speed.sheets import write
from support.cost import most_bytes_held, python_calls

ROWS = 6000
MOST_CALLS = {"csv": 9, "xlsx": 9, "ods": 10.5}
"""Python calls for a row to validate it."""
MOST_BYTES = {"csv": 650, "xlsx": 900, "ods": 600}
"""What is remembered of a row: its username and its address, in case they are repeated; and texts of groups.

Of a sheet with more than 130,000 rows it is less: see `FirstRows`.
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    (tmp_path / "acme.toml").write_text('name = "acme"\n', encoding="utf-8")
    return load_pipeline(tmp_path / "acme.toml")


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sheets, which are written when they are needed."""
    return tmp_path_factory.mktemp("sheets")


@pytest.mark.parametrize(("form", "most"), MOST_CALLS.items())
def test_python_calls_for_a_clean_row(form: str, most: float, pipeline: Pipeline, sheets: Path) -> None:
    assert for_a_row(python_calls, pipeline, sheets, form) <= most


@pytest.mark.parametrize(("form", "most"), MOST_BYTES.items())
def test_bytes_held_for_a_clean_row(form: str, most: int, pipeline: Pipeline, sheets: Path) -> None:
    assert for_a_row(most_bytes_held, pipeline, sheets, form) <= most


def for_a_row(cost: Callable[[Callable[[], object]], int], pipeline: Pipeline, folder: Path, form: str) -> float:
    """What twice as many rows cost besides: what is done once for a sheet does not count."""

    def validate(rows: int) -> None:
        with engine.validate(pipeline, folder / f"{rows}.{form}") as report:
            assert (report.counts.rows, report.counts.errors, report.counts.warnings) == (rows, 0, 0)

    for rows in (ROWS, 2 * ROWS):
        if not (path := folder / f"{rows}.{form}").exists():
            write(path, rows, Quality.CLEAN)
    validate(2 * ROWS)  # what is loaded and kept for the first sheet
    return (cost(lambda: validate(2 * ROWS)) - cost(lambda: validate(ROWS))) / ROWS


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
