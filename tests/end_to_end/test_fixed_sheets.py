"""The sheet comes back: `validate --fix`, `--annotate`."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from support.office import libreoffice, needs_libreoffice, saved_again
from support.workplace import Inside

SECRET = "Harbour-Lamp-77"
HEADINGS = ["Email", "Username", "Forename", "Surname", "Password", "Calling Code", "Phone", "Groups"]
GUIDANCE = ["Where the invite goes", None, None, None, "At least 8 characters", None, None, None]
ROWS = [
    ["ana@acme,com", "ana", "Ana", "Silva", SECRET, "+44", "07712345678", "Sales;"],
    ["bo@acme.com", "bo", "Bo", "Berg", SECRET, "1809", "5551234", "Sales"],
    ["cy@gmial.com", "cy", "C\u200by", "Carr", SECRET, "44", "7712 345 670", "Sales"],
    ["di@acme.com", "di", None, "Dahl", SECRET, "44", "7712345679", "Sales|North"],
    ["ed@acme.com", "ed", "Ed", "Egan", SECRET, "", "+44 7712 345671", "Sales"],
]
CORRECTED = {
    "A3": "ana@acme.com",
    "F3": "44",
    "G3": "7712345678",
    "H3": "Sales",
    "F4": "1",
    "G4": "8095551234",
    "C5": "Cy",
    "G5": "7712345670",
    "F7": "44",
    "G7": "7712345671",
}
FORMATS = [
    pytest.param("xlsx", marks=needs_libreoffice),
    pytest.param("ods", marks=[needs_libreoffice, pytest.mark.slow]),
    pytest.param("csv", marks=[needs_libreoffice, pytest.mark.slow]),
]


def load(path: Path) -> Any:
    """A workbook that was written."""
    return openpyxl.load_workbook(path)


def told(path: Path) -> bytes:
    """All that a file says, unpacked."""
    if path.suffix == ".csv":
        return path.read_bytes()
    package = zipfile.ZipFile(path)
    return b"".join(map(package.read, package.namelist()))


def sheet(folder: Path, form: str = "xlsx") -> Path:
    book: Any = openpyxl.Workbook()
    book.active.title = "Users"
    for row in (HEADINGS, GUIDANCE, *ROWS):
        book.active.append(row)
    path = folder / "staff.xlsx"
    book.save(path)
    if form == "xlsx":
        return path
    converted = libreoffice(path, form if form == "ods" else "csv:59,34,76", folder / "lo")
    path.unlink()
    return converted.rename(folder / f"staff.{form}")


def users(place: Inside, path: Path, *words: str) -> list[Any]:
    changes = place.json("plan", path, "--set", "on_error=skip", *words).document["changes"]
    return [(one["username"], one["fields"], one["groups"]) for one in changes]


@pytest.fixture
def place(scratch: Inside) -> Inside:
    """There is no pipeline file, so it is the standard one."""
    return scratch


@pytest.mark.parametrize("form", FORMATS)
def test_a_fixed_sheet_has_the_right_values_and_all_else(form: str, place: Inside) -> None:
    path = sheet(place.folder, form)
    was = path.read_bytes()
    shown = place.json("validate", path, "--fix", "--diff").document["fixed"]
    assert {one["cell"]: one["text"] for one in shown["changes"]} == CORRECTED
    assert (shown["path"], shown["cells"]) == (None, len(CORRECTED))
    assert sorted(one.name for one in place.folder.iterdir() if one.is_file()) == [path.name]
    done = place.json("validate", path, "--fix")
    fixed = done.document["fixed"]
    copy = place.folder / f"staff.fixed.{form}"
    assert (done.status, fixed["path"], path.read_bytes()) == (1, str(copy), was)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600  # its passwords are in it
    assert [p["code"] for p in done.document["problems"]] == ["email.misspelt_domain", "forename.required"]
    assert done.document["source"]["path"] == str(copy)
    assert fixed["by_code"]["calling_code.invalid"] == 2
    assert fixed["problems"] == sum(fixed["by_code"].values()) == fixed["of"] - 2
    again = place.json("validate", copy, "--fix", "-o", place.folder / f"none.{form}").document["fixed"]
    assert (again["cells"], again["path"]) == (0, None)  # nothing left to fix, no copy
    assert users(place, saved_again(copy)) == users(place, copy)
    assert [user[0] for user in users(place, copy)] == ["ana", "bo", "cy", "ed"]


@pytest.mark.parametrize("option", [("--annotate",), ("--fix", "-o")])
def test_the_sheet_itself_is_never_written_over(option: tuple[str, ...], place: Inside) -> None:
    path = sheet(place.folder, "csv")
    was = path.read_bytes()
    (place.folder / "other.csv").symlink_to(path)
    for name in (path.name, "other.csv"):
        refused = place.json("validate", path, *option, name, "--force")
        assert (refused.status, refused.document["error"]["code"]) == (2, "output.exists")
        assert "this is the sheet itself" in refused.document["error"]["message"]
        assert path.read_bytes() == was


@pytest.mark.parametrize("form", FORMATS)
def test_an_annotated_sheet_reads_like_the_sheet(form: str, place: Inside) -> None:
    path = sheet(place.folder, form)
    for keeps in ((), ("--keep-passwords",)):
        copy = place.folder / f"seen.{form}"
        found = place.json("validate", path, "--annotate", copy, "--force", *keeps)
        assert found.status == 1
        if not keeps:
            assert SECRET.encode() not in told(copy)
            continue
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        for read in (copy, saved_again(copy)):
            again = place.json("validate", read).document
            problems = [(one["code"], one["cell"], one["suggestion"]) for one in again["problems"]]
            assert problems == [(p["code"], p["cell"], p["suggestion"]) for p in found.document["problems"]]
            assert users(place, read) == users(place, path)
        # The person takes the suggestions, as if by hand, and fills in what is missing.
        done = place.json("validate", copy, "--fix", "-o", place.folder / f"done.{form}")
        assert [p["code"] for p in done.document["problems"]] == ["email.misspelt_domain", "forename.required"]


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_an_annotated_workbook_shows_what_is_wrong(command: str, place: Inside) -> None:
    path = sheet(place.folder)
    place.run(command, path, "--annotate", "seen.xlsx", "--keep-passwords")
    book = load(place.folder / "seen.xlsx")
    users, front = book["Users"], book["Problems"]
    assert book.sheetnames == ["Problems", "Users"]
    assert (users["C6"].fill.fgColor.rgb, users["A5"].fill.fgColor.rgb) == ("FFFFB3AD", "FFFFE699")
    assert users["C6"].comment.text == "musterroll: Error: Forename is missing; fill it in"
    assert "Suggestion: cy@gmail.com" in users["A5"].comment.text
    lines = list(front.iter_rows(min_row=4, values_only=True))
    forename = next(line for line in lines if "Forename is missing" in (line[5] or ""))
    assert forename[:3] == ("Error", 1, "C6")
    linked = next(cell for row in front.iter_rows(min_row=4) for cell in row if cell.value == "C6")
    assert linked.hyperlink.location == "'Users'!C6"
    values = {one.coordinate: one.value for row in users.iter_rows() for one in row}
    before = {one.coordinate: one.value for row in load(path)["Users"].iter_rows() for one in row}
    assert values == before


def test_guesses_are_taken_when_asked_for(place: Inside) -> None:
    path = sheet(place.folder)
    done = place.json("validate", path, "--fix=all", "-o", "all.xlsx").document
    assert [p["code"] for p in done["problems"]] == ["forename.required"]
    assert done["fixed"]["by_code"]["email.misspelt_domain"] == 1


def test_no_file_is_written_over_and_options_must_go_together(place: Inside) -> None:
    path = sheet(place.folder)
    (place.folder / "there.xlsx").write_text("mine")
    for words in (("--fix", "-o", "there.xlsx"), ("--annotate", "there.xlsx")):
        refused = place.run("validate", path, *words)
        assert (refused.status, "there is a file there.xlsx already" in refused.err) == (2, True)
        assert (place.folder / "there.xlsx").read_text() == "mine"
    assert "own format" in place.run("validate", path, "--fix", "-o", "other.ods").err
    assert "go with --fix" in place.run("validate", path, "-o", "other.xlsx").err
    assert "goes with --annotate" in place.run("validate", path, "--keep-passwords").err
    assert place.run("validate", "--fix=none", path).status == 2
    assert place.run("validate", "--fix", path, "--diff").status == 1  # the sheet is no value of --fix


def test_nothing_becomes_a_formula_and_no_password_is_lost(place: Inside) -> None:
    book: Any = openpyxl.Workbook()
    book.active.append(HEADINGS)
    book.active.append(GUIDANCE)
    book.active.append(["x@acme.com", "x", "=+1", "Xu", "=cmd|secret1!A", "+44", "7712345678", "Sales"])
    for cell in ("C3", "E3", "F3"):
        book.active[cell].data_type = "s"
    book.save(place.folder / "staff.xlsx")
    place.run("validate", "staff.xlsx", "--fix")
    place.run("validate", "staff.xlsx", "--annotate", "seen.xlsx", "--keep-passwords")
    for name, code in (("staff.fixed.xlsx", "44"), ("seen.xlsx", "+44")):
        sheet = load(place.folder / name)["Sheet"]
        found = [(sheet[cell].value, sheet[cell].data_type) for cell in ("C3", "E3", "F3")]
        assert found == [("=+1", "s"), ("=cmd|secret1!A", "s"), (code, "s")]


def test_passwords_under_unclear_headings_are_not_given_away(place: Inside) -> None:
    path = sheet(place.folder)
    book = load(path)
    book.active["E1"] = "Pasword"
    book.save(path)
    place.run("validate", path, "--annotate", "near.xlsx")
    assert load(place.folder / "near.xlsx")["Users"]["E3"].value is None
    book.active["E1"] = "Geheim"
    book.save(path)
    refused = place.run("validate", path, "--annotate", "none.xlsx")
    assert (refused.status, "--keep-passwords" in refused.err) == (2, True)
    assert not (place.folder / "none.xlsx").exists()


@pytest.mark.parametrize("form", FORMATS[:2])
def test_rejected_rows_are_marked_filled_in_and_keep_their_passwords_on_request(form: str, place: Inside) -> None:
    path = sheet(place.folder, form)
    words = ("--set", "on_error=skip", "--yes")
    done = place.json("run", path, *words, "--rejected", f"without.{form}", "--set", "backend.options.path=a.db")
    assert done.document["job"]["counts"]["rejected"] == 5
    assert SECRET.encode() not in told(place.folder / f"without.{form}")
    kept = place.folder / f"kept.{form}"
    place.json("run", path, *words, "--rejected", kept, "--keep-passwords", "--set", "backend.options.path=b.db")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for read in (kept, saved_again(kept)):
        left = place.json("validate", read, "--set", 'repairs="safe"').document
        assert [(p["code"], p["cell"]) for p in left["problems"] if not p.get("repaired")] == [
            ("email.misspelt_domain", "A5"),
            ("forename.required", "C6"),
        ]
    book = load(kept if form == "xlsx" else libreoffice(kept, "xlsx", place.folder / "seen"))
    users = book[book.sheetnames[0]]
    assert (users["F3"].value, users["E3"].value) == ("44", SECRET)
    assert 'filled in already; it was "+44"' in users["F3"].comment.text
    assert (users["F3"].fill.fgColor.rgb, users["C6"].fill.fgColor.rgb) == ("FFFFE699", "FFFFB3AD")
    assert [users[cell].value for cell in ("F4", "G4")] == ["1", "8095551234"]  # the suggestion as a whole
    again = place.json("run", kept, *words, "--rejected", f"left.{form}", "--set", "backend.options.path=b.db")
    counts = again.document["job"]["counts"]
    assert (counts["created"], counts["rejected"]) == (4, 1)  # nobody has typed anything


@pytest.mark.parametrize("form", FORMATS)
def test_rejected_rows_that_a_program_has_saved_are_the_rows_and_nothing_else(form: str, place: Inside) -> None:
    path, kept = sheet(place.folder, form), place.folder / f"kept.{form}"
    elsewhere = ("--set", "backend.options.path=a.db", "--set", "on_error=skip")
    place.json("run", path, "--yes", *elsewhere, "--rejected", kept, "--keep-passwords")
    place.json("validate", path, "--fix", "-o", place.folder / f"right.{form}")
    wanted = users(place, place.folder / f"right.{form}")
    assert [user[0] for user in wanted] == ["ana", "bo", "cy", "ed"]
    for read in (kept, saved_again(kept)):
        # What is wrong with a filled-in cell comes out when it is read again. No reason or note is anybody's field.
        assert users(place, read, "--set", 'repairs="safe"') == wanted
        assert place.json("validate", read).document["counts"]["rows"] == len(ROWS)


def test_a_copy_that_cannot_be_written_costs_nobody_the_report(place: Inside) -> None:
    book: Any = load(path := sheet(place.folder))
    book.active["E1"] = "Geheim"
    book.save(path)
    done = place.json("validate", path, "--annotate", "none.xlsx")
    assert (done.status, done.document["error"]["code"]) == (2, "output.unsupported")
    assert done.document["problems"][0]["code"] == "column.missing"
