"""What is no TOML is said with the line, a mark below the place, and what to write instead."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from musterroll.errors import Mistake, PipelineError
from musterroll.pipeline.files import read_chain
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.positions import Positions

from .conftest import HEAD, Load

KEYS = st.text("abC-_1 .é\"'", min_size=1, max_size=5)
VALUES = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=15,
)


def mistake_in(folder: Path, content: str | bytes) -> Mistake:
    (folder / "a.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PipelineError) as caught:
        read_chain(folder / "a.toml", folder)
    (mistake,) = caught.value.mistakes
    return mistake


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("on_error = skip", 1, 12, 'text needs quotation marks: on_error = "skip"'),
        ("a = 1\nb = 007 # odd", 2, 5, 'text needs quotation marks: b = "007"'),
        ("a = 20%", 1, 5, 'text needs quotation marks: a = "20%"'),
        ("a = C:\\new", 1, 5, "text needs quotation marks: a = 'C:\\new'"),
        ("confirm = True", 1, 11, "write true, in lower case"),
        ("confirm = no", 1, 11, "write false, in lower case"),
        ("a = null", 1, 5, "leave the key out"),
        ("a =", 1, 4, 'the value is missing after "="'),
        ("= 5", 1, 1, 'the key is missing before "="'),
        ("a", 1, 2, "the value is missing"),
        ("a == 5", 1, 4, 'write "=" once'),
        ("a: 5", 1, 2, 'write "=" instead of ":"'),
        ("a = 1;", 1, 5, 'leave ";" out'),
        ("// a", 1, 1, 'a comment begins with "#"'),
        ("[sheet", 1, 1, "write [sheet]"),
        ("[[validators]", 1, 1, "write [[validators]]"),
        ("[sheet]]", 1, 1, "write [sheet]"),
        ("[a b]", 1, 1, "a table begins with its name in brackets"),
        ("a = 1\r\nb = 2\r\na = 3\r\n", 3, 1, "this key is there already, in line 1"),
        ("[a]\nx = 1\n[a]\n", 3, 1, "this table is there already, in line 1"),
        ("a = {x = 1, x = 2}", 1, 13, "this key is there already, in line 1"),
        ("a = 1\na.b = 2", 2, 8, "a part of this name is something else already"),
        ('a = "x\nb = 1', 1, 5, "the quotation mark is not closed"),
        ('a = """x\nb = 1', 1, 5, "the quotation mark is not closed"),
        ('a = "C:\\Users"', 1, 10, "a \\ in quotation marks has a meaning of its own"),
        ("a = 'it's'", 1, 5, "the text ends at the second '"),
        ("a = [1,\n2\n\nb = 1", 1, 5, 'this "[" is not closed'),
        ("a = {\nb = 1 }", 1, 6, "a table in braces stands on one line"),
        ("a = {b = 1,}", 1, 12, 'a comma too much before "}"'),
        ("a = “x”", 1, 5, "write straight quotation marks"),
        ("\u00a0a = 1", 1, 1, "an invisible character (U+00A0) stands here"),
        ("a = 1\rb = 2", 1, 6, "a line ends as on old Macs"),
        ("\ta =\tyes", 1, 6, "write true"),
        ("x = 1\na = " + "1" * 5000, 2, 5, "too many digits"),
        ("a = 'x\x00'", 1, 7, "a control character stands here"),
    ],
)
def test_a_fault_has_its_place_and_its_remedy(tmp_path: Path, text: str, line: int, column: int, said: str) -> None:
    mistake = mistake_in(tmp_path, text)
    assert mistake.message.startswith(f"line {line}, column {column}: ")
    assert said in mistake.message
    assert mistake.line == line
    shown, mark = mistake.excerpt
    assert shown.startswith(f"{line:>5} | ")
    assert mark.index("^") == column + 7


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbfname = 'a'\r\n\tconfirm\t=\ttrue\r\n", b"name = 'a' \t\n\n\n# \xc3\xa4\n"]
)
def test_a_bom_tabs_and_the_line_ends_of_windows_are_no_faults(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    assert read_chain(tmp_path / "a.toml", tmp_path)[-1].settings["name"] == "a"


def test_what_is_not_utf8_is_shown_too(tmp_path: Path) -> None:
    mistake = mistake_in(tmp_path, b'\xef\xbb\xbfname = "a"\n[sheet]\nworksheet = "B\xfccher"\n')
    assert mistake.message == "line 3 is not UTF-8 text; save the file as UTF-8"
    assert mistake.excerpt == ('    3 | worksheet = "Bücher"', "      |               ^")
    assert "UTF-16" in mistake_in(tmp_path, "name = 'a'".encode("utf-16")).message


@pytest.mark.parametrize(
    "text",
    [
        "[sheet.defaults]\npassword = hunter2",
        "options = { user = 'x', token = hunter2 }",
        "api_key: hunter2",
        "url = https://me:hunter2@x/",
        'token = "hunter2',
        "client-secret == 'hunter2'",
    ],
)
def test_no_fault_shows_a_secret(tmp_path: Path, text: str) -> None:
    mistake = mistake_in(tmp_path, text)
    assert "hunter2" not in "".join([mistake.message, *mistake.excerpt])


@given(st.text("a=[]{}\"'#\n\\, 1.\t\r", max_size=30))
def test_whatever_is_no_toml_has_a_place_in_it(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        mistake = mistake_in(tmp_path_factory.getbasetemp(), text)
        assert mistake.line is not None
        assert len(mistake.excerpt) == 2


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.booleans())
def test_every_key_has_a_position(data: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(data, multiline_strings=multiline)
    found = Positions(text).found

    def paths(value: Any, path: tuple[str | int, ...]) -> None:
        if path:
            assert path in found
        entries: Any = value.items() if isinstance(value, dict) else ()
        entries = enumerate(value) if isinstance(value, list) else entries
        for key, inner in entries:
            paths(inner, (*path, key))

    paths(tomllib.loads(text), ())


class TestMistakesOfSettings:
    def excerpts(self, load: Load, text: str, **more: Any) -> dict[str, tuple[int | None, tuple[str, ...]]]:
        with pytest.raises(PipelineError) as caught:
            load(text, **more)
        return {mistake.path: (mistake.line, mistake.excerpt) for mistake in caught.value.mistakes}

    def test_they_have_their_line(self, load: Load) -> None:
        text = """\
[[validators]]
name = "other"
use = "length"
[[validators]]
name = "corporate-mail"
use = "email-domain"
[validators.options]
domains = ["a", 5]
mode = "strcit"
[profiles.live]
confirm = "no"
"""
        found = self.excerpts(load, text, profile="live")
        assert found == {
            "confirm": (12, ('   12 | confirm = "no"', "      |           ^")),
            "validators[corporate-mail].options.domains[1]": (9, ("    9 | … 5", "      |   ^")),
            "validators[corporate-mail].options.mode": (10, ('   10 | mode = "strcit"', "      |        ^")),
        }

    def test_no_value_is_shown_that_may_be_a_secret(self, load: Load) -> None:
        canary = "hunter2-canary"
        found = self.excerpts(
            load,
            f"""
            [sheet.defaults]
            password = ["{canary}"]
            surnam = "{canary}"
            [backend]
            options = {{ token = ["{canary}"], api_key = ["{canary}"], pin = 1, url = 5, login = "{canary}" }}
            [readers.texty]
            pn = "{canary}"
            """,
        )
        assert len(found) == 7
        assert canary not in str(found)
        assert found["backend.options.url"] == (7, ("    7 | … url = 5", "      |         ^"))
        assert found["backend.options.pin"][1][0].endswith("… pin = …")

    def test_those_of_a_base_have_that_of_the_base(self, load: Load, folder: Path) -> None:
        (folder / "base.toml").write_text("\n\nplugins = [\n 'x.py']\n", encoding="utf-8")
        found = self.excerpts(load, "", head=HEAD + 'extends = "base.toml"\nplugins = ["y.py"]\n')
        assert found["plugins[0]"][0] in (3, 4)
        assert len(found) == 1 or found["plugins[1]"][0]

    def test_elements_without_a_name_of_their_own_have_theirs(self, load: Load) -> None:
        found = self.excerpts(load, '[[validators]]\nuse = "length"\n[[groups]]\nname="x"\n[[groups]]\nname="x"\n')
        assert {path: line for path, (line, _) in found.items() if line in (2, 6)} == {
            "validators[0]": 2,
            "groups[x]": 6,
        }

    def test_what_is_missing_has_the_line_of_its_table(self, load: Load) -> None:
        found = self.excerpts(load, '[[sheet.fields]]\nname = "badge"\n')
        assert found == {"sheet.fields[badge].heading": (2, ("    2 | [[sheet.fields]]", "      | ^"))}


def test_the_command_shows_them(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    from musterroll_cli.main import main

    Path("b.toml").write_text('name = "b"\nconfirm = "no"\n', encoding="utf-8")
    assert main(["pipeline", "check", "-p", "b.toml"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: b.toml: confirm: should be true or false; write false",
        '    2 | confirm = "no"',
        "      |           ^",
    ]
    assert load_pipeline(None).name
