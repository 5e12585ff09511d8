from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import SheetInfo, Source, SourceError
from musterroll_plugins.readers.csv.reader import CsvOptions, CsvReader
from support.languages import OTHER, WESTERN_ENCODINGS
from support.languages import WESTERN as WESTERN_LANGUAGES
from support.lists import Verdict, list_of, read_list
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


def opened(folder: Path, content: bytes, **options: str) -> SheetInfo:
    path = folder / "users.csv"
    path.write_bytes(content)
    with CsvReader(CsvOptions.model_validate(options), context()).open(Source(path)) as sheet:
        return sheet.info


def read(folder: Path, content: bytes, **options: str) -> tuple[str, str | None]:
    path = folder / "users.csv"
    path.write_bytes(content)
    with CsvReader(CsvOptions.model_validate(options), context()).open(Source(path)) as sheet:
        rows = "".join(";".join(str(cell) for cell in row.cells) + "\n" for row in sheet.rows())
        return rows, sheet.info.guess


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_needs_no_guess(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, (WESTERN + "ип;Иван;Петров\n").encode(encoding)) == (WESTERN + "ип;Иван;Петров\n", None)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(tmp_path: Path, encoding: str) -> None:
    rows, guess = read(tmp_path, WESTERN.encode(encoding))
    assert rows == WESTERN
    assert guess is not None
    assert "UTF-16" in guess


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
        ("cp1251", "Username;Forename\nip;Иван\nos;Ольга\n"),
        ("cp1254", "Username;Ad;Soyad\nsy;Şükrü;Yılmaz\nic;İbrahim;Çağlar\ngo;Gökhan;Öztürk\n"),
        ("mac_roman", WESTERN.replace("ab;Åse;Bjørn\n", "")),
        ("cp850", WESTERN.replace("ab;Åse;Bjørn\n", "")),
        ("gb18030", "Username;姓名;部门\nww;王伟;销售部\nln;李娜;人事部\n"),
    ],
)
def test_other_encodings_are_guessed_and_said(tmp_path: Path, encoding: str, text: str) -> None:
    rows, guess = read(tmp_path, text.encode(encoding))
    assert rows == text
    assert guess is not None


def test_the_first_foreign_letter_may_come_late(tmp_path: Path) -> None:
    text = "Username;Forename\n" + "ana;Ana\n" * 50_000 + "jm;Jürgen\n"
    assert read(tmp_path, text.encode("cp1252"))[0].endswith("jm;Jürgen\n")


def test_a_named_encoding_is_taken_at_its_word(tmp_path: Path) -> None:
    assert read(tmp_path, WESTERN.encode("mac_roman"), encoding="macroman") == (WESTERN, None)
    assert read(tmp_path, WESTERN.encode("utf-8-sig"), encoding="utf8") == (WESTERN, None)
    assert read(tmp_path, WESTERN.encode("utf-16-be"), encoding="utf-16")[0] == WESTERN


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (WESTERN.encode("cp1252"), {"encoding": "utf-8"}),
        (WESTERN.encode("utf-16")[:-1], {}),
    ],
)
def test_text_that_is_not_in_its_encoding(tmp_path: Path, content: bytes, options: dict[str, str]) -> None:
    with pytest.raises(SourceError, match="throughout") as caught:
        read(tmp_path, content, **options)
    assert caught.value.code == "source.encoding"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (WESTERN.encode() + b"x\xff;y\n", 6),
        ("Username;Forename\na;Amélie\n".encode() + "b;Björn\n".encode("cp1252"), 3),
        ("Username;Forename\r\na;Björn\r\n".encode("cp1252") + "b;Amélie\r\n".encode(), 2),
        ("Username\ra\rZoë\r".encode() + "Björn\r".encode("cp1252"), 4),
        (("Username;Forename\n" + "a;Ana\n" * 90_000 + "b;Zoë\n").encode() + b"c;Zo\xeb\n", 90_003),
        (b"\xef\xbb\xbf" + "Username;Forename\na;Björn\n".encode("cp1252"), 2),
    ],
)
def test_lines_in_two_encodings_are_an_error(tmp_path: Path, content: bytes, line: int) -> None:
    (problem,) = opened(tmp_path, content).problems
    assert (problem.code, problem.is_error) == ("source.mixed_encoding", True)
    assert problem.message.startswith(f"Line {line} is not UTF-8")


