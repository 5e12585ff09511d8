"""What is mistaken of the sheet hides nothing that is mistaken elsewhere, and is no reason to complain of more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from musterroll.errors import Mistake, PipelineError
from musterroll.pipeline.loader import load_pipeline

FIELD = "[[sheet.fields]]\nname = 'x'\nheading = 'X'\n"


def mistakes(folder: Path, text: str) -> Sequence[Mistake]:
    file = folder / "acme.toml"
    file.write_text(f"name = 'acme'\n{text}", encoding="utf-8")
    with pytest.raises(PipelineError) as caught:
        load_pipeline(file, external_plugins=False)
    return caught.value.mistakes


ELSEWHERE = """
match = ["emial", "username"]
scope = { emial = "x" }
hand_edits = { emial = "keep" }
severity = { "email.invlaid" = "ignore" }
[[validators]]
name = "twice"
use = "unique"
options = { fields = ["emial"] }
[[transforms]]
name = "capitals"
use = "case"
when = { emial = "x" }
options = { fields = ["emial"], to = "title" }
[[groups]]
name = "departments"
use = "paths"
options = { field = "emial" }
"""
SAID_ELSEWHERE = [
    "match[0]",
    "scope.emial",
    "hand_edits.emial",
    'severity."email.invlaid"',
    "transforms[capitals].options.fields[0]",
    "transforms[capitals].when.emial",
    "validators[twice].options.fields[0]",
    "groups[departments].options.field",
]


@pytest.mark.parametrize(
    ("sheet", "path"),
    [
        ("", None),
        ("sheet.omit = 5", "sheet.omit"),
        ("sheet.first_row = 'x'", "sheet.first_row"),
        ("sheet.frist_row = 3", "sheet.frist_row"),
        ("sheet.on_blank_row = 'stopp'", "sheet.on_blank_row"),
        (FIELD + "max_length = 'x'\ntype = 'date'\nformats = ['DD.MM.YYYY']", "sheet.fields[x].max_length"),
        (FIELD + "type = 'dat'\nformats = ['DD.MM.YYYY']", "sheet.fields[x].type"),
        (FIELD + "reqired = true", "sheet.fields[x].reqired"),
        (FIELD + "required_when = { y = 1 }", "sheet.fields[x].required_when.y"),
        ("[[sheet.fields]]\nname = 'x'", "sheet.fields[x].heading"),
    ],
)
def test_a_mistake_of_the_sheet_hides_none_of_fields_elsewhere(tmp_path: Path, sheet: str, path: str | None) -> None:
    found = mistakes(tmp_path, f"{ELSEWHERE}\n{sheet}" if "[[" in sheet else f"{sheet}\n{ELSEWHERE}")
    assert sorted(one.path for one in found) == sorted([*SAID_ELSEWHERE, *([path] if path else [])])
    assert sum('did you mean "email"?' in one.message for one in found) == 7


@pytest.mark.parametrize("field", ["[[sheet.fields]]\nname = 'X Y'\nheading = 'X'", FIELD + "choices = 'York'"])
def test_where_nobody_knows_which_fields_there_are_nothing_is_said_of_them(tmp_path: Path, field: str) -> None:
    assert len(mistakes(tmp_path, f"{ELSEWHERE}\n{field}")) == 1
