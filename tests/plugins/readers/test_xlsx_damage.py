from __future__ import annotations

import io
import struct
import tempfile
import tracemalloc
import zipfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import AmbiguousWorksheetError, Confidence, Options, Source, SourceError
from musterroll_plugins.readers.package import xml as _xml
from musterroll_plugins.readers.package import zip_file as _package
from musterroll_plugins.readers.xlsx import cells as _xlsx_cells
from musterroll_plugins.readers.xlsx import package as _xlsx_package
from musterroll_plugins.readers.xlsx import workbook as _xlsx_workbook
from musterroll_plugins.readers.xlsx.reader import XlsxReader
from support.rows import context
from support.workbooks import compound_file, parts, save, worksheet

ROW = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="0"><v>1</v></c></row>'


def sound() -> dict[str, str]:
    return parts(worksheet(ROW), texts="<si><t>ana</t></si>", styles='<cellXfs><xf numFmtId="14"/></cellXfs>')


@cache
def sound_bytes() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # not compressed, so that changed bytes reach the XML
        for name, text in sound().items():
            archive.writestr(name, text)
    return file.getvalue()


def file_of(folder: Path, content: bytes) -> Source:
    path = folder / "users.xlsx"
    path.write_bytes(content)
    return Source(path)


def refusal(source: Source) -> SourceError:
    with pytest.raises(SourceError) as caught, XlsxReader(Options(), context()).open(source) as sheet:
        list(sheet.rows())
    assert "\n" not in caught.value.message
    assert source.name in caught.value.message
    return caught.value


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_a_workbook_that_is_cut_off(tmp_path: Path, share: float) -> None:
    content = sound_bytes()
    source = file_of(tmp_path, content[: int(len(content) * share)])
    assert XlsxReader(Options(), context()).sniff(source) is Confidence.CERTAIN
    error = refusal(source)
    assert error.code == "source.damaged"
    assert "its end is missing" in error.message


def test_a_letter_that_is_cut_off_is_no_workbook(tmp_path: Path) -> None:
    letter = save(tmp_path / "letter.docx", {"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>" * 99})
    source = file_of(tmp_path, letter.read_bytes()[:-40])
    assert XlsxReader(Options(), context()).sniff(source) is Confidence.NO


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels"])
def test_a_part_that_is_missing(tmp_path: Path, part: str) -> None:
    contents = sound()
    del contents[part]
    assert refusal(Source(save(tmp_path / "users.xlsx", contents))).code == "source.damaged"


@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml"]
)
def test_a_part_that_is_broken(tmp_path: Path, part: str) -> None:
    contents = sound()
    contents[part] = contents[part][: len(contents[part]) // 2]
    error = refusal(Source(save(tmp_path / "users.xlsx", contents)))
    assert error.code == "source.damaged"
    assert "no well-formed XML" in error.message


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param('<row r="5"/><row r="4"/>', id="rows out of order"),
        pytest.param('<row r="1048577"/>', id="a row below the last"),
        pytest.param('<row r="99999999999999999999"/>', id="a row at the end of the universe"),
        pytest.param('<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>', id="cells out of order"),
        pytest.param('<row r="1"><c r="XFE1"><v>1</v></c></row>', id="a column after the last"),
        pytest.param('<row r="1"><c r="!1"><v>1</v></c></row>', id="no column"),
        pytest.param('<row r="1"><c r="Á1"><v>1</v></c></row>', id="a column of another alphabet"),
        pytest.param('<row r="1"><c><c><v>7</v></c></c></row>', id="a cell in a cell"),
        pytest.param('<c r="A1"><v>7</v></c>', id="a cell without a row"),
        pytest.param("<x>" * 500 + "</x>" * 500, id="nested parts"),
        pytest.param("<row/>" * 5000 + "<x>" * 500 + "</x>" * 500, id="nested parts further down"),
    ],
)
def test_a_worksheet_that_no_program_would_write(tmp_path: Path, rows: str) -> None:
    contents = parts(worksheet(rows), texts="<si><t>ana</t></si>")
    assert refusal(Source(save(tmp_path / "users.xlsx", contents))).code == "source.damaged"


def test_entities_do_not_multiply(tmp_path: Path) -> None:
    contents = sound()
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(12))
    contents["xl/sharedStrings.xml"] = f"<!DOCTYPE sst [{laughs}]><sst><si><t>&l11;</t></si></sst>"
    assert "document type" in refusal(Source(save(tmp_path / "users.xlsx", contents))).message


