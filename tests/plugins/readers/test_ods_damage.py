from __future__ import annotations

import io
import tempfile
import time
import zipfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import AmbiguousWorksheetError, Confidence, Options, Source, SourceError
from musterroll_plugins.readers.ods import cells as _ods_cells
from musterroll_plugins.readers.ods import styles as _ods_styles
from musterroll_plugins.readers.ods.reader import OdsReader
from musterroll_plugins.readers.package import zip_file as _package
from support.documents import NAMESPACES, SPREADSHEET, number, parts, row, save, table, text
from support.rows import context

STYLES = (
    '<number:number-style style:name="N1"><number:number number:min-integer-digits="5"/></number:number-style>'
    '<style:style style:name="ce1" style:family="table-cell" style:data-style-name="N1"/>'
)


def sound() -> dict[str, str]:
    cells = row(text("ana<text:s/>b"), number(1, 'table:style-name="ce1"'))
    return parts(table(cells, columns="<table:table-column/>"), styles=STYLES)


def packed(contents: dict[str, str], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


@cache
def sound_bytes() -> bytes:
    return packed(sound())  # not compressed, so that changed bytes reach the XML


def file_of(folder: Path, content: bytes) -> Source:
    path = folder / "users.ods"
    path.write_bytes(content)
    return Source(path)


def reader() -> OdsReader:
    return OdsReader(Options(), context())


def refusal(source: Source) -> SourceError:
    with pytest.raises(SourceError) as caught, reader().open(source) as sheet:
        list(sheet.rows())
    assert "\n" not in caught.value.message
    assert source.name in caught.value.message
    return caught.value


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_a_spreadsheet_that_is_cut_off(tmp_path: Path, share: float) -> None:
    content = sound_bytes()
    source = file_of(tmp_path, content[: int(len(content) * share)])
    assert reader().sniff(source) is Confidence.CERTAIN
    error = refusal(source)
    assert error.code == "source.damaged"
    assert "its end is missing" in error.message


@pytest.mark.parametrize("part", ["content.xml", "styles.xml", "META-INF/manifest.xml"])
def test_a_part_that_is_broken(tmp_path: Path, part: str) -> None:
    contents = sound()
    contents[part] = contents[part][: len(contents[part]) // 2]
    error = refusal(Source(save(tmp_path / "users.ods", contents)))
    assert error.code == "source.damaged"
    assert "no well-formed XML" in error.message


def test_parts_that_are_missing(tmp_path: Path) -> None:
    contents = sound()
    del contents["styles.xml"], contents["META-INF/manifest.xml"]
    with reader().open(Source(save(tmp_path / "users.ods", contents))) as sheet:
        assert len(list(sheet.rows())) == 1
    del contents["content.xml"]
    assert refusal(Source(save(tmp_path / "users.ods", contents))).code == "source.damaged"


CELL = '<table:table-cell office:value-type="{}" {}/>'


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(row(text("a"), attributes='table:number-rows-repeated="1048577"'), id="rows below the last"),
        pytest.param(
            row("<table:table-cell/>", attributes='table:number-rows-repeated="1048576"') + row(text("a")),
            id="a row below the last",
        ),
        pytest.param(row(text("a", attributes='table:number-columns-repeated="16385"')), id="columns after the last"),
        pytest.param(row("<table:table-cell/>", attributes='table:number-rows-repeated="0"'), id="repeated never"),
        pytest.param(row(text("a"), attributes='table:number-rows-repeated="-5"'), id="repeated backwards"),
        pytest.param(row(text("a"), attributes='table:number-rows-repeated="x"'), id="repeated by a letter"),
        pytest.param(row(text('<text:s text:c="999999999999999"/>')), id="spaces without end"),
        pytest.param(row(text('<text:s text:c="1000000"/>' * 9)), id="spaces without end in pieces"),
        pytest.param("<x>" * 500 + "</x>" * 500, id="nested parts"),
        pytest.param(row(f"<table:table-cell>{'<x>' * 500}{'</x>' * 500}</table:table-cell>"), id="nested in a cell"),
        pytest.param(row(text("<text:span>" * 500 + "</text:span>" * 500)), id="nested in a text"),
    ],
)
def test_a_worksheet_that_no_program_would_write(tmp_path: Path, rows: str) -> None:
    ahead = row(text("a")) * 500  # so that only the stream of rows comes to it
    for made in (rows, ahead + rows):
        assert refusal(Source(save(tmp_path / "users.ods", parts(table(made))))).code == "source.damaged"


