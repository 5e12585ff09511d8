"""Complaints about what programs make of files: encodings, marks, line ends, numbers."""

from __future__ import annotations

import pytest
from openpyxl import Workbook

from complaints.people import PASSWORD, person, sheet
from support.workplace import Inside

HEADINGS = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups"
ANA = f"ana@example.com,ana,Ana,Núñez,{PASSWORD},44,7712345678,Region"
TEXT = f"{HEADINGS}\nguidance\n{ANA}\n"


def runs(office: Inside, data: bytes) -> None:
    (office.folder / "staff.csv").write_bytes(data)
    done = office.json("run", "staff.csv")
    assert done.status == 0, done.out
    assert office.users()["ana"]["surname"] == "Núñez"


@pytest.mark.parametrize("marks", [1, 2])
def test_gam_710_a_bom_or_two_spoil_no_heading(office: Inside, marks: int) -> None:
    runs(office, b"\xef\xbb\xbf" * marks + TEXT.encode())


def test_cli_720_a_quoted_heading_after_a_bom(office: Inside) -> None:
    runs(office, TEXT.replace("Email", '"Email"', 1).encode("utf-8-sig"))


@pytest.mark.parametrize("ends", ["\r", "\r\n", "mixed"])
def test_budibase_7398_whatever_ends_the_lines(office: Inside, ends: str) -> None:
    text = TEXT.replace("\n", "\r\n", 1) if ends == "mixed" else TEXT.replace("\n", ends)
    runs(office, text.encode())


def test_syspass_754_a_windows_code_page_is_read_and_said(office: Inside) -> None:
    (office.folder / "staff.csv").write_bytes(TEXT.encode("cp1252"))
    done = office.json("run", "staff.csv")
    assert office.users()["ana"]["surname"] == "Núñez"
    assert "source.encoding_guessed" in [code for code, _ in done.codes]


def test_s2member_1148_the_mark_that_makes_a_text_of_a_number(office: Inside) -> None:
    sheet(office, person('="00123"'))
    office.run("run", "staff.csv")
    assert list(office.users()) == ["00123"]


def test_powershell_10615_more_cells_than_headings(office: Inside) -> None:
    text = f"{TEXT},bo,Bo,Berg, Junior,{PASSWORD},,,x\n,cy,Cy,Cole,{PASSWORD},,,\n"
    (office.folder / "staff.csv").write_text(text, encoding="utf-8")
    checked = office.json("validate", "staff.csv")
    assert checked.codes == [("row.too_many_cells", None)]
    assert [problem["row"] for problem in checked.document["problems"]] == [4]
    assert PASSWORD not in checked.out
    assert office.run("run", "staff.csv", "--set", 'on_error="skip"').status == 1
    assert {name: user["surname"] for name, user in office.users().items()} == {"ana": "Núñez", "cy": "Cole"}


def test_powershell_18125_every_line_in_one_pair_of_quotation_marks(office: Inside) -> None:
    (office.folder / "staff.csv").write_text("".join(f'"{line}"\n' for line in TEXT.splitlines()), encoding="utf-8")
    done = office.json("run", "staff.csv")
    assert done.status != 0  # one column is no success
    assert not office.directory.exists()
    assert done.codes == [("column.missing", None)]


def test_laravel_excel_300_leading_zeros_survive(office: Inside) -> None:
    office.pipeline('invites.send_to = "none"\n[[sheet.fields]]\nname = "staff"\nheading = "Staff No"')
    workbook = Workbook()
    page = workbook.active
    assert page is not None
    page.append([*HEADINGS.split(","), "Staff No"])
    page.append([])
    page.append([*person("ana"), "00417"])
    workbook.save(office.folder / "staff.xlsx")
    assert office.run("run", "staff.xlsx").status == 0
    assert office.users()["ana"]["attributes"] == {"staff": "00417"}


@pytest.mark.parametrize("text", ["4.41E+11", "1E+15"])
def test_camptix_40_a_number_that_has_lost_its_digits_is_no_phone(office: Inside, text: str) -> None:
    sheet(office, person("ana", code="44", phone=text))
    checked = office.json("validate", "staff.csv")
    assert checked.status == 1
    assert {cell for _, cell in checked.codes} == {"G3"}


def test_bitwarden_server_621_twelve_digits_typed_as_a_number_are_a_username(office: Inside) -> None:
    workbook = Workbook()
    page = workbook.active
    assert page is not None
    page.append(HEADINGS.split(","))
    page.append([])
    page.append([None, 441234567890, "Ana", None, PASSWORD])
    workbook.save(office.folder / "staff.xlsx")
    assert office.run("run", "staff.xlsx").status == 0
    assert list(office.users()) == ["441234567890"]


def test_csv_import_232_how_columns_were_mapped_is_remembered(office: Inside) -> None:
    theirs = TEXT.replace("Username", "Login").replace("Forename", "First name")
    (office.folder / "staff.csv").write_text(theirs, encoding="utf-8")
    assert office.json("validate", "staff.csv").status == 1
    assert office.run("pipeline", "map", "staff.csv").status == 0
    for _ in range(2):
        assert office.json("validate", "staff.csv").codes == []
