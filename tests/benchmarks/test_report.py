"""What `make bench` measures is what a process used, and what it tells is what it measured."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from speed.measure import Usage, least, measured
from speed.plot import plot
from speed.report import report, with_report
from speed.results import Origin, PortalResult, Result, portal_result, results
from speed.tasks import START_UP

_BUSY = """
import time
held = bytearray(150_000_000)
while time.process_time() < 0.3:
    pass
"""
BENCH = Path(__file__).parents[2] / "benchmarks" / "bench.py"
ORIGIN = Origin("2026-03-01", "1234567", "2 processors, CPython 3.11.7")


def result(rows: int, **cpu: float) -> Result:
    usages = {name.replace("_", " "): Usage(seconds, seconds, 50) for name, seconds in cpu.items()}
    return Result(rows, 3, ORIGIN, usages | {"csv.reader": Usage(0.1, 0.1, 20), START_UP: Usage(0.4, 0.4, 60)})


def line(text: str, start: str) -> list[str]:
    (found,) = (line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


class TestMeasuring:
    def test_time_and_memory_of_a_process(self, tmp_path: Path) -> None:
        usage = measured([sys.executable, "-c", _BUSY], tmp_path)
        assert 0.3 <= usage.cpu < 3
        assert usage.wall >= 0.3
        assert usage.peak > 150

    def test_a_process_that_fails_says_why(self, tmp_path: Path) -> None:
        with pytest.raises(RuntimeError, match=r"exited with 3: no such sheet$"):
            measured([sys.executable, "-c", "import sys; sys.stderr.write('no such sheet'); sys.exit(3)"], tmp_path)

    def test_a_status_that_is_expected_is_no_failure(self, tmp_path: Path) -> None:
        assert measured([sys.executable, "-c", "raise SystemExit(1)"], tmp_path, statuses=(1,)).cpu > 0

    def test_of_several_rounds_the_least_time_and_the_highest_peak(self) -> None:
        assert least([Usage(2, 3, 10), Usage(1, 5, 12)]) == Usage(1, 3, 12)


class TestTables:
    def test_a_goal_is_judged_where_the_sheet_is_large_enough(self) -> None:
        text = report([result(10_000, validate_csv=0.9), result(100_000, validate_csv=0.7)], None)
        assert line(text, "validate csv | csv.reader")[2:] == ["≤ 8", "9.0 ×", "7.0 × ✓"]

    def test_a_goal_that_is_missed(self) -> None:
        text = report([result(100_000, validate_csv=0.9, frictionless_csv=8)], None)
        assert line(text, "validate csv | csv.reader")[-1] == "9.0 × ✗"
        assert line(text, "frictionless csv | validate csv")[2:] == ["≥ 10", "8.9 × ✗"]

    def test_what_was_not_measured_has_no_line(self) -> None:
        assert "xlsx" not in report([result(100_000, validate_csv=0.9)], None)

    def test_the_cost_of_a_row(self) -> None:
        text = report([result(100_000, validate_csv=0.9)], None)
        assert "| validate csv | 0.90 s, 9.0 µs, 50 MB |" in text.splitlines()

    def test_where_figures_come_from(self) -> None:
        text = report([result(100_000, validate_csv=0.9)], None)
        assert text.splitlines()[-1] == (
            "- 100,000 rows: 2026-03-01, commit 1234567, 2 processors, CPython 3.11.7, the least of 3"
        )

    def test_a_portal(self) -> None:
        seconds, bases = {"bare": 2.0, "backend": 2.2}, {"bare": "bare", "backend": "bare"}
        text = report([result(100_000)], PortalResult(1000, ORIGIN, seconds, bases))
        assert line(text, "backend")[1:] == ["2.20", "455", "91% ✓", "≥ 80%"]

    def test_a_page_keeps_what_stands_around_the_figures(self) -> None:
        page = "before\n<!-- measured -->\nold\n<!-- end -->\nafter\n"
        once = with_report(page, "| new |\n")
        assert once == "before\n<!-- measured -->\n| new |\n<!-- end -->\nafter\n"
        assert with_report(once, "| new |\n") == once


def test_the_plot_names_every_task() -> None:
    drawn = plot([result(10_000, validate_csv=0.2, run_csv=1), result(100_000, validate_csv=0.9, run_csv=5)])
    image = ET.fromstring(drawn)  # noqa: S314 -- of our own making
    texts = [text.text for text in image.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("csv.reader") == 1  # a bar
    assert texts.count("validate csv") == texts.count("run csv") == 2  # a bar and a line


def test_what_was_measured_is_read_back(tmp_path: Path) -> None:
    portal = PortalResult(1000, ORIGIN, {"bare": 2.0}, {"bare": "bare"})
    large, small = result(100_000, validate_csv=0.9), result(10_000, validate_csv=0.2)
    for one in (large, small, portal):
        one.save(tmp_path / "results")
    assert results(tmp_path / "results") == [small, large]
    assert portal_result(tmp_path / "results") == portal


@pytest.mark.slow
def test_measuring_from_the_sheets_to_the_plot(tmp_path: Path) -> None:
    """Every task once, with a small sheet, as `make bench` does it."""
    choices = ["--rows", "200", "--forms", "csv", "xlsx", "ods", "--rounds", "1", "--without-peers", "--portal", "0"]
    folders = [f"--results={tmp_path / 'results'}", f"--cache={tmp_path / 'cache'}"]
    done = subprocess.run(
        [sys.executable, str(BENCH), *choices, *folders], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    (measured,) = results(tmp_path / "results")
    assert list(measured.usages) == [
        START_UP,
        "csv.reader",
        "validate csv",
        "validate csv, 1 % bad",
        "validate csv, all bad",
        "run csv, new users",
        "run csv, the same again",
        "validate xlsx",
        "validate ods",
    ]
    assert all(0 < usage.cpu < 60 and 5 < usage.peak < 1000 for usage in measured.usages.values())
    assert done.stdout.strip() == (tmp_path / "results" / "report.md").read_text(encoding="utf-8").strip()
    assert (tmp_path / "results" / "plot.svg").exists()
    assert len(list((tmp_path / "cache").rglob("*.csv"))) == 4
