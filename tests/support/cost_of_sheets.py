"""What a row of a sheet without faults costs to validate."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from musterroll import engine
from musterroll.pipeline.loader import load_pipeline
from speed.people import Quality
from speed.sheets import write
from support.cost import most_bytes_held, python_calls


def for_a_row(folder: Path, form: str, rows: int) -> tuple[float, float]:
    """Python calls for a row, and bytes held for it.

    They are measured in a new process: what other tests have left behind in this one is no cost of a row.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_for_a_row, folder, form, rows).result()


def _for_a_row(folder: Path, form: str, rows: int) -> tuple[float, float]:
    """What twice as many rows cost besides: what is done once for a sheet does not count."""
    (folder / "acme.toml").write_text('name = "acme"\n', encoding="utf-8")
    pipeline = load_pipeline(folder / "acme.toml")

    def validate(rows: int) -> None:
        with engine.validate(pipeline, folder / f"{rows}.{form}") as report:
            assert (report.counts.rows, report.counts.errors, report.counts.warnings) == (rows, 0, 0)

    for number in (rows, 2 * rows):
        write(folder / f"{number}.{form}", number, Quality.CLEAN)
    validate(2 * rows)  # what is loaded and kept for the first sheet
    held, calls = (
        (cost(lambda: validate(2 * rows)) - cost(lambda: validate(rows))) / rows
        for cost in (most_bytes_held, python_calls)
    )
    return calls, held
