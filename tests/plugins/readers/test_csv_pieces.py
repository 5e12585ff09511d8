"""Pieces of csv files, divided at once: as the csv module divides them one by one."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from musterroll import CellColumns, Source, SourceError
from musterroll_plugins.readers.csv import reader
from musterroll_plugins.readers.csv.delimiter import records
from musterroll_plugins.readers.csv.pieces import divided
from musterroll_plugins.readers.csv.reader import CsvOptions, CsvReader
from support.rows import context

TEXTS = st.text(st.sampled_from('ab,;" \r\n\0\u2028'), max_size=30)


@given(TEXTS.filter(bool), st.sampled_from(",; a"), st.sampled_from(['"', "", "b"]))
@example("a\nb,c,d\n", ",", '"')  # as many cells as two lines of two
def test_they_are_divided_as_by_the_csv_module(text: str, delimiter: str, quote: str) -> None:
    found = divided(text, delimiter, quote)
    if found is not None:
        assert list(map(list, found)) == list(records(io.StringIO(text, newline=""), delimiter, quote))
    else:  # a line more belongs to the last record
        assert list(records(io.StringIO(f"{text}\nx\n", newline=""), delimiter, quote))[-1] != ["x"]


def test_lines_of_one_width_are_columns() -> None:
    assert isinstance(found := divided("a,b\r\nc,\r\n", ",", '"'), CellColumns)
    assert found.columns == [["a", "c"], ["b", ""]]
    assert not isinstance(divided("a,b\nc\n", ",", '"'), CellColumns)
    assert not isinstance(divided('a,"b"\n', ",", '"'), CellColumns)


@given(st.text(st.sampled_from('ab,"\r\n'), max_size=60), st.integers(1, 20))
@example('"\ra', 1)  # an old Mac's line end inside of quotation marks
def test_where_a_file_is_cut_makes_no_difference(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_PIECE", size)
        patch.setattr(reader, "_MOST_TEXT", 30)
        pieces = read(text, in_blocks=True)
    assert pieces == read(text, in_blocks=False)


def read(text: str, *, in_blocks: bool) -> object:
    """The rows of a file, or what is said of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.csv"
        path.write_bytes(text.encode())
        with CsvReader(CsvOptions(delimiter=","), context()).open(Source(path)) as sheet:
            try:
                if in_blocks:
                    return [
                        (number, tuple(row)) for block in sheet.blocks() for number, row in zip(*block, strict=True)
                    ]
                return [(row.number, row.cells) for row in sheet.rows()]
            except SourceError as error:
                return error.message
