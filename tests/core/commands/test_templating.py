"""The blank sheet of a pipeline, as the engine writes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.datavalidation import DataValidation

from musterroll import column_letter, engine
from musterroll.errors import MusterrollError, PluginError
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline
from musterroll_plugins.validators.length import Length

CHOICES = """
[[sheet.fields]]
name = "site"
heading = "Site"
choices = ["North", "South, old"]
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def pipeline(text: str = "") -> Pipeline:
    Path("acme.toml").write_text(f'name = "acme"\n{text}', encoding="utf-8")
    return load_pipeline(Path("acme.toml"))


@pytest.mark.parametrize("form", ["xlsx", "ods", "csv"])
@pytest.mark.parametrize(
    "text",
    [
        CHOICES,
        'sheet.omit = ["surname", "phone"]\nsheet.compose = { username = "{email}" }',
        'sheet.heading_row = 4\nsheet.first_row = 5\nsheet.worksheet = "Staff"',
        "sheet.heading_row = 2\nsheet.first_row = 6",
        'readers.csv = { delimiter = ";", encoding = "cp1252" }',
    ],
)
def test_a_blank_sheet_lacks_nothing_but_users(form: str, text: str) -> None:
    acme = pipeline(text)
    assert engine.template(acme, form=form) == (Path(f"acme.{form}"), form)
    with engine.validate(acme, Path(f"acme.{form}")) as report:
        assert [problem.code for problem in report.problems()] == ["sheet.empty"]
        assert report.sheet is not None
        assert report.sheet.reader == form


def test_the_template_says_what_the_pipeline_says() -> None:
    text = 'sheet.omit = ["surname"]\nsheet.worksheet = "Staff"\nsheet.compose = { username = "{email}" }'
    engine.template(pipeline(text + CHOICES))
    worksheet = load_workbook("acme.xlsx")["Staff"]
    headings, guidance = ([cell.value for cell in worksheet[row]] for row in (1, 2))
    assert headings == ["Email", "Forename", "Password", "Calling Code", "Phone", "Groups", "Site"]
    assert guidance[1] == "Needed. At most 50 characters."
    (choice,) = (rule for rule in worksheet.data_validations.dataValidation if rule.type == "list")
    assert "G3" in str(choice.sqref)


def written(text: str = "") -> dict[str, tuple[str | None, str, DataValidation | None]]:
    """The guidance, the note and the check of each column of the pipeline's sheet."""
    engine.template(pipeline(text), replace=True)
    worksheet = load_workbook("acme.xlsx").worksheets[0]
    rules = {str(rule.sqref).partition("3")[0]: rule for rule in worksheet.data_validations.dataValidation}
    headings, guidance = (list(worksheet[row]) for row in (1, 2))
    return {
        str(heading.value): (
            None if below.value is None else str(below.value),
            heading.comment.text if heading.comment else "",
            rules.get(column_letter(index)),
        )
        for index, (heading, below) in enumerate(zip(headings, guidance, strict=True))
    }


def test_the_standard_sheet_says_what_its_rules_ask() -> None:
    columns = written()
    assert {heading: (check.formula1, check.errorStyle) for heading, (_, _, check) in columns.items() if check} == {
        "Email": ('AND(LEN(TRIM(A3))<=255,ISNUMBER(FIND("@",A3)))', "stop"),
        "Username": ("AND(LEN(TRIM(B3))<=100,SUMPRODUCT(--(B$3:B$1048576=B3))<2)", "warning"),
        "Forename": ("AND(LEN(TRIM(C3))<=50)", "stop"),
        "Surname": ("AND(LEN(TRIM(D3))<=50)", "stop"),
        "Password": ("AND(LEN(E3)>=8)", "stop"),
        "Calling Code": (f"AND({digits('F3')})", "stop"),
        "Phone": (f"AND(LEN(TRIM(G3))<=50,{digits('G3')})", "stop"),
    }
    policy = (
        "Needed. At least 8 characters. Without what is in Username. No common password, repetition or row of keys."
    )
    assert columns["Password"][:2] == (policy, policy)
    assert columns["Surname"][:2] == (
        "May be left empty. At most 50 characters.",
        "May be left empty. At most 50 characters.\nExample: Silva",
    )


def digits(cell: str) -> str:
    digit = f'MID(TRIM({cell})&REPT("0",99),ROW($A$1:$A$99),1)'
    return f'SUMPRODUCT(--ISERROR(FIND({digit},"0123456789")))=0'