@pytest.mark.parametrize("where", ["text", "attribute", "spans", "styles", "tables", "columns"])
def test_what_has_no_end_is_given_up(tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bulk = "x" * 10_000_000
    made = {
        "text": lambda: parts(table(row(text(bulk)))),
        "attribute": lambda: parts(table(row(text("a", attributes=f'office:string-value="{bulk}"')))),
        "spans": lambda: parts(table(row(text(f"<text:span>{bulk[:100_000]}</text:span>" * 30)))),
        "styles": lambda: parts(
            table(""), styles="".join(f'<style:style style:name="{n}" style:family="table-cell"/>' for n in range(1001))
        ),
        "tables": lambda: parts("<table:table/>" * 10_001),
        "columns": lambda: parts(table(row(text("a")), columns="<table:table-column/>" * 20_000)),
    }[where]()
    monkeypatch.setattr(_ods_styles, "_STYLE_LIMIT", 1000)
    assert refusal(file_of(tmp_path, packed(made))).code == "source.damaged"


def test_what_repeating_makes_of_a_few_bytes_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ods_cells, "_CELL_LIMIT", 100_000)
    wide = text("a", attributes='table:number-columns-repeated="1000"')
    rows = row(wide, attributes='table:number-rows-repeated="101"')
    assert "more cells than a sheet can" in refusal(Source(save(tmp_path / "users.ods", parts(table(rows))))).message


def test_a_column_that_was_filled_down_to_the_end_is_no_million_users(tmp_path: Path) -> None:
    ten = row(text("a"), attributes='table:number-rows-repeated="10"')
    filled = row(text("Staff"), attributes='table:number-rows-repeated="1048500"')
    started = time.perf_counter()
    error = refusal(Source(save(tmp_path / "users.ods", parts(table(ten + filled)))))
    assert time.perf_counter() - started < 5
    assert error.code == "source.too_large"
    assert "rows 11 to 1048510 all hold the same" in error.message


def test_the_texts_of_one_row_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ods_cells, "ROW_LIMIT", 100_000)
    cell = text("\U0001f600" + "x" * 1000)
    with reader().open(Source(save(tmp_path / "fine.ods", parts(table(row(cell * 20) * 20))))) as sheet:
        assert len(list(sheet.rows())) == 20
    assert refusal(Source(save(tmp_path / "users.ods", parts(table(row(cell * 40)))))).code == "source.damaged"


def test_a_format_of_countless_texts_takes_no_time(tmp_path: Path) -> None:
    styles = f'<number:number-style style:name="N1">{"<number:text>abc</number:text>" * 300_000}</number:number-style>'
    started = time.perf_counter()
    with reader().open(Source(save(tmp_path / "users.ods", parts(table(row(text("a"))), styles=styles)))) as sheet:
        assert len(list(sheet.rows())) == 1
    assert time.perf_counter() - started < 10  # about a second


def test_many_spans_are_one_text(tmp_path: Path) -> None:
    file = save(tmp_path / "users.ods", parts(table(row(text("<text:span>a</text:span>b" * 2000)))))
    with reader().open(Source(file)) as sheet:
        assert [*sheet.rows()] == [(1, ("ab" * 2000,))]


def test_entities_do_not_multiply(tmp_path: Path) -> None:
    contents = sound()
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(12))
    contents["content.xml"] = f"<!DOCTYPE x [{laughs}]>{contents['content.xml'].replace('ana', '&l11;')}"
    assert "document type" in refusal(Source(save(tmp_path / "users.ods", contents))).message