@pytest.mark.parametrize("what", ["text", "attribute", "runs", "spaces", "nested", "cell"])
def test_one_text_without_end_is_given_up(tmp_path: Path, what: str) -> None:
    bulk = "x" * 10_000_000
    contents = sound()
    runs = f"<r><t>{bulk[:100_000]}</t></r>" * 30
    if what == "cell":
        contents = parts(worksheet(f'<row><c t="inlineStr"><is>{runs}</is></c></row>'), texts="")
    contents["xl/sharedStrings.xml"] = {
        "text": f"<sst><si><t>{bulk}</t></si></sst>",
        "attribute": f'<sst><si x="{bulk}"><t>a</t></si></sst>',
        "runs": f"<sst><si>{runs}</si></sst>",
        "nested": "<sst><si><t>ana</t></si>" + "<a>" * 500 + "</a>" * 500 + "</sst>",
        "cell": "<sst/>",
        "spaces": f"<sst><si><t>a</t></si>{' ' * len(bulk)}</sst>",
    }[what]
    path = tmp_path / "users.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
    assert refusal(Source(path)).code == "source.damaged"


def test_all_texts_together_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_xlsx_workbook, "_TABLE_LIMIT", 10_000)
    contents = sound()
    contents["xl/sharedStrings.xml"] = "<sst>" + "<si><t>ana</t></si>" * 1000 + "</sst>"
    assert refusal(Source(save(tmp_path / "users.xlsx", contents))).code == "source.damaged"


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param("<si><t>\U0001f600{}</t></si>".format("x" * 2000), id="texts that one character makes wide"),
        pytest.param(f"<si>{'<r><t>y</t></r>' * 100}</si>", id="many runs"),
        pytest.param(f"<si><t/>{'<r><t></t></r>' * 1000}</si>", id="empty runs"),
        pytest.param(f"<si><rPh><t>{'x' * 2000}</t></rPh></si>", id="how it is pronounced"),
        pytest.param("<si/>" * 100, id="nothing"),
    ],
)
def test_texts_are_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: str) -> None:
    limit = 1 << 20
    monkeypatch.setattr(_xlsx_workbook, "_TABLE_LIMIT", limit)
    monkeypatch.setattr(_xml, "READ", 1 << 15)  # what is read at once comes on top, some times over
    contents = sound()
    contents["xl/sharedStrings.xml"] = f"<sst><si><t>ana</t></si>{piece * (4 * limit // len(piece))}</sst>"
    source = Source(save(tmp_path / "users.xlsx", contents))

    def read_or_refuse() -> None:
        with suppress(SourceError), XlsxReader(Options(), context()).open(source) as sheet:
            list(sheet.rows())

    read_or_refuse()  # patterns are compiled once
    tracemalloc.start()
    try:
        read_or_refuse()
        assert tracemalloc.get_traced_memory()[1] < 2 * limit
    finally:
        tracemalloc.stop()


def test_the_texts_of_one_row_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_xlsx_cells, "ROW_LIMIT", 100_000)
    cell = f'<c t="inlineStr"><is><t>\U0001f600{"x" * 1000}</t></is></c>'
    fine = parts(worksheet(f"<row>{cell * 20}</row>" * 20))
    with XlsxReader(Options(), context()).open(Source(save(tmp_path / "fine.xlsx", fine))) as sheet:
        assert len(list(sheet.rows())) == 20
    long = save(tmp_path / "users.xlsx", parts(worksheet(f"<row>{cell * 40}</row>")))
    assert refusal(Source(long)).code == "source.damaged"


@pytest.mark.parametrize("part", ["xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"])
def test_lists_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setattr(_xlsx_workbook, "_LIST_LIMIT", 50)
    monkeypatch.setattr(_xlsx_package, "_MOST", 50)
    contents = sound()
    many = {
        "xl/styles.xml": ("</cellXfs>", '<xf numFmtId="1"/>' * 60 + "</cellXfs>"),
        "xl/workbook.xml": ("</sheets>", '<sheet name="x" state="hidden"/>' * 60 + "</sheets>"),
        "xl/_rels/workbook.xml.rels": ("</Rel", "".join(f'<Relationship Id="x{n}"/>' for n in range(60)) + "</Rel"),
    }[part]
    contents[part] = contents[part].replace(*many)
    assert refusal(Source(save(tmp_path / "users.xlsx", contents))).code == "source.damaged"


def test_what_a_workbook_expands_to_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = save(tmp_path / "users.xlsx", sound())
    monkeypatch.setattr(_package, "_SIZE_LIMIT", 1000)
    assert refusal(Source(file)).code == "source.too_large"


def test_a_part_that_claims_to_be_longer_than_the_file(tmp_path: Path) -> None:
    content = bytearray(sound_bytes())
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/worksheets/sheet1.xml"))
    struct.pack_into("<II", content, entry + 20, 1_000_000, 1_000_000)
    assert refusal(file_of(tmp_path, bytes(content))).code == "source.damaged"


