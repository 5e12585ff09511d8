from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Options, Severity
from musterroll_plugins.validators._mojibake import repaired
from musterroll_plugins.validators.characters import Characters
from support.rows import context, row

CHARACTERS = Characters(Options(), context())

# Real names and words of many languages, in ordinary spelling and in capitals, with the dashes and quotes people use.
NAMES = """
    Ångström, Ãlvaro, João, São Paulo, Conceição, Guimarães, Magalhães, Estêvão, Brandão, Simões,
    José María, Muñoz, Núñez, Peña, Íñigo, Óscar, Zoë, François, Noël, Hélène, Agnès, Benoît, Maïté, Jérôme,
    Çelik, Şahin, Yıldız, Öztürk, Ümit, İbrahim, Ağaoğlu, Müller, Jörg, Weiß, Straße, Käthe, Björn, Åse,
    Øystein, Æsa, Søren, Þórður, Guðmundsdóttir, Sigríður, Mäkelä, Hämäläinen, Seppälä–Virtanen, Õnne, Jõgi,
    Ülo, Žydrūnas, Kęstutis, Šarūnas, Āris, Ģirts, Ķīse, Łukasz, Wałęsa, Święch, Żółć, Gałęziewski, Dvořák,
    Růžička, Růžičková, Čapek, Šťastný, Tomáš, Lukáš, Ľudovít, Ďurica, Jožef, Ćirić, Đorđević, Žižek,
    Šešelj, Gergő, Erdős, Szőke, Ştefan, Ștefan, Țepeș, Băsescu, Tășnad, Tăşnad, Râşnov,
    Nguyễn Thị Minh Khai, Trần Đình, Lê Văn Đức, Phạm Nhật Vượng, Đặng, Hồ Chí Minh, D’Amico, O’Brien,
    L’Île, d’Éon, Jean–Éric, René–Marie, «Hervé», “Café”, Málaga – Córdoba, Überlingen…, Nº 5, 1ª, 2º,
    25 °C, ½, Müller & Söhne®, Мария Иванова, Сергей, Рёрих, Юлія, Вікторія, Діма, Сірі, Рівне, Єва,
    Їжакевич, Ґалаґан, Ўладзімір, Љубица, Њего, Ђорђе, Ћирић, Јован, Ѓорѓи, Ќосе, Παπαδόπουλος, Γιώργος,
    Αγγελική, דוד, שָׁלוֹם, محمد, فاطمة, می‌خواهم, 山田太郎, 김철수, 李小龍, สมชาย, อรุณ, नमस्ते, প্রিয়া, Հայկ,
    გიორგი, Ruža, Čáp–Ková, Ħal, Ġorġ, Siân, Ŵyn, Añorga, Lluïsa, Besòs, Pàmpols
"""


def _names() -> list[str]:
    names = [name.strip() for name in NAMES.replace("\n", " ").split(",") if name.strip()]
    return sorted({*names, *(name.upper() for name in names), *(name.lower() for name in names)})


@pytest.mark.parametrize("name", _names())
def test_real_names_draw_no_warning(name: str) -> None:
    assert repaired(name) is None
    assert [p.code for p in CHARACTERS.check(row(surname=name)) if p.code.endswith("mojibake")] == []


def test_names_beside_one_another_draw_no_warning_either() -> None:
    names = _names()
    for joint in (" ", "-", "–", "’", "/", " – ", "|", "; "):
        assert [both for a, b in pairwise(names) if repaired(both := f"{a}{joint}{b}")] == []


def misread(text: str, encoding: str) -> str:
    """What UTF-8 looks like where it is taken for another encoding."""
    return "".join(bytes([octet]).decode(encoding, "ignore") or chr(octet) for octet in text.encode())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("MÃ¼ller", "Müller"),
        ("FranÃ§ois", "François"),
        ("FranÃ§ois Müller", "François Müller"),
        ("MÃœLLER", "MÜLLER"),
        ("MÃ–LLER", "MÖLLER"),
        ("JosÃ©", "José"),
        ("Oâ€™Brien", "O’Brien"),
        ("WaÅ‚Ä™sa", "Wałęsa"),
        ("ÅžimÅŸek", "Şimşek"),
        ("Nguyá»…n", "Nguyễn"),
        ("MÃƒÂ¼ller", "Müller"),  # twice
        ("VoilÃ", "Voilà"),
        ("CittÃ di Castello", "Città di Castello"),
        ("JohnÂ Smith", "John Smith"),
        ("M√ºller", "Müller"),
        ("M├╝ller", "Müller"),
        ("MГјller", "Müller"),
        ("WaĹ‚Ä™sa", "Wałęsa"),
        ("ÐŸÐµÑ‚ÐµÐ½", "Петен"),
        ("РњР°СЂРёСЏ", "Мария"),
        ("æ—¥æœ¬", "日本"),
        ("Mï¿½ller", None),
    ],
)
def test_what_was_read_in_the_wrong_encoding_is_a_warning_with_what_it_was(typed: str, meant: str | None) -> None:
    (problem,) = CHARACTERS.check(row(surname=typed))
    assert (problem.code, problem.severity, problem.cell) == ("surname.mojibake", Severity.WARNING, "D3")
    assert (problem.value, problem.suggestion) == (typed, meant)
    assert meant is None or not list(CHARACTERS.check(row(surname=meant)))


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp850", "cp437", "cp1250"])
def test_most_western_names_are_recognised_in_every_encoding(encoding: str) -> None:
    names = [name for name in _names() if not name.isascii() and max(name) < "\u0180" and not name.isupper()]
    found = [name for name in names if repaired(misread(name, encoding)) is not None]
    assert len(found) > 0.95 * len(names)
    for name in found:
        assert repaired(misread(name, encoding)).text in (name, None)  # type: ignore[union-attr]


def test_where_controls_are_left_it_is_an_error_that_suggests_what_it_was() -> None:
    (problem,) = CHARACTERS.check(row(surname="M\u00c3\u009cLLER"))
    assert (problem.code, problem.suggestion) == ("surname.control_characters", "MÜLLER")


@given(st.text(st.sampled_from("aZ ÃÂÄÅÉâ€™¼§œ–РСіїёҐ√├∂ \ufffd\u009c") | st.characters()))
def test_no_text_breaks_it(text: str) -> None:
    list(CHARACTERS.check(row(surname=text)))
    found = repaired(text)
    assert found is None or (found.piece in text or found.piece)
