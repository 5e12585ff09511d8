"""The blank sheet of a pipeline, as the engine writes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from musterroll import engine
from musterroll.errors import MusterrollError
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline

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
