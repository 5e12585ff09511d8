from __future__ import annotations

from pathlib import Path

import pytest

from musterroll import Source, SourceError
from musterroll_plugins.readers.csv import CsvOptions, CsvReader
from support.rows import context

WESTERN = "Username;Forename;Surname\njm;Jürgen;Müller\njp;José;Peña\nfl;François;Lefèvre\nab;Åse;Bjørn\n"

# Other encodings of Windows score a little better here.
WESTERN_NAMES = """\
v0;Martínez;Conceição
v1;López;Ægir
v2;Verónica;Íñigo
v3;Fernández;Håkan
v4;Jérôme;Anaïs
v5;Gaël;José
v6;Antônio;Hélène
v7;Ægir;López
"""


def read(folder: Path, content: bytes, **options: str) -> tuple[str, tuple[str, ...]]:
    path = folder / "users.csv"
    path.write_bytes(content)
    with CsvReader(CsvOptions.model_validate(options), context()).open(Source(path)) as sheet:
        rows = "".join(";".join(str(cell) for cell in row.cells) + "\n" for row in sheet.rows())
        return rows, sheet.info.notes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_needs_no_guess(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, (WESTERN + "ип;Иван;Петров\n").encode(encoding)) == (WESTERN + "ип;Иван;Петров\n", ())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(tmp_path: Path, encoding: str) -> None:
    rows, (note,) = read(tmp_path, WESTERN.encode(encoding))
    assert rows == WESTERN
    assert "UTF-16" in note


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", WESTERN),
        ("cp1252", "Username;Forename\nrd;René\n"),
        ("cp1252", "Username;Forename\nzb;Zoë\n"),
        ("cp1252", WESTERN_NAMES),
        ("cp1252", "Username;Note\nx;costs 5 € – “really”\n"),
        ("cp1250", "Username;Jméno;Příjmení\njd;Jiří;Dvořák\nrs;Řehoř;Šťastný\n"),
        ("cp1250", "Username;Imię\nlz;Łukasz;Żółć\nbw;Błażej;Wójcik\ngk;Grażyna;Kowalska\n"),
        ("cp1251", "Username;Имя;Фамилия\nip;Иван;Петров\noi;Ольга;Иванова\n"),
        ("cp1251", "Username;Forename\nip;Иван\n"),
        ("cp1254", "Username;Ad;Soyad\nsy;Şükrü;Yılmaz\nic;İbrahim;Çağlar\ngo;Gökhan;Öztürk\n"),
        ("mac_roman", WESTERN.replace("ab;Åse;Bjørn\n", "")),
        ("cp850", WESTERN.replace("ab;Åse;Bjørn\n", "")),
        ("gb18030", "Username;姓名;部门\nww;王伟;销售部\nln;李娜;人事部\n"),
    ],
)
def test_other_encodings_are_guessed_and_said(tmp_path: Path, encoding: str, text: str) -> None:
    rows, (note,) = read(tmp_path, text.encode(encoding))
    assert rows == text
    assert "guess" in note


def test_the_first_foreign_letter_may_come_late(tmp_path: Path) -> None:
    text = "Username;Forename\n" + "ana;Ana\n" * 50_000 + "jm;Jürgen\n"
    assert read(tmp_path, text.encode("cp1252"))[0].endswith("jm;Jürgen\n")


def test_a_named_encoding_is_taken_at_its_word(tmp_path: Path) -> None:
    assert read(tmp_path, WESTERN.encode("mac_roman"), encoding="macroman") == (WESTERN, ())
    assert read(tmp_path, WESTERN.encode("utf-8-sig"), encoding="utf8") == (WESTERN, ())
    assert read(tmp_path, WESTERN.encode("utf-16-be"), encoding="utf-16")[0] == WESTERN


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (WESTERN.encode("cp1252"), {"encoding": "utf-8"}),
        (b"\xef\xbb\xbf" + WESTERN.encode("cp1252"), {}),
        (WESTERN.encode("utf-16")[:-1], {}),
    ],
)
def test_text_that_is_not_in_its_encoding(tmp_path: Path, content: bytes, options: dict[str, str]) -> None:
    with pytest.raises(SourceError, match="throughout") as caught:
        read(tmp_path, content, **options)
    assert caught.value.code == "source.encoding"


def test_utf_8_with_one_broken_byte_is_not_guessed_into_nonsense(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="line 6") as caught:
        read(tmp_path, WESTERN.encode() + b"x\xff;y\n")
    assert caught.value.code == "source.encoding"
