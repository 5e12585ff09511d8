"""Guards of speed that do not depend on the machine: how much is done for a row of a sheet without faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from musterroll import engine
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline
from speed.people import Quality
from speed.sheets import write
from support.cost import python_calls

ROWS = 2000
MOST_CALLS = {"csv": 120, "xlsx": 250, "ods": 228}
"""Python calls for a row to validate it."""


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    (tmp_path / "acme.toml").write_text('name = "acme"\n', encoding="utf-8")
    return load_pipeline(tmp_path / "acme.toml")


@pytest.mark.parametrize(("form", "most"), MOST_CALLS.items())
def test_python_calls_for_a_clean_row(form: str, most: int, pipeline: Pipeline, tmp_path: Path) -> None:
    # What twice as many rows take besides: what is done once for a sheet does not count.
    few, many = (calls_to_validate(pipeline, tmp_path / f"{rows}.{form}", rows) for rows in (ROWS, 2 * ROWS))
    assert (many - few) / ROWS <= most


def calls_to_validate(pipeline: Pipeline, sheet: Path, rows: int) -> int:
    write(sheet, rows, Quality.CLEAN)

    def validate() -> None:
        with engine.validate(pipeline, sheet) as report:
            assert (report.counts.rows, report.counts.errors, report.counts.warnings) == (rows, 0, 0)

    return python_calls(validate)


def test_calls_are_counted() -> None:
    def nothing() -> None: ...

    def work() -> None:
        for _ in range(10):
            nothing()
        len(sorted([3, 1, 2], key=abs))

    assert python_calls(work) == 11
