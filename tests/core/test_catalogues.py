"""The catalogues of translations: nothing is missing, nothing is left over, and every value finds its place."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest

from musterroll.contract import translation
from support.scripts import ROOT, docs_script

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


# In English for now (docs/languages.md): for those who write plugins, and what is said before a language is known.
_ENGLISH = (
    "cli/musterroll_cli/main.py",
    "cli/musterroll_cli/output/console.py",
    "cli/musterroll_cli/commands/new_plugin.py",
    "core/musterroll/commands/rehearse.py",
    "core/musterroll/reports/forms/table.py",  # the columns of a csv
)
_TELLING = frozenset({"line", "warn", "Styled", "Column", "OtherFormat"})
_ERRORS = re.compile(r"[A-Z]\w*Error")
_OTHERS = frozenset({"AnswerError", "AttributeError", "DatabaseError", "PipelineError", "TypeError", "ValueError"})
_ROOMS = (
    *("core/musterroll/commands", "core/musterroll/execute", "core/musterroll/journal", "core/musterroll/plan"),
    *("core/musterroll/reports", "core/musterroll/sheet", "core/musterroll/written"),
    *("cli/musterroll_cli", "plugins/musterroll_plugins/readers"),
)


def test_what_a_person_is_told_is_looked_up() -> None:
    paths = [path for room in _ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    found = [text for path in paths for text in said_in_english(path)]
    assert not found, "\n".join(found)


def said_in_english(path: Path) -> Iterator[str]:
    name = path.relative_to(ROOT).as_posix()
    if name in _ENGLISH:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and tells(called(node)) and (text := written_out(node.args[0])):
            yield f"{name}:{node.lineno}: {text}"


def called(call: ast.Call) -> str:
    return str(CATALOGUES.called(call))


def tells(name: str) -> bool:
    return name in _TELLING or bool(_ERRORS.fullmatch(name) and name not in _OTHERS)


def written_out(node: ast.expr) -> str:
    """The words of a text that stand in an expression itself, and not where they are looked up."""
    if isinstance(node, ast.Call):
        return ""  # gettext, or what makes a text elsewhere
    if isinstance(node, ast.JoinedStr):
        return " ".join(filter(None, (written_out(part) for part in node.values)))
    if isinstance(node, ast.IfExp):
        return written_out(node.body) or written_out(node.orelse)
    if isinstance(node, ast.BinOp):
        return written_out(node.left) or written_out(node.right)
    text = str(node.value) if isinstance(node, ast.Constant) else ""
    return text if re.search(r"[A-Za-z]{3}", text.removeprefix("  musterroll ")) else ""
