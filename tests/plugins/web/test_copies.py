"""What is taken along from the problems: the corrected copy of a sheet, and the annotated one."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import httpx2 as httpx
import openpyxl
import pytest

from support.rosters import write_xlsx
from support.web_server import SHEET, Visitor, WebServer, upload_path, words_of
from support.workplace import Workplace

ROWS = [
    ["ana@example.com", "ana", "Ana", "Silva", "Sesame-open-7", "+44", "07712345678", "Region|North"],
    ["bo@example.com", "bo", "", "Berg", "Meadow-Kite-41", "", "", "Region|South"],
]
FORENAME_MISSING = "1 error and 0 warnings"


@pytest.fixture
def sheet(tmp_path: Path) -> bytes:
    """A workbook with an error of which something certain is known, and one that somebody has to look at."""
    return write_xlsx(tmp_path / "staff.xlsx", ROWS, numbers=False).read_bytes()


def made(visitor: Visitor, page: httpx.Response, kind: str, **data: str) -> httpx.Response:
    """The page of a copy that was asked for."""
    ready = visitor.wait(visitor.send(f"{upload_path(page)}/copies/{kind}", data))
    assert "/copies/" in ready.url.path, words_of(ready)
    return ready


def file_of(visitor: Visitor, ready: httpx.Response) -> httpx.Response:
    return visitor.client.get(f"{ready.url.path}/file")


def opened(content: bytes, folder: Path) -> Any:
    path = folder / "copy.xlsx"
    path.write_bytes(content)
    return openpyxl.load_workbook(path)


def test_the_corrected_copy_is_uploaded_again_and_goes_in(
    visitor: Visitor, place: Workplace, sheet: bytes, tmp_path: Path
) -> None:
    page = visitor.upload(sheet, "staff.xlsx")
    assert "Make a corrected copy" in words_of(page)
    ready = made(visitor, page, "fixed")
    assert "2 of 3 problems are corrected in it" in words_of(ready)
    assert FORENAME_MISSING in words_of(ready)
    assert f"/new?after={upload_path(page).rpartition('/')[2]}" in ready.text
    copy = file_of(visitor, ready)
    assert copy.headers["content-disposition"] == f'attachment; filename="{visitor.name}-fixed.xlsx"'
    assert copy.headers["cache-control"] == "no-store"
    book = opened(copy.content, tmp_path)
    users = book.active
    assert [users[cell].value for cell in ("F3", "G3", "E3")] == ["44", "7712345678", "Sesame-open-7"]
    users["C4"] = "Bo"
    book.save(tmp_path / "mine.xlsx")
    job = visitor.import_((tmp_path / "mine.xlsx").read_bytes(), "staff.xlsx", invites="none")
    assert "Completed" in words_of(job)
    assert place.users()["ana"]["phone"] == "7712345678"
    # It is what the command line makes of the sheet.
    place.write("staff.xlsx", "").write_bytes(sheet)
    place.run("validate", "staff.xlsx", "--fix", "-o", "fixed.xlsx")
    ours: Any = openpyxl.load_workbook(place.folder / "fixed.xlsx")
    theirs = opened(copy.content, tmp_path)
    assert list(ours.active.values) == list(theirs.active.values)


def test_the_annotated_copy_has_the_passwords_only_if_they_are_asked_for(
    visitor: Visitor, server: WebServer, sheet: bytes, tmp_path: Path
) -> None:
    page = visitor.upload(sheet, "the staff.xlsx")
    for data, passwords in (({}, [None, None]), ({"passwords": "yes"}, ["Sesame-open-7", "Meadow-Kite-41"])):
        ready = made(visitor, page, "annotated", **data)
        assert ("left out" in words_of(ready)) is not bool(data)
        book = opened(file_of(visitor, ready).content, tmp_path)
        assert book.sheetnames[0] == "Problems"
        assert "2 problems in the staff.xlsx" in book["Problems"]["A1"].value
        users = book.worksheets[1]
        assert [users[cell].value for cell in ("E3", "E4")] == passwords
        assert "Forename is missing" in users["C4"].comment.text
    folder = server.state / upload_path(page)[1:]
    assert {path.name for path in folder.glob("annotated*")} == {"annotated.xlsx", "annotated-with-passwords.xlsx"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.slow
def test_copies_go_with_their_upload(visitor: Visitor, server: WebServer, sheet: bytes) -> None:
    page = visitor.upload(sheet, "staff.xlsx")
    ready = made(visitor, page, "fixed")
    work = server.state / "work" / ready.url.path.rpartition("/")[2]
    assert work.is_dir()
    visitor.post(upload_path(page) + "/discard")
    assert not work.exists()
    assert not (server.state / upload_path(page)[1:]).exists()
    assert file_of(visitor, ready).status_code == 404


@pytest.mark.slow
def test_nobody_gets_what_is_not_theirs(visitor: Visitor, server: WebServer, place: Workplace, sheet: bytes) -> None:
    page = visitor.upload(sheet, "staff.xlsx")
    path = upload_path(page)
    assert visitor.post(f"{path}/copies/other").status_code == 404
    assert visitor.client.post(f"{visitor.home}{path}/copies/fixed", data={"csrf": "x"}).status_code == 403
    ready = made(visitor, page, "fixed")
    work = ready.url.path.rpartition("/")[2]
    assert server.client().get(f"{ready.url.path}/file").status_code == 401
    other = upload_path(visitor.upload(SHEET))
    check = re.search(r"[0-9a-f]{20}", visitor.post(path + "/check").url.path)
    assert check is not None
    for wrong in (f"{other}/copies/{work}", f"{path}/copies/{check[0]}", f"{path}/copies/..%2f..%2f{work}"):
        assert visitor.get(f"{wrong}/file").status_code == 404, wrong
    elsewhere = Visitor(visitor.client, "/c/t0" if visitor.name != "t0" else "/c/t1")
    assert elsewhere.get(f"{path}/copies/{work}/file").status_code == 404


@pytest.mark.slow
def test_a_sheet_without_anything_certain_offers_no_corrected_copy(visitor: Visitor) -> None:
    page = visitor.upload(SHEET.replace("ana@example.com", "ana"))
    text = words_of(page)
    assert "Make a corrected copy" not in text
    assert "Nothing in the sheet can be corrected" in words_of(made(visitor, page, "fixed"))
    ready = made(visitor, page, "annotated")
    assert "A column says what is wrong" in words_of(ready)
    copy = file_of(visitor, ready)
    assert copy.headers["content-disposition"].endswith('annotated.csv"')
    assert "Email is not a valid address" in copy.text
    assert "Sesame" not in copy.text


@pytest.mark.slow
def test_passwords_that_nobody_can_tell_are_not_given_away(visitor: Visitor) -> None:
    page = visitor.upload(SHEET.replace("Password", "Geheim"))
    ready = made(visitor, page, "annotated")
    assert "do not say which column holds the passwords" in words_of(ready)
    assert "/" not in words_of(ready).partition("It was not made")[2].partition("Back")[0]  # no path of the server
    assert file_of(visitor, ready).status_code == 404
