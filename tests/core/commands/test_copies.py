"""Copies of any sheet: the corrected one differs in what `--diff` shows, the annotated one in nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musterroll import Cell
from musterroll.engine import AnnotatedCopy, Pipeline, fix, load_pipeline, validate
from musterroll.sheet.open_sheet import OpenSheet
from support.rosters import write_csv, write_ods, write_xlsx

WRITERS: dict[str, Callable[..., Path]] = {"xlsx": write_xlsx, "ods": write_ods, "csv": write_csv}
CELLS = [
    "", "Ana", "ana", "bo", "=1+1", "+44", "44", "+447712345678", "07712345678", "7712 345 678", "1809", "5551234",
    "ana@acme,com", "Ana <ana@acme.com>", "mailto:bo@acme.com", "x", "C\u200by", "two\nlines", "Sales;", "A||B;",
    "#N/A", "Harbour-Lamp-77", "=cmd|secret1!A", " edge ", '"quoted"', "a;b,c", "<b>", "😀", "TRUE", "Ã¼ber",
]  # fmt: skip
ROWS = st.lists(st.lists(st.sampled_from(CELLS), min_size=8, max_size=8), min_size=1, max_size=15)


@pytest.fixture(scope="module")
def standard() -> Pipeline:
    return load_pipeline(None)


def cells(pipeline: Pipeline, path: Path) -> dict[tuple[int, int], Cell]:
    """The filled cells of a sheet, by row and column."""
    opened = OpenSheet(pipeline, path)
    with opened.as_it_is(opened.source.sha256) as (_, rows):
        return {(row.number, index): cell for row in rows for index, cell in enumerate(row.cells) if cell}


@pytest.mark.parametrize(
    "form", ["xlsx", pytest.param("ods", marks=pytest.mark.slow), pytest.param("csv", marks=pytest.mark.slow)]
)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_a_corrected_copy_differs_in_what_is_shown_and_in_nothing_else(
    form: str, rows: list[list[str]], standard: Pipeline, tmp_path: Path
) -> None:
    path, copy = WRITERS[form](tmp_path / f"staff.{form}", rows), tmp_path / f"fixed.{form}"
    copy.unlink(missing_ok=True)
    with fix(standard, path, diff=True) as shown:
        assert shown.fixed is not None
        assert shown.fixed.changes is not None
        changes = {(one.row, one.column): one.text or None for one in shown.fixed.changes()}
    with fix(standard, path, to=copy) as done:
        assert done.fixed is not None
        assert done.fixed.cells == len(changes)
    if not changes:
        assert not copy.exists()
        return
    before, after = cells(standard, path), cells(standard, copy)
    assert {place: after.get(place) for place in changes} == changes
    assert {place: cell for place, cell in after.items() if place not in changes} == {
        place: cell for place, cell in before.items() if place not in changes
    }
    with fix(standard, copy, diff=True) as again:
        assert again.fixed is not None
        assert again.fixed.cells == 0


@pytest.mark.parametrize("form", WRITERS)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_an_annotated_copy_is_the_sheet_to_whoever_reads_it(
    form: str, rows: list[list[str]], standard: Pipeline, tmp_path: Path
) -> None:
    path, copy = WRITERS[form](tmp_path / f"staff.{form}", rows), tmp_path / f"seen.{form}"
    with validate(standard, path) as found:
        problems = list(found.problems())
        assert found.sheet is not None
        annotated = AnnotatedCopy(standard, path, copy, keep_passwords=True, replace=True)
        annotated.write(found.sheet, found.counts, found.problems)
    reasons = len(rows[0]) if form == "csv" else None  # the column that plain text gets instead of notes
    seen = {place: cell for place, cell in cells(standard, copy).items() if place[1] != reasons}
    assert seen == cells(standard, path)
    with validate(standard, copy) as again:
        assert list(again.problems()) == problems
