"""Text files that do not tell what they are: encodings, marks for text, formulas, cells in wrong columns, NULs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from openpyxl import load_workbook

from support.workplace import Inside, Workplace

HEADINGS = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups"
TOP = f"{HEADINGS}\naddress,login name,first name,last name,secret word,country,local number,groups\n"
ANA = "a@example.com,ana,Ana,Sample,Qx7-river-1,44,7712345678,Staff\n"
BO = "b@example.com,bo,Björn,Sample,Qx7-river-2,44,7712345679,Staff\n"
SECRET = "Qx7-river"


@pytest.fixture
def place(inside: Inside) -> Workplace:
    """All commands of these tests run in this very process, which is much quicker."""
    return inside


def sheet(place: Workplace, text: str, encoding: str = "utf-8") -> Path:
    path = place.folder / "staff.csv"
    path.write_bytes((TOP + text).encode(encoding))
    return path


def users(place: Workplace) -> list[tuple[str, str, str]]:
    return sorted((name, user["forename"], user["surname"]) for name, user in place.users().items())


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_a_guess_is_told_with_the_first_value_that_depends_on_it(place: Workplace, command: str) -> None:
    found = place.json(command, sheet(place, ANA + BO, "cp1252"))
    assert found.status == 0
    (problem,) = found.document["problems"]
    assert (problem["code"], problem["severity"]) == ("source.encoding_guessed", "warning")
    assert (problem["cell"], problem["field"], problem["value"]) == ("C4", "forename", "Björn")
    assert "readers.csv.encoding" in problem["message"]
    assert found.document["source"]["encoding"] == "cp1252"
    assert found.document["counts"]["warnings"] == 1


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_a_guess_is_told_in_quiet_mode(place: Workplace, command: str) -> None:
    found = place.run(command, sheet(place, ANA + BO, "cp1252"), "--quiet")
    assert (found.status, "source.encoding_guessed" in found.out, "Björn" in found.out) == (0, True, True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_the_file_tells_is_no_guess(place: Workplace, encoding: str) -> None:
    found = place.json("validate", sheet(place, ANA + BO, encoding))
    assert (found.codes, found.document["source"]["encoding"][:5]) == ([], encoding[:5])


def test_what_the_pipeline_tells_is_no_guess(place: Workplace) -> None:
    file = sheet(place, ANA + BO, "mac_roman")
    found = place.json("run", file, "--set", "readers.csv.encoding=mac_roman")
    assert (found.codes, users(place)[1][1]) == ([], "Björn")


def test_a_password_that_depends_on_the_guess_is_not_shown(place: Workplace) -> None:
    found = place.json("validate", sheet(place, ANA.replace("river", "rivièra"), "cp1252"))
    (problem,) = found.document["problems"]
    assert (problem["code"], problem["cell"], problem["value"]) == ("source.encoding_guessed", "E3", None)
    assert "rivi" not in found.out
    found = place.json("validate", sheet(place, ANA.replace("river", "rivièra") + BO, "cp1252"))
    assert found.codes == [("source.encoding_guessed", "C4")]


def test_a_guess_that_matters_to_no_user_names_its_cell(place: Workplace) -> None:
    file = sheet(place, ANA, "cp1252")
    file.write_bytes(file.read_bytes().replace(b"first name", b"pr\xe9nom"))
    found = place.json("validate", file)
    assert [(one["code"], one["cell"], one["value"]) for one in found.document["problems"]] == [
        ("source.encoding_guessed", "C2", None)
    ]


def test_lines_in_two_encodings(place: Workplace) -> None:
    file = sheet(place, ANA.replace("Ana", "Amélia"))
    file.write_bytes(file.read_bytes() + BO.encode("cp1252"))
    found = place.json("run", file)
    assert (found.status, found.codes) == (1, [("source.mixed_encoding", None)])
    assert "Line 4" in found.document["problems"][0]["message"]
    assert not place.directory.exists() or not place.users()


def test_marks_for_text_and_formulas(place: Workplace) -> None:
    rows = (
        'a@example.com,="00123",Ana,Sample,Qx7-river-1,44,"=""7712345678""",Staff\n'
        'b@example.com,\'00124,Bo,\'Sample,\'1=Qx7-river-2,44,\'7712345679,"=""Kit""""chen"""\n'
        'c@example.com,"=""cy""",=),=,=1+Qx7-river,,,\n'
    )
    found = place.json("run", sheet(place, rows))
    assert (found.status, found.codes) == (0, [])
    assert users(place) == [("00123", "Ana", "Sample"), ("00124", "Bo", "'Sample"), ("cy", "=)", "=")]
    assert found.document["groups_to_create"] == [["Staff"], ['Kit"chen']]


