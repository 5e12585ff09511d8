"""What was not imported is said in every mode, and what is wrong with a sheet can be seen at a glance."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from openpyxl import Workbook

from support.rosters import GUIDANCE, HEADINGS, write_csv
from support.workplace import Ended, Inside

ANA = ["ana@example.com", "ana", "Ana", "Silva", "Meadow-Kite-41", "", "", "Region|North"]
BO = ["bo@example.com", "bo", "Bo", "Larsen", "Meadow-Kite-42", "", "", "Region|North"]
BLANK = [""] * 8


def hr_sheet(folder: Path) -> Path:
    """300 people as an HR department has them: every fault that people make, most of them more than once."""
    rows = [
        [f"user{n}@acme.com", f"user{n}", "Ana", "Silva", f"Willow-Kite-{n}", "44", f"77{n:08d}", "Region|North;Role A"]
        for n in range(300)
    ]
    for n in range(60):
        rows[n][6] = f"0{rows[n][6]}"
    for n in range(60, 85):
        rows[n][5] = "+44"
    for n in range(95, 105):
        rows[n][6] = f"{rows[n][6][:4]} {rows[n][6][4:]}"
    odd = ["x@acme,com", "x.acme.com", "X <x@acme.com>", "mailto:x@acme.com", "a@acme.com; b@acme.com", "x @ acme.com"]
    for n, address in enumerate(odd, 110):
        rows[n][0] = address
    faults = [
        *((2, ""), (6, "+44 7712 345678"), (6, "447712345678"), (6, "n/a"), (5, "0044"), (5, "UK"), (5, "-"), (5, "")),
        *((1, "user119"), (7, "Region|North;"), (7, "Region||North"), (4, "password"), (4, "user132"), (3, "#N/A")),
        *((2, "Maximiliana " * 6), (4, ""), (2, "Jo\nAnn"), (1, "user\u200b200")),
    ]
    for n, (column, text) in enumerate(faults, 120):
        rows[n][column] = text
    rows[170] = ["", *rows[170][:7]]
    rows[250] = BLANK
    return write_csv(folder / "hr.csv", rows)


def test_a_sheet_full_of_faults_is_understood_at_80_by_24(inside: Inside) -> None:
    sheet = hr_sheet(inside.folder)
    for command in ("validate", "run"):
        done = inside.run(command, sheet.name, COLUMNS="80", LINES="24")
        lines = done.out.splitlines()
        assert done.status == 1
        assert len(lines) < 24, done.out
        assert max(map(len, lines)) <= 80
        assert lines[0].startswith("not read: Row 253 is blank and ends the import; 49 filled rows")
        (first,) = (line for line in lines if line.startswith("error  F63:F87"))
        assert "28 ×  calling_code.invalid" in first
        assert "more errors (" in done.out
        assert lines[-1].endswith("49 not." if command == "validate" else "49 not read.")
    assert "Begin with F63:F87" in inside.run("validate", sheet.name, COLUMNS="80", LINES="24").out


def test_verbose_shows_every_problem_at_80_places(inside: Inside) -> None:
    done = inside.run("validate", hr_sheet(inside.folder).name, "--verbose", COLUMNS="80", LINES="24")
    counts = inside.json("validate", "hr.csv").document["counts"]
    # Row 253 is among those that come one by one, but its cell is none.
    heads = [line for line in done.out.splitlines() if line.startswith(("error  ", "warning  ")) and "×" not in line]
    assert len(heads) >= counts["errors"] + counts["warnings"]


def said(done: Ended) -> str:
    return done.out.splitlines()[-1]


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_what_was_not_read_is_in_the_last_line_of_every_mode(inside: Inside, quiet: list[str]) -> None:
    inside.pipeline('invites.send_to = "none"')
    write_csv(inside.folder / "staff.csv", [ANA, BLANK, BO])
    assert said(inside.run("validate", "staff.csv", *quiet)) == "1 of 2 filled rows read, 1 not."
    assert said(inside.run("plan", "staff.csv", *quiet)) == "1 of 2 filled rows read, 1 not."
    done = inside.run("run", "staff.csv", "--yes", *quiet)
    assert done.status == 0
    assert said(done) == "1 of 2 filled rows imported, 1 not read."
    assert "Row 4 is blank and ends the import" in done.out
    assert said(inside.run("jobs", "show", "last", *quiet)) == "1 of 2 filled rows imported, 1 not read."
    for command in (["validate", "staff.csv"], ["plan", "staff.csv"], ["run", "staff.csv"], ["jobs", "show", "last"]):
        assert inside.json(*command, *quiet).document["counts"]["not_read"] == 1


def test_a_user_in_the_place_of_the_guidance_is_not_read_and_that_is_said(inside: Inside) -> None:
    lines = [",".join(cells) for cells in (HEADINGS, ANA, BO)]
    inside.write("staff.csv", "\n".join(lines))
    done = inside.run("run", "staff.csv", "--yes", "--quiet")
    assert said(done) == "1 of 2 filled rows imported, 1 not read."
    assert "not read: Row 2 is the place for guidance" in done.out


def test_rejected_rows_are_not_among_those_that_were_not_read(inside: Inside) -> None:
    write_csv(inside.folder / "staff.csv", [ANA, ["nobody@example", *BO[1:]]])
    done = inside.run("run", "staff.csv", "--yes", "--set", "on_error=skip")
    assert "filled row" not in done.out
    assert inside.json("jobs", "show", "last").document["counts"]["not_read"] == 0


@pytest.mark.parametrize("name", ["no headings", "one column"])
def test_missing_headings_are_one_error_and_nothing_is_planned(inside: Inside, name: str) -> None:
    text = (
        "\n".join(",".join([*ANA[:1], f"user{n}", *ANA[2:]]) for n in range(20))
        if name == "no headings"
        else "Username\n\nana\nbo\n"
    )
    inside.write("staff.csv", text)
    for command in ("validate", "plan", "run"):
        done = inside.json(command, "staff.csv", "--set", "on_error=skip")
        document = done.document
        assert done.status == 1
        assert done.codes == [("column.missing", None)]
        assert (document["counts"]["valid"], document["counts"]["errors"]) == (0, 1)
        assert document["counts"]["invalid"] == document["counts"]["rows"] > 0
        assert document.get("changes", []) == []
        assert len(document["problem_groups"]) == 1
    assert "0 of them bad" not in inside.run("plan", "staff.csv").out


def test_cells_without_a_heading_are_said_also_quietly_and_not_shown(inside: Inside) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in (HEADINGS, GUIDANCE, [*ANA, "Managers"], BO, [*BO[:1], "cy", *BO[2:], None, None, 5]):
        sheet.append(list(cells))
    book.save(inside.folder / "staff.xlsx")
    done = inside.run("validate", "staff.xlsx", "--quiet")
    assert done.status == 0
    assert "I3" in done.out
    assert "2 cells from this one on" in done.out
    assert "Managers" not in done.out
    assert inside.json("validate", "staff.xlsx").codes[0] == ("cell.without_heading", "I3")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_nothing_of_a_shifted_row_is_shown_or_kept_anywhere(inside: Inside, form: str) -> None:
    secret = "Lamp!Copper-41"
    inside.pipeline('on_error = "skip"')
    rows = [ANA, ["", "cy@example.com", "cy", "Cyra", "Kaya", secret, "44", "7712345678"], BO]
    if form == "csv":
        write_csv(inside.folder / "staff.csv", rows)
    else:
        book = Workbook()
        assert book.active is not None
        for cells in (HEADINGS, GUIDANCE, *rows):
            book.active.append([cell or None for cell in cells])
        book.save(inside.folder / "staff.xlsx")
    name = f"staff.{form}"
    outputs = [inside.run(command, name, *more).out for command in ("validate", "plan") for more in ([], ["--verbose"])]
    done = inside.json("run", name)
    assert done.codes == [("row.shifted", None)]
    assert done.document["problems"][0]["row"] == 4
    outputs += [done.out, inside.run("jobs", "show", "last", "--verbose").out]
    outputs += [inside.run("jobs", "show", "last", "--row", "4").out, inside.run("plan", name, "-o", "x.plan").out]
    for text in outputs:
        assert not any(value in text for value in (secret, "Cyra", "Kaya", "7712345678", "cy@example.com")), text
    assert "shifted by one column" in outputs[0]
    for path in inside.folder.rglob("*"):
        if path.is_file() and path.name != name and path.suffix != ".xlsx":
            assert secret.encode() not in path.read_bytes(), path
    assert set(inside.users()) == {"ana", "bo"}
    # What can be corrected is in the file of rejected rows, without what may be the password.
    again = inside.json("validate", done.document["job"]["rejected_file"])
    assert again.document["counts"]["rows"] == 1
    assert again.document["counts"]["errors"] > 0


def test_thousands_of_problems_of_one_cause_are_one_group(inside: Inside) -> None:
    write_csv(inside.folder / "staff.csv", [["", f"u{n}", "", "S", "Meadow-Kite-41", "", "", ""] for n in range(2000)])
    document = inside.json("validate", "staff.csv").document
    (group,) = document["problem_groups"]
    assert (group["code"], group["count"], group["cells"]) == ("forename.required", 2000, "C3:C2002")
    assert list(document)[-2:] == ["status", "error"]


def test_few_problems_of_one_cause_that_differ_are_told_each_by_itself(inside: Inside) -> None:
    rows = [["", f"u{n}", "Ana", "", f"Meadow-Kite-{n}", "", "", ""] for n in range(4)]
    again = [["", name, "Bo", "", "Meadow-Kite-9", "", "", ""] for name in ("u0", "u3")]
    codes = [["", f"v{n}", "", "", "Meadow-Kite-8", code, "7712345678", ""] for n, code in enumerate(("４４", "٩٦٦"))]
    write_csv(inside.folder / "staff.csv", [*rows, *again, *codes])
    said = inside.run("validate", "staff.csv").out
    for text in ("same user as in row 3", "same user as in row 6", "[４４ → 44]", "[٩٦٦ → 966]"):
        assert text in said
    assert "C9:C10" in said  # of two that are alike, one line


def test_the_journal_keeps_what_was_not_read(inside: Inside) -> None:
    write_csv(inside.folder / "staff.csv", [ANA, BLANK, BO, BLANK, BO])
    inside.run("run", "staff.csv", "--yes")
    (journal,) = (inside.folder / ".musterroll").glob("*.journal")
    with sqlite3.connect(journal) as db:
        (counts,) = db.execute("SELECT counts FROM job").fetchone()
    db.close()
    assert '"not_read": 2' in counts
