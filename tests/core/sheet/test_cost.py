"""What a row costs, in numbers that do not depend on the machine."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from musterroll import engine
from musterroll.reports.report import Report
from support.cost import python_calls
from support.sheets import GUIDANCE, HEADINGS

MakeRow = Callable[[int], list[str]]


def clean(number: int) -> list[str]:
    mail, name = f"user{number}@acme.example", ("Ana", "Zoë", "Núñez")[number % 3]
    phone = f"77123{number % 100_000:05}"
    return [mail, f"user{number}", name, "O'Brien", f"Xq7-{number}-river", "44", phone, f"Region|{number % 7};Staff"]


def bad(number: int) -> list[str]:
    return [f"user{number} at acme", f"user{number}", "Ana", "", "short", "44", "12", "Region||North"]


def seldom_bad(number: int) -> list[str]:
    return bad(number) if number % 100 == 0 else clean(number)


def same(number: int) -> list[str]:
    return clean(7)


def sheet(folder: Path, make: MakeRow, rows: int) -> Path:
    path = folder / f"{make.__name__}-{rows}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADINGS, GUIDANCE, *map(make, range(rows))])
    return path


@pytest.fixture
def validated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[MakeRow, int], Report]:
    """Validates a sheet of so many rows."""
    monkeypatch.chdir(tmp_path)
    pipeline = engine.load_pipeline(None)
    return lambda make, rows: engine.validate(pipeline, sheet(tmp_path, make, rows))


@pytest.mark.parametrize(("make", "most"), [(clean, 2), (seldom_bad, 6), (bad, 275), (same, 66)])
def test_python_calls_for_a_row(make: MakeRow, most: int, validated: Callable[[MakeRow, int], Report]) -> None:
    validated(make, 10)  # what is built once is built
    few, some, many = (python_calls(partial(validated, make, rows)) for rows in (500, 1000, 2000))
    assert (many - some) / 1000 <= most
    assert (many - some) / 1000 <= 1.1 * (some - few) / 500 + 1  # it does not grow


def test_types_cost_a_row_hardly_a_call(tmp_path: Path) -> None:
    """A value that stands in many rows is read once for all of them."""
    types = {
        "date": "date",
        "number": "integer",
        "truth": "boolean",
        "pager": "phone",
        "other": "email",
        "boss": "user",
    }
    lines = [
        f'[[sheet.fields]]\nname = "{name}"\nheading = "{name}"\ntype = "{type_}"' for name, type_ in types.items()
    ]
    (tmp_path / "musterroll.toml").write_text("\n".join(['name = "x"', *lines]), encoding="utf-8")
    pipeline = engine.load_pipeline(tmp_path / "musterroll.toml")

    def typed(rows: int) -> int:
        path = tmp_path / f"{rows}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerows([[*HEADINGS, *types], [*GUIDANCE]])
            for n in range(rows):
                day = f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}"
                out.writerow([*clean(n), day, n % 90, ("yes", "no")[n % 2], "+447712345678", clean(n)[0], "ana"])
        return python_calls(lambda: engine.validate(pipeline, path).close())

    typed(10)
    few, many = typed(2000), typed(4000)
    assert (many - few) / 2000 <= 8


def test_the_plain_way_asks_every_rule(
    validated: Callable[[MakeRow, int], Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTERROLL_PLAIN", "1")
    assert python_calls(lambda: validated(clean, 1000).close()) > 100 * 1000


def test_bytes_held_for_a_row(validated: Callable[[MakeRow, int], Report]) -> None:
    def held(rows: int) -> int:
        tracemalloc.start()
        try:
            validated(clean, rows).close()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    held(10)
    few, many = held(3000), held(6000)
    assert (many - few) / 3000 < 600  # the distinct usernames and addresses, with their rows
