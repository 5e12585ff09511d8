"""The quick way, by batches and proofs, and the plain way, row by row, say the same of every sheet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import (
    BoolCell,
    Cell,
    DateCell,
    ErrorCell,
    FormulaCell,
    NumberCell,
    Problem,
    SheetInfo,
    SourceError,
    TextCell,
)
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline
from musterroll.sheet import blocks
from musterroll.sheet.checks import CheckedBatch, Checks
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.reader import RowReader
from musterroll.sheet.shifts import ShiftFinder
from support.sheets import HEADINGS, MemorySheet

REPOSITORY = Path(__file__).parents[3]
SHEETS = sorted(
    path
    for folder in ("tests/fixtures/sheets", "examples")
    for path in (REPOSITORY / folder).rglob("*")
    if path.suffix in (".csv", ".xlsx", ".ods")
)
EXAMPLES = sorted((REPOSITORY / "examples").glob("*/musterroll.toml"))
STANDARD = 'name = "acme"\n'
EVERYTHING = """
name = "acme"
match = ["staff", "username"]
[sheet]
on_blank_row = "skip"
omit = ["calling_code"]
[sheet.aliases]
surname = ["Last Name"]
[[sheet.fields]]
name = "staff"
heading = "Staff Number"
[[sheet.fields]]
name = "shift"
heading = "Shift"
choices = ["Early", "Late"]
[sheet.compose]
username = "{forename}.{surname}"
[sheet.defaults]
calling_code = "44"
groups = "Staff|All"
shift = "Late"
[[validators]]
name = "password"
options = { min_length = 6, max_length = 20, require = ["digit"], min_classes = 2, not_containing = ["email"] }
[[validators]]
name = "phone"
options = { strict = true }
[[validators]]
name = "staff"
use = "pattern"
options = { field = "staff", pattern = 'A\\d{3}' }
[[validators]]
name = "other"
use = "compare"
options = { field = "forename", other = "surname", rule = "different" }
[[validators]]
name = "same"
use = "compare"
options = { field = "password", other = "surname", rule = "equal" }
[[validators]]
name = "domain"
use = "email-domain"
options = { domains = ["acme.example", "müller.example"], forbidden = ["bad.acme.example"], subdomains = true }
[[groups]]
name = "by-shift"
use = "mapping"
options = { field = "shift", groups = { "Early" = "Shift|Early" }, unknown = "warning", blank = "Nobody" }
"""
DEFAULTS = """
name = "acme"
[sheet]
on_blank_row = "error"
omit = ["groups", "email"]
[sheet.defaults]
calling_code = "49"
password = "Sesame-7c1f-x"
email = "all@acme.example"
groups = "Everybody"
[sheet.compose]
surname = "{email} {forename}"
"""
TYPED = """
name = "acme"
[sheet]
omit = ["email", "groups", "calling_code", "phone"]
[sheet.defaults]
beds = "+7"
[sheet.compose]
surname = "{starts} {permanent}"
[[sheet.fields]]
name = "starts"
heading = "Starts"
type = "date"
formats = ["DD.MM.YYYY", "MM/DD/YYYY", "DD/MM/YYYY"]
to = "DD/MM/YYYY"
[[sheet.fields]]
name = "beds"
heading = "Beds"
type = "integer"
required_when = { permanent = "true" }
[[sheet.fields]]
name = "permanent"
heading = "Permanent"
type = "boolean"
true = ["aye"]
[[sheet.fields]]
name = "pager"
heading = "Pager"
type = "phone"
[[sheet.fields]]
name = "private"
heading = "Private"
type = "email"
[[sheet.fields]]
name = "leaves"
heading = "Leaves"
role = "valid_until"
formats = ["DD.MM.YYYY"]
[[sheet.fields]]
name = "works"
heading = "Works"
role = "active"
aliases = { no = ["gone"] }
"""
COMPOSED = """
name = "acme"
[sheet]
omit = ["email", "groups", "calling_code", "phone"]
[sheet.compose]
second = "{starts}"
[[sheet.fields]]
name = "starts"
heading = "Starts"
[[sheet.fields]]
name = "second"
heading = "Second"
type = "date"
"""
PIPELINES = {
    "standard": STANDARD,
    "everything": EVERYTHING,
    "defaults": DEFAULTS,
    "typed": TYPED,
    "composed": COMPOSED,
}


@cache
def pipeline(text: str) -> Pipeline:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "musterroll.toml"
        file.write_text(text, encoding="utf-8")
        return load_pipeline(file)


@dataclass
class Story:
    """All that the sheet stage says of a sheet."""

    rows: list[tuple[Any, ...]]
    heard: list[tuple[str, Problem]]
    log: list[Problem]
    bad: list[int]
    others: tuple[object, ...]


class Teller:
    """Takes down what the sheet stage says."""

    def __init__(self) -> None:
        self.log = ProblemLog()
        self.heard: list[tuple[str, Problem]] = []
        self.rows: list[tuple[Any, ...]] = []

    def hear(self, label: str, problem: Problem) -> None:
        self.heard.append((label, problem))

    def take(self, batches: Iterable[CheckedBatch]) -> None:
        for batch in batches:
            columns = batch.rows.columns
            for name, texts in batch.rows.texts.plain.items():  # however a column was made, or made otherwise since
                assert columns.joined(name) == "".join(f"\n{text}" for text in texts)
            for one in batch:
                names = one.row.values
                assert {name: one.texts[name] for name in names} == {name: one.row[name] for name in names}
                self.rows.append((one.number, one.row, one.groups, one.given, one.valid))

    def story(self, *others: object) -> Story:
        with closing(self.log):
            return Story(self.rows, self.heard, list(self.log), list(self.log.bad_rows(with_others=True)), others)


def story_of_cells(chosen: Pipeline, sheet: MemorySheet) -> Story:
    teller = Teller()
    reader = RowReader(chosen.settings.sheet, chosen.fields, teller.log.add_file)
    checks = Checks(
        chosen.build_validators(),
        chosen.build_resolvers(),
        teller.log,
        teller.hear,
        shifts=ShiftFinder(chosen.fields),
        max_levels=2,
    )
    teller.take(checks.run(reader.batches(sheet, "memory")))
    return teller.story(reader.not_read)


def story_of_file(chosen: Pipeline, path: Path) -> Story:
    teller = Teller()
    try:
        opened = OpenSheet(chosen, path)
        with opened.checked(teller.log, teller.hear) as batches:
            teller.take(batches)
    except SourceError as error:
        return teller.story(str(error))
    return teller.story(opened.counts)


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_files(path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = pipeline(PIPELINES[name])
    quick = story_of_file(chosen, path)
    monkeypatch.setenv("MUSTERROLL_PLAIN", "1")
    assert quick == story_of_file(chosen, path)


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_with_their_own_pipelines(
    path: Path, lakeside_is_installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = load_pipeline(path)
    for sheet in SHEETS:
        monkeypatch.delenv("MUSTERROLL_PLAIN", raising=False)
        quick = story_of_file(chosen, sheet)
        monkeypatch.setenv("MUSTERROLL_PLAIN", "1")
        assert quick == story_of_file(chosen, sheet)


ODD: tuple[Cell, ...] = (
    None, "", " ", "\u200b", "\u00a0x\u200b", "e\u0301", "Zoë", "Núñez", "MÃ¼ller", "Ã", "naÃ ", "Анна", "a\nb",
    "a\x00",
    "a\tb",
    "\ud800", "=1+1", '="0012"', "'0012", "'tis", "#N/A", "####", "err:502", "1E+05", "1,2E5", "x=y", "\ufeffx",
    "x" * 300,
    NumberCell(7712345678), NumberCell(0.5), NumberCell(7, "0000", "0007"), NumberCell(1e20), BoolCell(value=True),
    ErrorCell("#REF!"), FormulaCell("=A1"), TextCell("7", '"E"@', "E7"), "\u2800", "ａｎａ",
)  # fmt: skip
USUAL: dict[str, tuple[Cell, ...]] = {
    "Email": (
        "ana@acme.example", "ANA@ACME.EXAMPLE", "bo@gmial.com", "bo@north.acme.example", "x@bad.acme.example",
        "ana@acme",
        "Ana <ana@acme.example>", "a@b@c.de", "jörg@müller.example", "a@xn--mller-kva.example", "a..b@acme.example",
        "cy@acme.example\nbo@acme.example", "a@" + "b" * 300 + ".de", "ana@localhost", "x@acme.test",
    ),
    "Username": (
        "ana", "Ana", "ANA ", "\u0430na", "bo", "strasse", "straße", "ν", "Ν", "v", "ana@acme.example", "n" * 101, "ab",
        "cy", "deb", "eve",
    ),
    "Forename": ("Ana", "Bo", "O'Brien", "Zoë", "x" * 51, "ana@acme.example"),
    "Surname": ("Silva", "Müller", "Ana", "ana", "Sesame-7c1f"),
    "Password": (
        "Sesame-7c1f", "password", "P@ssw0rd", "12345678", "abcabcabc", "qwertyui", "Welcome2024!", "xana-7c1f-Q",
        "short",
        "Zoë-7c1f-Ä", "a\nbcdefg1", "        ", "лл123456", "абвгдежз", "x" * 30, "AAbbCC-99", "monkey1",
    ),
    "Calling Code": ("44", "49", "+44", "1", "7", "999", "044", "0", NumberCell(44)),
    "Phone": (
        "7712345678", "07712345678", "447712345678", "+447712345678", "15123456789", "2015550123", "12", "7011234567",
        "770 1234 5678", "0", NumberCell(7712345678), "٧٧١٢٣٤٥٦٧٨", "1" * 60,
    ),
    "Groups": ("Sales", "Sales;Sales", "Region|North;Role A", "a|b|c", ";", "a;;b", "a\\x", "a|", "Staff|All"),
    "Last Name": ("Silva", "Müller", "Ana"),
    "Staff Number": ("A123", "A124", "a123", "B1", "A123 ", NumberCell(5)),
    "Starts": (
        "31.12.2026", "1.2.2026", "01/02/2026", "13/02/2026", "2026-12-31", "2026-12-31 00:00:00", "30.02.2026",
        "２０２６-12-31", DateCell(dt.date(2026, 2, 1)), DateCell(dt.datetime(2026, 2, 1, 9, tzinfo=dt.UTC)),
        DateCell(dt.time(9)), NumberCell(46022),
    ),
    "Beds": (
        "7", "+7", "007", "-0", "1 000", "1.000", "12.0", "9" * 19, NumberCell(7), NumberCell(1234, "#,##0", "1,234"),
        NumberCell(1, "0%", "100%"), NumberCell(7, "000", "007"), DateCell(dt.date(2026, 2, 1)),
    ),
    "Permanent": ("aye", "yes", "TRUE", "no", "nein", "maybe", BoolCell(value=False), DateCell(dt.date(2026, 2, 1))),
    "Pager": ("+44 7712 345678", "+447712345678", "0771", "+44 12", NumberCell(447712345678), DateCell(dt.time(9))),
    "Private": ("ana@acme.example", "ana@", "bo@gmial.com"),
    "Second": ("31.12.2026", "2026-12-31", DateCell(dt.date(2026, 2, 1)), "soon"),
    "Leaves": ("31.12.2026", "2026-12-31", DateCell(dt.date(2026, 2, 1)), "soon"),
    "Works": ("gone", "ja", "0", BoolCell(value=True), "perhaps"),
    "Shift": ("Early", "late", "Night", "Early\u200b"),
}  # fmt: skip
_HEADINGS = {
    "standard": [str(heading) for heading in HEADINGS],
    "everything": ["Email", "Forename", "Last Name", "Password", "Phone", "Groups", "Staff Number", "Shift"],
    "defaults": ["Username", "Forename", "Password", "Calling Code", "Phone", "Surname"],
    "typed": ["Username", "Forename", "Password", "Starts", "Beds", "Permanent", "Pager", "Private", "Leaves", "Works"],
    "composed": ["Username", "Forename", "Surname", "Password", "Starts", "Second"],
}


@st.composite
def sheets(draw: st.DrawFn, name: str) -> MemorySheet:
    """A sheet of usual and odd cells; seldom with a column that is missing, not known, or without a heading."""
    headings: list[Cell] = list(draw(st.permutations(_HEADINGS[name])))
    for change in draw(st.lists(st.sampled_from(["drop", "unknown", "blank"]), max_size=1)):
        if change == "drop":
            headings.pop()
        else:
            headings.insert(2, "Colour" if change == "unknown" else None)
    usual = [st.sampled_from(USUAL.get(str(heading), ("red", None))) for heading in headings]
    cell = [st.one_of(one, one, one, st.sampled_from(ODD), st.none()) for one in usual]
    row = st.one_of(st.tuples(*usual), st.tuples(*usual), st.tuples(*cell), st.lists(st.sampled_from(ODD), max_size=12))
    numbers = draw(st.one_of(st.just(1), st.integers(1, 3)))
    rows: dict[int, tuple[Cell, ...]] = {1: tuple(headings), 2: draw(st.tuples(*cell))}
    number = 2
    for cells in draw(st.lists(row, max_size=14)):
        number += draw(st.sampled_from([1, 1, 1, numbers]))
        rows[number] = tuple(cells)
    return MemorySheet(rows, SheetInfo("memory", is_plain_text=draw(st.booleans())))


@pytest.mark.parametrize("name", PIPELINES)
@given(data=st.data())
def test_any_cells(name: str, data: st.DataObject) -> None:
    sheet, chosen = data.draw(sheets(name)), pipeline(PIPELINES[name])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_ROWS", data.draw(st.sampled_from([1, 3, 1000])))
        quick = story_of_cells(chosen, sheet)
        patch.setenv("MUSTERROLL_PLAIN", "1")
        assert quick == story_of_cells(chosen, sheet)