def test_a_zip_bomb_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "users.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sound().items():
            archive.writestr(name, text)
        with archive.open("xl/media/image1.bin", "w") as stream:
            for _ in range(70):
                stream.write(bytes(1 << 20))
    source = Source(path)
    assert XlsxReader(Options(), context()).sniff(source) is Confidence.CERTAIN
    assert refusal(source).code == "source.too_large"


@pytest.mark.parametrize("filler", [0, 300])
def test_relatives_that_cannot_be_read_are_explained(tmp_path: Path, filler: int) -> None:
    # As in real files, storages stand ahead of the streams, so the directory goes on in a second sector; and the
    # directory may lie anywhere.
    ahead = ["\x06DataSpaces", "Version", "DataSpaceMap", "StrongEncryptionDataSpace"]
    protected = file_of(tmp_path, compound_file(*ahead, "EncryptionInfo", "EncryptedPackage", filler=filler))
    assert XlsxReader(Options(), context()).sniff(protected) is Confidence.CERTAIN
    error = refusal(protected)
    assert error.code == "source.encrypted"
    assert error.message == "users.xlsx is protected by a password; save it without one and try again"

    old = file_of(tmp_path, compound_file("\x05SummaryInformation", "Workbook", filler=filler))
    assert XlsxReader(Options(), context()).sniff(old) is Confidence.CERTAIN
    assert "Excel 97-2003 workbook (.xls); save it as .xlsx" in refusal(old).message

    letter = file_of(tmp_path, compound_file("WordDocument", "1Table", "Workbook", filler=filler))
    assert XlsxReader(Options(), context()).sniff(letter) is Confidence.NO
    assert refusal(letter).code == "source.unsupported"


def test_a_binary_workbook_is_explained(tmp_path: Path) -> None:
    contents = {name: text.replace("workbook.xml", "workbook.bin") for name, text in sound().items()}
    contents["xl/workbook.bin"] = contents.pop("xl/workbook.xml")
    source = Source(save(tmp_path / "users.xlsx", contents))
    assert XlsxReader(Options(), context()).sniff(source) is Confidence.CERTAIN
    assert ".xlsb" in refusal(source).message


def test_a_compound_file_with_an_absurd_header(tmp_path: Path) -> None:
    content = bytearray(compound_file("Other"))
    content[30] = 63
    assert XlsxReader(Options(), context()).sniff(file_of(tmp_path, bytes(content))) is Confidence.NO


def outcome_is_clean(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = file_of(Path(folder), content)
        reader = XlsxReader(Options(), context())
        reader.sniff(source)
        message = ""
        try:
            with reader.open(source) as sheet:
                list(sheet.rows())
        except SourceError as error:
            message = error.message
        except AmbiguousWorksheetError:
            pass
        assert "\n" not in message


@given(st.binary(max_size=600), st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]))
def test_any_bytes_are_rows_or_one_clear_line(content: bytes, magic: bytes) -> None:
    outcome_is_clean(magic + content)


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_damage_to_a_workbook_is_rows_or_one_clear_line(changes: list[tuple[float, int]]) -> None:
    content = bytearray(sound_bytes())
    for where, byte in changes:
        content[int(where * len(content))] = byte
    outcome_is_clean(bytes(content))


XML = st.recursive(
    st.text(st.sampled_from("0159-.eE \n#_xTZ"), max_size=6),
    lambda inner: st.builds(
        lambda tag, attributes, children: (
            f"<{tag} " + " ".join(f'{k}="{v}"' for k, v in attributes.items()) + f">{''.join(children)}</{tag}>"
        ),
        st.sampled_from(["row", "c", "v", "f", "is", "t", "r", "rPh", "sheetData", "col"]),
        st.dictionaries(
            st.sampled_from(["r", "t", "s", "min", "max", "hidden"]),
            st.sampled_from(
                [
                    "A1",
                    "B2",
                    "1",
                    "2",
                    "0",
                    "-1",
                    "s",
                    "str",
                    "inlineStr",
                    "n",
                    "d",
                    "b",
                    "e",
                    "",
                    "1e9",
                    "nan",
                    "9" * 30,
                ]
            ),
        ),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


@given(XML)
def test_any_xml_as_a_worksheet_is_rows_or_one_clear_line(xml: str) -> None:
    file = io.BytesIO()
    contents = parts(
        worksheet(xml), texts="<si><t>ana</t></si>", styles='<cellXfs><xf numFmtId="14"/><xf numFmtId="46"/></cellXfs>'
    )
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
    outcome_is_clean(file.getvalue())
