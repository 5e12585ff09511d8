from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from musterroll import Confidence, Source, SourceError
from musterroll_plugins.readers.csv.reader import CsvOptions, CsvReader
from support.rows import context


def source(folder: Path, content: bytes) -> Source:
    path = folder / "users.csv"
    path.write_bytes(content)
    return Source(path)


def read(folder: Path, content: bytes | str, **options: str) -> list[tuple[int, tuple[object, ...]]]:
    data = content if isinstance(content, bytes) else content.encode()
    reader = CsvReader(CsvOptions.model_validate(options), context())
    with reader.open(source(folder, data)) as sheet:
        return [(row.number, row.cells) for row in sheet.rows()]


def refusal(folder: Path, content: bytes | str, **options: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(folder, content, **options)
    assert "\n" not in caught.value.message
    return caught.value


def test_quoted_line_breaks_do_not_advance_the_row_number(tmp_path: Path) -> None:
    assert read(tmp_path, 'Username,Note\nana,"two\r\nlines"\n\nbo,"say ""hi"""\n') == [
        (1, ("Username", "Note")),
        (2, ("ana", "two\r\nlines")),
        (3, ()),
        (4, ("bo", 'say "hi"')),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems(tmp_path: Path, end: str) -> None:
    assert read(tmp_path, end.join(["A;B", "1;2", "", " 3 ;"])) == [
        (1, ("A", "B")),
        (2, ("1", "2")),
        (3, ()),
        (4, (" 3 ", "")),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_excels_sep_line_names_the_delimiter_and_has_no_number(tmp_path: Path, encoding: str) -> None:
    content = "sep=^\r\nUsername^Groups\r\nana^A;B\r\n".encode(encoding)
    assert read(tmp_path, content) == [(1, ("Username", "Groups")), (2, ("ana", "A;B"))]
    assert read(tmp_path, content, delimiter=";")[0] == (1, ("Username^Groups",))


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        pytest.param("Email;Username;Groups\na@b.example;ana;A,B,C\n", 3, id="commas in the data"),
        pytest.param("Username,Groups\nana,A;B;C\nbo,A;B;C\ncy,A;B;C\n", 2, id="group separators in the data"),
        pytest.param('"Name, first";"Name, last"\nAna;Li\n', 2, id="commas in quoted headings"),
        pytest.param("Name, first;Name\nAna;Li\nBo;Wu\n", 2, id="a comma in a heading without quotes"),
        pytest.param("Email\tUsername\nx\tana\n", 2, id="tab"),
        pytest.param("Email|Username\nx|ana\n", 2, id="bar"),
        pytest.param("Username\nana\nbo\n", 1, id="one column"),
        pytest.param("Username\nana;x\nbo;y\n", 1, id="one column with accidents"),
        pytest.param("Email;Username", 2, id="nothing but headings"),
        pytest.param("", 0, id="an empty file"),
    ],
)
def test_the_delimiter_is_found(tmp_path: Path, text: str, heading: int) -> None:
    rows = read(tmp_path, text)
    assert len(rows[0][1]) == heading if rows else heading == 0


def test_a_title_above_the_headings_does_not_mislead(tmp_path: Path) -> None:
    text = "Staff list, 2024\n\nEmail;Username;Forename\na;b;c\nd;e;f\n"
    assert read(tmp_path, text)[2] == (3, ("Email", "Username", "Forename"))


def test_a_long_file_whose_beginning_is_cut_inside_a_record(tmp_path: Path) -> None:
    wide = ";".join(f"column {n}" for n in range(9000))
    assert len(read(tmp_path, f"{wide}\n{wide}\n")[1][1]) == 9000


def test_another_quotation_mark_and_none(tmp_path: Path) -> None:
    assert read(tmp_path, "a;b\n'1;2';3\n", quote="'")[1] == (2, ("1;2", "3"))
    assert read(tmp_path, 'a;b\n"1;2\n', quote="")[1] == (2, ('"1', "2"))


def test_a_quotation_mark_that_is_never_closed_is_pointed_at(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'Username,Note,Phone\nana,"ok\nfine",1\nbo,"oops,2\ncy,x,3\n')
    assert error.code == "source.unbalanced_quote"
    assert "B3" in error.message


def test_a_quotation_mark_that_swallows_more_than_a_cell_can_hold(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    error = refusal(tmp_path, 'Username,Note\nana,ok\nbo,"oops\n' + "cy,fine\n" * 40_000)
    assert error.code == "source.unbalanced_quote"
    assert "row 3" in error.message
    assert csv.field_size_limit() == limit


def test_a_record_without_end_is_given_up(tmp_path: Path) -> None:
    assert "row 2" in refusal(tmp_path, "Username\n" + "a," * 3_000_000).message
    # Each cell is short, but quoted line breaks join them into one record.
    assert "row 2" in refusal(tmp_path, "Username\n" + '"a\n",' * 1_000_000).message


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": "::"},
        {"delimiter": ""},
        {"delimiter": "\n"},
        {"encoding": "utf-9"},
        {"encoding": "hex"},
        {"quote": "''"},
        {"quote": ";", "delimiter": ";"},
        {"separator": ";"},
    ],
)
def test_mistakes_in_options(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        CsvOptions.model_validate(options)


def test_tab_can_be_written_out(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b\tc\n", delimiter="tab") == [(1, ("a,b", "c"))]


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"PK\x03\x04 whatever",
        b"%PDF-1.7\nplain so far",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100),
        b"<?xml version='1.0'?><workbook/>",
        bytes(range(1, 256)),
    ],
)
def test_what_is_no_text_is_no_csv(tmp_path: Path, content: bytes) -> None:
    assert CsvReader(CsvOptions(), context()).sniff(source(tmp_path, content)) is not Confidence.PERHAPS


