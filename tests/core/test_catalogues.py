"""The catalogues of translations: nothing is missing, nothing is left over, and every value finds its place."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import polib
import pytest

from musterroll.contract import translation
from support.scripts import docs_script

CATALOGUES = docs_script("catalogues")
FILES = sorted(path for package in CATALOGUES.PACKAGES for path in (package / "languages").glob("*.po"))
# What must be typed as it stands: options, commands, files.
_TO_TYPE = re.compile(r"`[^`]+`|--[a-z-]+")


def name_of(path: Path) -> str:
    return f"{path.parents[1].name} {path.stem}"


@pytest.fixture(params=FILES, ids=name_of)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_there_are_catalogues_of_every_package_in_every_language() -> None:
    packages = {package.name for package in CATALOGUES.PACKAGES}
    expected = {(package, code) for package in packages for code in translation.languages() if code != "en"}
    assert {(path.parents[1].name, path.stem) for path in FILES} == expected
    assert len(expected) > 1


def test_every_text_of_the_sources_is_in_the_catalogue_and_no_other(path: Path) -> None:
    made = str(CATALOGUES.brought_up_to_date(path.parents[1], path.stem))
    assert path.read_text(encoding="utf-8") == made, "run python docs/catalogues.py"


def test_every_text_is_translated(path: Path) -> None:
    catalogue = polib.pofile(str(path))
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []


def test_every_placeholder_of_a_text_is_in_its_translation(path: Path) -> None:
    for entry in polib.pofile(str(path)):
        if not entry.msgid_plural:
            assert placeholders(entry.msgstr) == placeholders(entry.msgid), entry.msgid
            continue
        # A form may say the number in words.
        wanted = [placeholders(text) | {"count"} for text in (entry.msgid, entry.msgid_plural)]
        for text in entry.msgstr_plural.values():
            assert placeholders(text) | {"count"} in wanted, entry.msgid


def placeholders(text: str) -> set[str]:
    return {found[1] for found in translation._PLACEHOLDER.finditer(text)}


def test_what_must_be_typed_stays_and_blanks_at_the_ends_do_too(path: Path) -> None:
    for entry in polib.pofile(str(path)):
        several = entry.msgid_plural
        for text in entry.msgstr_plural.values() if several else [entry.msgstr]:
            assert Counter(_TO_TYPE.findall(text)) == Counter(_TO_TYPE.findall(several or entry.msgid)), entry.msgid
            for end in (0, -1):
                assert entry.msgid[end].isspace() == text[end].isspace(), entry.msgid
