"""What `make bench` compares does the same work: the sheets are good and bad for everybody alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from musterroll import Severity, engine
from musterroll.pipeline.loader import load_pipeline
from speed.people import FAULTS, FIRST_ROW, Quality, users
from speed.sheets import WRITERS, sheet, write
from support.peers import Verdict, needs_peers, verdict_of

ROWS = 600
BAD = {Quality.CLEAN: 0, Quality.ONE_PERCENT: 6, Quality.ALL_BAD: ROWS}


def verdict_of_musterroll(sheet: Path) -> Verdict:
    (sheet.parent / "acme.toml").write_text('name = "acme"\n', encoding="utf-8")
    with engine.validate(load_pipeline(sheet.parent / "acme.toml"), sheet) as report:
        problems = list(report.problems())
        assert {problem.severity for problem in problems} <= {Severity.ERROR}
        return Verdict(report.counts.rows, sorted({problem.row for problem in problems if problem.row is not None}))


def bad_rows(quality: Quality) -> list[int]:
    return list(range(FIRST_ROW + quality.value - 1, FIRST_ROW + ROWS, quality.value)) if quality.value else []


def made(folder: Path, form: str, quality: Quality) -> Path:
    path = folder / f"sheet.{form}"
    write(path, ROWS, quality)
    return path


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("quality", Quality)
def test_musterroll_finds_the_bad_rows_and_no_others(form: str, quality: Quality, tmp_path: Path) -> None:
    assert len(bad_rows(quality)) == BAD[quality]
    assert verdict_of_musterroll(made(tmp_path, form, quality)) == Verdict(ROWS, bad_rows(quality))


@needs_peers
@pytest.mark.parametrize("quality", Quality)
@pytest.mark.parametrize(
    ("peer", "form"),
    [
        ("frictionless_schema", "csv"),
        ("pandas_pydantic", "csv"),
        pytest.param("frictionless_schema", "xlsx", marks=pytest.mark.slow),
        pytest.param("pandas_pydantic", "xlsx", marks=pytest.mark.slow),
        pytest.param("pandas_pydantic", "ods", marks=pytest.mark.slow),
    ],
)
def test_so_does_what_one_would_take_instead(peer: str, form: str, quality: Quality, tmp_path: Path) -> None:
    assert verdict_of(peer, made(tmp_path, form, quality)) == Verdict(ROWS, bad_rows(quality))


@needs_peers
@pytest.mark.parametrize(("peer", "form"), [("bare_csv", "csv"), ("bare_calamine", "xlsx"), ("bare_calamine", "ods")])
def test_what_only_reads_reads_every_row(peer: str, form: str, tmp_path: Path) -> None:
    assert verdict_of(peer, made(tmp_path, form, Quality.CLEAN)) == Verdict(ROWS, [])


def test_every_kind_of_fault_is_in_a_bad_sheet() -> None:
    clean, bad = list(users(ROWS)), list(users(ROWS, Quality.ALL_BAD))
    changed = {
        fault: {heading for heading in clean[0] if clean[place][heading] != bad[place][heading]}
        for place, fault in enumerate(FAULTS)
    }
    assert all(changed.values()), changed


@pytest.mark.parametrize("form", WRITERS)
def test_a_sheet_is_the_same_every_time(form: str, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    assert made(tmp_path, form, Quality.ONE_PERCENT).read_bytes() == (
        made(tmp_path / "again", form, Quality.ONE_PERCENT).read_bytes()
    )


def test_sheets_are_kept_until_they_would_be_made_differently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sheet("csv", 3, Quality.CLEAN, tmp_path)
    first.write_text("kept", encoding="utf-8")
    assert sheet("csv", 3, Quality.CLEAN, tmp_path).read_text(encoding="utf-8") == "kept"
    monkeypatch.setattr("speed.sheets._version", lambda: "sheets-other")
    assert sheet("csv", 3, Quality.CLEAN, tmp_path).read_text(encoding="utf-8").startswith("Email,")
    assert not first.exists()


def test_a_longer_sheet_begins_as_a_shorter_one() -> None:
    assert list(users(50)) == list(users(100))[:50]


def test_names_are_of_many_countries() -> None:
    people = list(users(2000))
    assert len({cells["Calling Code"] for cells in people}) > 20
    beyond_ascii = sum(not (cells["Forename"] + cells["Surname"]).isascii() for cells in people)
    assert 0.2 < beyond_ascii / len(people) < 0.4