@pytest.mark.parametrize(
    "content", [b"", b"Username", "Jürgen;Müller".encode("cp1252"), "Имя;Иван".encode("utf-16"), b"a\tb\x1a"]
)
def test_text_may_be_csv(tmp_path: Path, content: bytes) -> None:
    assert CsvReader(CsvOptions(), context()).sniff(source(tmp_path, content)) is Confidence.PERHAPS


latin = st.text(st.characters(min_codepoint=1, max_codepoint=0xFF), max_size=12)
cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(
    table=st.lists(st.lists(cells, min_size=2, max_size=5), min_size=1, max_size=6),
    delimiter=st.sampled_from([",", ";", "tab", "|"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
)
def test_what_a_csv_writer_wrote_comes_back(table: list[list[str]], delimiter: str, end: str, encoding: str) -> None:
    text = io.StringIO(newline="")
    character = "\t" if delimiter == "tab" else delimiter
    csv.writer(text, delimiter=character, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(table)
    with tempfile.TemporaryDirectory() as folder:
        rows = read(Path(folder), text.getvalue().encode(encoding), delimiter=delimiter, encoding=encoding)
    assert rows == [(number, tuple(row)) for number, row in enumerate(table, 1)]


@given(
    rows=st.integers(1, 30),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    data=st.data(),
)
def test_delimiter_and_encoding_of_a_sheet_are_found(
    rows: int, delimiter: str, encoding: str, data: st.DataObject
) -> None:
    headings = ["Email", "Username", "Forename", "Groups"]
    table = [headings, *data.draw(st.lists(st.lists(latin, min_size=4, max_size=4), min_size=rows, max_size=rows))]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(table)
    with tempfile.TemporaryDirectory() as folder:
        assert [row for _, row in read(Path(folder), text.getvalue().encode(encoding))] == [tuple(r) for r in table]


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-16", "replace")))
def test_any_bytes_are_rows_or_one_clear_line(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = source(Path(folder), content)
        reader = CsvReader(CsvOptions(), context())
        reader.sniff(file)
        message = ""
        try:
            with reader.open(file) as sheet:
                assert all(isinstance(cell, str) for row in sheet.rows() for cell in row.cells)
        except SourceError as error:
            message = error.message
        assert "\n" not in message