def test_the_sheet_follows_the_rules_of_the_pipeline() -> None:
    columns = written(
        """
        match = ["staff_number", "username"]
        password.required = "never"
        [sheet.aliases]
        staff_number = ["Employee id", "No."]
        [[sheet.fields]]
        name = "staff_number"
        heading = "Staff number"
        guidance = "As on the badge."
        example = "00417"
        max_length = 5
        [[validators]]
        name = "password"
        options = { min_length = 12, require = ["digit"], not_common = false }
        [[validators]]
        name = "own-domain"
        use = "musterroll:email-domain"
        options = { domains = ["acme.example"] }
        """
    )
    guidance, note, check = columns["Staff number"]
    assert guidance == "As on the badge.", "it has no place for the rules"
    assert note == (
        "As on the badge.\nAt most 5 characters. Never in two rows.\nExample: 00417\n"
        "The heading may also be: Employee id, No."
    )
    assert check is not None
    assert check.prompt == "At most 5 characters. Never in two rows."
    assert columns["Password"][0] == "At least 12 characters. With a digit. Without what is in Username."
    assert (columns["Email"][0] or "").endswith("One address, with an @ in it. An address at acme.example.")


def test_the_whole_number_is_asked_for_where_it_is_one() -> None:
    guidance, note, check = written('sheet.omit = ["calling_code"]')["Phone"]
    assert guidance == (
        "The whole number, with + and the country's telephone code: +44 7712 345678. At most 50 characters."
    )
    assert note.endswith("Example: +447712345678")
    assert check is not None
    assert "0123456789" not in str(check.formula1)


def test_a_rule_that_the_customer_lowers_stops_nobody() -> None:
    columns = written('severity = { "forename.too_long" = "warning", "email.invalid" = "ignore" }')
    (_, _, forename), (email, _, check) = columns["Forename"], columns["Email"]
    assert forename is not None
    assert forename.errorStyle == "warning"
    assert "@ in it" not in (email or "")
    assert check is not None
    assert "@" not in str(check.formula1)


def test_a_rule_that_breaks_over_its_guidance_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Length, "guidance", lambda _rule, _name: "at most 50")
    with pytest.raises(PluginError, match=r"validators\[length\].*guidance\(\) must return a Guidance or None"):
        engine.template(pipeline())
    assert [found.name for found in Path().iterdir()] == ["acme.toml"]


def test_a_file_that_is_there_is_not_written_over() -> None:
    Path("acme.xlsx").write_text("mine")
    with pytest.raises(MusterrollError, match="--force") as refused:
        engine.template(pipeline())
    assert refused.value.code == "output.exists"
    assert Path("acme.xlsx").read_text() == "mine"
    engine.template(pipeline(), replace=True)
    load_workbook("acme.xlsx")


@pytest.mark.parametrize(
    ("path", "form", "code", "said"),
    [
        ("staff.pdf", None, "output.unsupported", "these are: .csv, .ods, .xlsx"),
        ("staff", None, "output.unsupported", "these are: .csv, .ods, .xlsx"),
        (".", None, "output.unsupported", "folder"),
        (None, "xls", "output.unsupported", 'did you mean "xlsx"'),
        ("staff.csv", "ods", "output.unsupported", "leave one of them out"),
        ("nowhere/staff.csv", None, "output.unwritable", "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_written_is_said_and_leaves_nothing(
    path: str | None, form: str | None, code: str, said: str
) -> None:
    acme = pipeline()
    with pytest.raises(MusterrollError, match=said) as refused:
        engine.template(acme, None if path is None else Path(path), form=form)
    assert refused.value.code == code
    assert [found.name for found in Path().iterdir()] == ["acme.toml"]


def test_only_formats_are_written_that_the_pipeline_reads() -> None:
    with pytest.raises(MusterrollError, match=r"these are: \.csv"):
        engine.template(pipeline('reader.use = "csv"'), Path("staff.ods"))


def test_a_writer_that_fails_leaves_nothing_behind() -> None:
    acme = pipeline('readers.csv = { encoding = "ascii" }\n[[sheet.fields]]\nname = "x"\nheading = "Straße"')
    with pytest.raises(MusterrollError, match="ß"):
        engine.template(acme, Path("staff.csv"))
    assert [found.name for found in Path().iterdir()] == ["acme.toml"]
