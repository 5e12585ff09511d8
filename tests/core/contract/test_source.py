"""What is said of a file that cannot be read because another program has it, or is that program's own."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from musterroll import Source, SourceError
from musterroll.contract import source


class SharingViolationError(PermissionError):
    """What Windows raises where a program holds a file open."""

    winerror = 32


def refusal(path: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        Source(path)
    assert "\n" not in caught.value.message
    return caught.value


def refuse_to_open(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", refuse)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "staff.xlsx"
    path.write_bytes(b"PK" + bytes(10_000))
    return path


DENIED = PermissionError(errno.EACCES, "Permission denied")


def test_a_sheet_that_excel_holds_open_is_named_as_that(sheet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Source(sheet)
    refuse_to_open(monkeypatch, SharingViolationError(errno.EACCES, "Permission denied"))
    error = refusal(sheet)
    assert error.code == "source.in_use"
    assert "Excel" in error.message
    assert "close it there and try again" in error.message
    with pytest.raises(SourceError) as caught:  # it was opened in Excel since
        found.open()
    assert caught.value.code == "source.in_use"


@pytest.mark.parametrize("mark", ["~$staff.xlsx", ".~lock.staff.xlsx#"])
def test_what_a_program_keeps_beside_a_sheet_tells_that_it_has_it(
    sheet: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_open(monkeypatch, DENIED)
    assert refusal(sheet).code == "source.unreadable"
    sheet.with_name(mark).touch()
    assert refusal(sheet).code == "source.in_use"


def test_windows_says_no_more_than_that_it_is_denied(sheet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_ON_WINDOWS", True)
    refuse_to_open(monkeypatch, DENIED)
    assert refusal(sheet).code == "source.in_use"
    refuse_to_open(monkeypatch, OSError(errno.EIO, "Input/output error"))
    assert refusal(sheet).code == "source.unreadable"


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ("staff.xls", "staff.xlsx"),
        ("Staff.XLSX", "staff.xlsx"),
        ("stafff.xlsx", "staff.xlsx"),
        ("template", "template.xlsx"),
        ("staff.ods", "staff.csv"),
        ("acme.xlsx", None),
        ("pupils.xlsx", None),
        ("x/staff.xlsx", None),
    ],
)
def test_of_a_file_that_is_not_there_the_nearest_is_named(tmp_path: Path, wanted: str, near: str | None) -> None:
    for name in ("staff.xlsx", "staff.csv", "acme.toml", "template.xlsx", "pupil"):
        (tmp_path / name).touch()
    message = refusal(tmp_path / wanted).message
    assert message == f"{tmp_path / wanted} does not exist" + (f'; did you mean "{near}"?' if near else "")


@pytest.mark.parametrize(
    ("name", "keeper", "meant"),
    [
        ("~$staff.xlsx", "Excel", "staff.xlsx"),
        (".~lock.staff.ods#", "LibreOffice", "staff.ods"),
        (".~staff.xlsx", "WPS Office", "staff.xlsx"),
        ("._staff.xlsx", "macOS", "staff.xlsx"),
    ],
)
def test_a_file_that_a_program_keeps_beside_a_sheet_is_no_sheet(
    tmp_path: Path, name: str, keeper: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    assert refusal(path).code == "source.not_found"
    path.write_bytes(b"\x05Ana  ".ljust(165))
    error = refusal(path)
    assert error.code == "source.lock_file"
    assert keeper in error.message
    assert f"name {meant} instead" in error.message
    refuse_to_open(monkeypatch, SharingViolationError(errno.EACCES, "Permission denied"))
    assert refusal(path).code == "source.lock_file"


def test_a_sheet_of_such_a_name_is_one(tmp_path: Path) -> None:
    path = tmp_path / "~$staff.csv"
    path.write_bytes(b"Email,Username\n" * 1000)
    assert Source(path).size == 15_000
