"""Messages that can be translated: looked up first, filled in afterwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from gettext import NullTranslations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import gettext, ngettext
from musterroll.contract import translation
from support.rows import row
from support.scripts import docs_script

CATALOGUES = docs_script("catalogues")
# Where a text that is looked up by a name only looks as if it were another one, or is one of a table.
_BY_NAME = ("contract/translation.py:", "pipeline/fields.py:", "output/text/words.py:")
_FILLED_IN_BY_A_SCRIPT = "reports/forms/page.py:"


class German(NullTranslations):
    def gettext(self, message: str) -> str:
        return {
            '{heading} begins with "{prefix}"': '"{prefix}" steht vor {heading}',
            "A typo": "Ein {Tippfehler}",
        }.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return "{count} Zeile" if n == 1 else "{count} Zeilen"


def test_values_come_into_a_message_after_it_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translation, "catalogue", German)
    problem = row(phone="07712345678").problem("phone", "x.y", '{heading} begins with "{prefix}"', prefix=0)
    assert problem.message == '"0" steht vor Phone'
    assert (ngettext("{count} row", "{count} rows", 1), ngettext("{count} row", "{count} rows", 0)) == (
        "1 Zeile",
        "0 Zeilen",
    )
    assert gettext("A typo") == "Ein {Tippfehler}"  # a translator's mistake costs nobody a problem


def test_a_message_without_values_is_said_as_it_stands() -> None:
    typed = row(forename="Ana", note="x")
    assert typed.problem("forename", "x.y", "Write {a} or {0}, 100 % {}").message == "Write {a} or {0}, 100 % {}"
    assert typed.problem("forename", "x.y", "{heading} {other}", other="{heading}").message == "Forename {heading}"
    assert typed.problem("note", "x.y", "{heading} is odd").message == "note is odd"
    assert typed.problem("note", "x.y", "{code} {field}", code=1, field=2).message == "1 2"


def test_a_value_shows_nothing_but_its_text() -> None:
    secret = row(password="Zx9!Kq2#").secret("password")
    assert gettext("{it} {it.reveal} {it!r}", it=secret) == "*** {it.reveal} {it!r}"


@given(st.text(), st.dictionaries(st.sampled_from(["a", "b"]), st.text()))
def test_no_text_breaks_a_message(message: str, values: dict[str, str]) -> None:
    assert gettext(message) == message
    assert gettext("<{a}|{b}>", **values) == f"<{values.get('a', '{a}')}|{values.get('b', '{b}')}>"


def messages() -> Iterator[tuple[str, ast.expr, ast.Call]]:
    """Where each message is, itself or what is assigned to its name, and the call that takes it."""
    for package in CATALOGUES.PACKAGES:
        found = CATALOGUES.written(package)
        assert found, package
        yield from found


def test_no_message_is_put_together_before_it_is_looked_up() -> None:
    put_together = [
        where
        for where, message, _ in messages()
        for text in CATALOGUES.texts_in(message)
        if not _is_written_out(text) and not where.startswith(_BY_NAME)
    ]
    assert put_together == []


def _is_written_out(text: ast.expr) -> bool:
    return not isinstance(text, ast.JoinedStr | ast.BinOp)


def test_every_name_in_a_message_has_a_value() -> None:
    given_anyway = {
        "problem": {"heading"},
        "_invalid": {"heading"},
        "_keep": {"user"},
        "_report": {"user"},
        "cannot": {"name"},
        "ngettext": {"count"},
    }
    filled_in_elsewhere = {"CellFault", "gettext_noop", "ngettext_noop"}
    for where, message, call in messages():
        name = CATALOGUES.called(call)
        values = {word.arg for word in call.keywords}
        if (
            isinstance(message, ast.Constant)
            and None not in values
            and name not in filled_in_elsewhere
            and ", " not in where
            and not where.startswith(_FILLED_IN_BY_A_SCRIPT)
        ):
            wanted = {found[1] for found in translation._PLACEHOLDER.finditer(str(message.value))}
            assert wanted <= values | given_anyway.get(name, set()), where


@pytest.mark.parametrize(
    ("language", "said"), [("en", ["0.5", "12,345.68", "12,346"]), ("de", ["0,5", "12.345,68", "12.346"])]
)
def test_fractions_are_written_as_people_write_them(language: str, said: list[str]) -> None:
    with translation.in_language(language):
        found = [translation.fraction(number, places) for number, places in ((0.5, 1), (12345.678, 2), (12345.678, 0))]
    assert found == said