@pytest.mark.parametrize(
    "formula", ["=1+1", '=A1&"x"', "=Staff", "=SUM(A1)", "= -B2", "=+1", '=CHAR(65)&"x"', "=@x", '="a"&"b"']
)
def test_formulas(place: Workplace, formula: str) -> None:
    cell = '"' + formula.replace('"', '""') + '"'
    found = place.json("validate", sheet(place, ANA.replace("Sample", cell)))
    assert (found.status, found.codes) == (1, [("cell.formula", "D3")])


def test_headings_may_be_marked_as_text(place: Workplace) -> None:
    file = sheet(place, ANA)
    marked = ",".join(f'="{heading}"' for heading in HEADINGS.split(","))
    file.write_text(file.read_text().replace(HEADINGS, marked).replace("7712345678", "77"))
    found = place.json("run", file, "--set", "on_error=skip", "--yes")
    assert found.codes == [("phone.invalid", "G3")]
    assert SECRET not in Path(found.document["job"]["rejected_file"]).read_text()


@pytest.mark.parametrize(
    "row",
    [
        ANA.replace("Staff", "Staff,Managers"),
        ANA.replace("Ana", "Ana, Maria"),
        ANA.replace("a@example", "a,@example"),
        ",," + ANA,
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_nothing_is_shown_of_a_row_with_more_cells_than_headings(place: Workplace, row: str, delimiter: str) -> None:
    file = sheet(place, row + BO)
    file.write_text(file.read_text(encoding="utf-8").replace(",", delimiter), encoding="utf-8")
    skip = ("--set", "on_error=skip")
    for command in ("validate", "plan"):
        for form in ("text", "json"):
            said = place.run(command, file, "--format", form, *skip)
            assert said.status == 1
            assert "row.too_many_cells" in said.out
            assert SECRET + "-1" not in said.out + said.err
            assert "Managers" not in said.out + said.err
    found = place.json("run", file, *skip)
    assert SECRET + "-1" not in found.out + found.err
    assert [(one["code"], one["row"], one["value"]) for one in found.document["problems"]] == [
        ("row.too_many_cells", 3, None)
    ]
    assert [user for user, _, _ in users(place)] == ["bo"]
    rejected = found.document["job"]["rejected_file"]
    assert SECRET not in Path(rejected).read_text(encoding="utf-8-sig")
    shown = place.run("jobs", "show", "last", "--row", "3")
    assert SECRET not in shown.out + shown.err


def test_blank_cells_behind_the_headings_are_none(place: Workplace) -> None:
    assert place.json("validate", sheet(place, ANA.replace("Staff", "Staff,,  ,") + BO)).codes == []


def test_a_rejected_row_keeps_its_marks_in_a_text_file_and_its_meaning_in_a_workbook(place: Workplace) -> None:
    rows = 'a@example.com,="00123",=1+1,Sample,Qx7-river-1,44,77,Staff\n'
    found = place.json("run", sheet(place, rows), "--set", "on_error=skip")
    with Path(found.document["job"]["rejected_file"]).open(newline="", encoding="utf-8-sig") as file:
        assert list(csv.reader(file))[2][:4] == ["a@example.com", '="00123"', "=1+1", "Sample"]
    place.json("run", sheet(place, rows), "--set", "on_error=skip", "--rejected", "rejected.xlsx")
    (worksheet,) = load_workbook(place.folder / "rejected.xlsx").worksheets
    assert worksheet["B3"].value == "00123"
    again = place.json("validate", "rejected.xlsx")
    assert ("cell.error", "C3") in again.codes


@pytest.mark.parametrize(("spoilt", "cell"), [("An\0a", "C3"), ("Qx7-\0river-1", "E3")])
def test_a_nul_names_its_place(place: Workplace, spoilt: str, cell: str) -> None:
    found = place.json("validate", sheet(place, ANA.replace(spoilt.replace("\0", ""), spoilt)))
    assert (found.status, [place for _, place in found.codes]) == (1, [cell])


def test_lines_that_are_quoted_as_a_whole(place: Workplace) -> None:
    file = sheet(place, ANA + ANA.replace("ana", "di").replace("Sample", '""Sample""'))
    lines = file.read_text().splitlines()
    file.write_text("".join(f'"{line}"\n' for line in lines))
    found = place.json("validate", file)
    assert (found.status, found.codes) == (1, [("source.quoted_lines", None)])
    assert SECRET not in found.out


@pytest.mark.parametrize("ends", ["\r", "\r\n", "\n", "\r\n\n\r"])
def test_line_ends(place: Workplace, ends: str) -> None:
    file = sheet(place, ANA + BO.replace("ö", "o"))
    lines = file.read_text().splitlines()
    mixed = "".join(line + (ends if len(ends) < 3 else ("\r\n", "\n", "\r", "\n")[n]) for n, line in enumerate(lines))
    file.write_bytes(mixed.encode())
    found = place.json("validate", file)
    assert (found.status, found.codes, found.document["counts"]["rows"]) == (0, [], 2)