def test_a_zip_bomb_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(save(tmp_path / "users.ods", sound()))
    monkeypatch.setattr(_package, "_SIZE_LIMIT", 1000)
    assert reader().sniff(source) is Confidence.CERTAIN
    assert refusal(source).code == "source.too_large"


def test_a_spreadsheet_under_a_password(tmp_path: Path) -> None:
    key = "<manifest:encryption-data><manifest:algorithm/></manifest:encryption-data>"
    contents = parts(entries=key) | {"content.xml": "\x07\x9b not XML"}
    source = Source(save(tmp_path / "users.ods", contents))
    assert reader().sniff(source) is Confidence.CERTAIN
    error = refusal(source)
    assert error.code == "source.encrypted"
    assert error.message == "users.ods is protected by a password; save it without one and try again"


def test_relatives_that_cannot_be_read_are_explained(tmp_path: Path) -> None:
    flat = f'<?xml version="1.0"?>\n<office:document {NAMESPACES} office:mimetype="{SPREADSHEET}"/>'
    source = file_of(tmp_path, flat.encode())
    assert reader().sniff(source) is Confidence.CERTAIN
    assert ".fods" in refusal(source).message
    old = Source(save(tmp_path / "old.ods", parts(kind="application/vnd.sun.xml.calc")))
    assert reader().sniff(old) is Confidence.CERTAIN
    assert ".sxc" in refusal(old).message
    letter = file_of(tmp_path, b"Dear Ana,")
    assert reader().sniff(letter) is Confidence.NO
    assert refusal(letter).code == "source.unsupported"


def outcome_is_clean(content: bytes) -> None:
    """Reads what can be anything: rows come out, or one line says why not."""
    with tempfile.TemporaryDirectory() as folder:
        source = file_of(Path(folder), content)
        reader().sniff(source)
        message = ""
        try:
            with reader().open(source) as sheet:
                for _, _row in zip(range(10_000), sheet.rows(), strict=False):
                    pass
        except SourceError as error:
            message = error.message
        except AmbiguousWorksheetError:
            pass
        assert "\n" not in message


@given(st.binary(max_size=600), st.sampled_from([b"", b"PK\x03\x04", b"<office:document "]))
def test_any_bytes_are_rows_or_one_clear_line(content: bytes, magic: bytes) -> None:
    outcome_is_clean(magic + content)


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_damage_to_a_spreadsheet_is_rows_or_one_clear_line(changes: list[tuple[float, int]]) -> None:
    content = bytearray(sound_bytes())
    for where, byte in changes:
        content[int(where * len(content))] = byte
    outcome_is_clean(bytes(content))


TAGS = (
    *("table:table-row", "table:table-cell", "table:covered-table-cell", "table:table-column", "table:table"),
    *("text:p", "text:s", "text:span", "text:tab", "text:line-break", "office:annotation", "table:table-row-group"),
)
ATTRIBUTES = (
    *("office:value-type", "office:value", "office:date-value", "office:time-value", "office:boolean-value"),
    *("office:string-value", "table:formula", "table:style-name", "calcext:value-type", "text:c", "table:visibility"),
    *("table:number-rows-repeated", "table:number-columns-repeated", "table:default-cell-style-name"),
)
VALUES = (
    *("string", "float", "date", "time", "boolean", "error", "true", "ce1", "collapse", "filter", "of:=A1", "#N/A"),
    *("1", "2", "0", "-1", "16384", "1048576", "1e9", "nan", "9" * 30, "2024-02-29", "PT08H", "P1DT", "", "x"),
)
XML = st.recursive(
    st.text(st.sampled_from("0159-.eE \n#TZ"), max_size=6),
    lambda inner: st.builds(
        lambda tag, attributes, children: (
            f"<{tag} " + " ".join(f'{k}="{v}"' for k, v in attributes.items()) + f">{''.join(children)}</{tag}>"
        ),
        st.sampled_from(TAGS),
        st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from(VALUES)),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


@given(XML, XML)
def test_any_xml_as_a_worksheet_is_rows_or_one_clear_line(xml: str, other: str) -> None:
    outcome_is_clean(packed(parts(table(xml), other, styles=STYLES)))