@pytest.mark.parametrize("name", ["Änne", "Zoë", "René", "Peña", "Björk", "Çelik", "Šimek", "Óscar", "O’Brien"])
def test_one_name_is_windows_1252(tmp_path: Path, name: str) -> None:
    text = "Username;Forename\r\n" + "ana;Ana\r\n" * 30 + f"x;{name}\r\n"
    assert opened(tmp_path, text.encode("cp1252")).encoding == "cp1252"


def test_a_guess_decodes_everything(tmp_path: Path) -> None:
    """Windows-1252 has no byte 0x81, wherever in the file it stands."""
    text = "Username;Forename\n" + "r;René\n" * 40_000 + "m;Müller\n"
    info = opened(tmp_path, text.encode("cp850"))
    assert (info.encoding, info.guess is None) == ("cp850", False)


def test_nothing_decodes_everything(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="line 2") as caught:
        opened(tmp_path, b"Username;Forename\nx;a\x81b\x8dc\x90d\x80e\xa1f\xd2g\n")
    assert caught.value.code == "source.encoding"


def test_valid_utf_8_that_cannot_be_meant_is_a_guess(tmp_path: Path) -> None:
    assert opened(tmp_path, "Username;Forename\nx;Íñigo\n".encode("cp850")).guess is not None


def test_line_ends_prove_a_mac_of_old(tmp_path: Path) -> None:
    text = "Username;Forename\rx;José\r"
    assert read(tmp_path, text.encode("mac_roman"))[0] == text.replace("\r", "\n")
    assert opened(tmp_path, "Username;Forename\rx;Müller\r".encode("cp1252")).encoding == "cp1252"


def test_a_mark_may_come_twice(tmp_path: Path) -> None:
    text = '"Username";Forename\nx;Zoë\n'
    assert read(tmp_path, b"\xef\xbb\xbf" * 2 + text.encode()) == (text.replace('"', ""), None)


@pytest.mark.parametrize("piece", [b"x", b"\xe4x", b'\xe4,"', b"\xe4 ", b"\xe4\0"])
def test_a_long_line_takes_no_longer_than_many_short_ones(tmp_path: Path, piece: bytes) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(b"Username\n" + piece * (8_000_000 // len(piece)) + b"\xe4\n")
    began = time.process_time()
    with suppress(SourceError), CsvReader(CsvOptions(), context()).open(Source(path)) as sheet:
        for _ in sheet.rows():
            pass
    assert time.process_time() - began < 5


@pytest.mark.parametrize("language", WESTERN_LANGUAGES)
@pytest.mark.parametrize("size", [1, 10, 100])
def test_western_european_lists_are_always_right(tmp_path: Path, language: str, size: int) -> None:
    draw = random.Random(language)
    for _ in range(4):
        text = list_of(WESTERN_LANGUAGES[language].split(), "cp1252", size, draw)
        assert read_list(tmp_path, text, "cp1252") is Verdict.RIGHT


def test_western_european_lists_of_many_languages_are_right(tmp_path: Path) -> None:
    draw = random.Random(1)
    for _ in range(40):
        words = " ".join(draw.sample(list(WESTERN_LANGUAGES.values()), draw.randint(2, 5))).split()
        text = list_of(words, "cp1252", draw.choice([5, 20, 100]), draw)
        assert read_list(tmp_path, text, "cp1252") is Verdict.RIGHT


@pytest.mark.parametrize("language", [*WESTERN_LANGUAGES, *OTHER])
def test_nothing_is_wrong_without_a_warning(tmp_path: Path, language: str) -> None:
    encodings, words = OTHER.get(language, (WESTERN_ENCODINGS, WESTERN_LANGUAGES.get(language, "")))
    draw = random.Random(language)
    for encoding in encodings:
        found = {
            size: read_list(tmp_path, list_of(words.split(), encoding, size, draw), encoding) for size in (1, 10, 100)
        }
        assert Verdict.SILENT not in found.values()
        if encoding == encodings[0]:
            assert found[100] is Verdict.RIGHT


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with TemporaryDirectory() as folder, suppress(SourceError):
        info = opened(Path(folder), content)
        if info.guess is None and not info.problems:
            assert info.encoding is not None
            content.decode(info.encoding)
