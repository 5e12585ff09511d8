"""What a row of a sheet without faults costs to validate."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from musterroll import engine
from musterroll.pipeline.loader import load_pipeline
from speed.people import Quality
from speed.sheets import write
from support.cost import most_bytes_held, python_calls


def apart(measure: Callable[[Path, str, int], float], folder: Path, form: str, rows: int) -> float:
    """Measures in a new process: what other tests have left behind in this one is no cost of a row."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measure, folder, form, rows).result()


def calls_for_a_row(folder: Path, form: str, rows: int) -> float:
    """Python calls for a row. See `_for_a_row`."""
    return _for_a_row(python_calls, folder, form, rows)


def bytes_for_a_row(folder: Path, form: str, rows: int) -> float:
    """Bytes held for a row. See `_for_a_row`."""
    return _for_a_row(most_bytes_held, folder, form, rows)


def _for_a_row(cost: Callable[[Callable[[], object]], int], folder: Path, form: str, rows: int) -> float:
    """What twice as many rows cost besides: what is done once for a sheet does not count."""
    (folder / "acme.toml").write_text('name = "acme"\n', encoding="utf-8")
    pipeline = load_pipeline(folder / "acme.toml")

    def validate(rows: int) -> None:
        with engine.validate(pipeline, folder / f"{rows}.{form}") as report:
            assert (report.counts.rows, report.counts.errors, report.counts.warnings) == (rows, 0, 0)

    for number in (rows, 2 * rows):
        if not (path := folder / f"{number}.{form}").exists():
            write(path, number, Quality.CLEAN)
    validate(2 * rows)  # what is loaded and kept for the first sheet
    return (cost(lambda: validate(2 * rows)) - cost(lambda: validate(rows))) / rows
