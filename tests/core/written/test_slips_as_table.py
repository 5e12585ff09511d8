"""A page of slips as a table: it is what the table itself would have been."""

from __future__ import annotations

import csv
import io
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import MusterrollError, Secret
from musterroll.engine import load_pipeline, slips_as_table
from musterroll.written.hand_over import Told, write_hand_over

_NUMBERS = itertools.count()
_FIELDS = load_pipeline(None).fields
_TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
_HOSTILE = st.sampled_from(
    ["=1+1", "+44", "-1", "@x", "\t=1", '</dd><dd class="told">x', "a\r\nb", "&lt;", "&amp;amp", "'"]
)
_VALUES = st.dictionaries(st.sampled_from(["email", "forename", "surname", "phone"]), _TEXTS | _HOSTILE)
_PEOPLE = st.lists(st.builds(Told, _TEXTS | _HOSTILE, st.builds(Secret, _TEXTS), _VALUES), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slips")


def _written(folder: Path, form: str, people: list[Told]) -> str:
    path = folder / f"{next(_NUMBERS)}.{form}"
    write_hand_over(path, people, _FIELDS, "acme & <co>")
    return path.read_bytes().decode("utf-8")


def _rows(table: str) -> list[dict[str, str]]:
    return [
        {name: value for name, value in row.items() if value}
        for row in csv.DictReader(io.StringIO(table[1:], newline=""))
    ]


@given(_PEOPLE)
def test_it_says_what_the_table_would_have_said(folder: Path, people: list[Told]) -> None:
    table = slips_as_table(_written(folder, "html", people))
    assert _rows(table) == _rows(_written(folder, "csv", people))
    assert table.startswith('\ufeff"Username","Password"')


def test_it_is_the_same_file_where_every_column_is_used(folder: Path) -> None:
    """Also where the first slip has a line less than the second one."""
    one = Told("bo", Secret("Meadow-Kite-41"), {"email": None, "surname": "Berg", "forename": None})
    two = Told("=cy", Secret("-Harbour"), {"email": "cy@example.com", "forename": "@Cy", "surname": "Clark"})
    people = [one, two]
    assert slips_as_table(_written(folder, "html", people)) == _written(folder, "csv", people)


def test_no_cell_is_computed(folder: Path) -> None:
    people = [Told("=1+1", Secret("Sesame-open-7"), {"forename": "@SUM(A1)", "surname": "+1;=2"})]
    (row,) = _rows(slips_as_table(_written(folder, "html", people)))
    assert row == {"Username": "'=1+1", "Password": "Sesame-open-7", "Forename": "'@SUM(A1)", "Surname": "'+1;=2"}


@pytest.mark.parametrize("page", ["", "<p>a</p>", "<section></section>", "<section><dd class='told'>x</dd></section>"])
def test_what_is_no_such_page_is_said(page: str) -> None:
    with pytest.raises(MusterrollError, match="no page of first passwords"):
        slips_as_table(page)
