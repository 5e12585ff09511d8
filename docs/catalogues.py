"""Brings the catalogues of translations up to date with the sources: `python docs/catalogues.py [LANGUAGE]`.

Every package has its own, `languages/LANGUAGE.po`. Texts that are new are added without a translation, texts that are
gone are taken out, and with a LANGUAGE that there is none of yet its files are made. What is translated stays as it is.

A text is found where it is written out as the argument of `gettext`, `ngettext`, `gettext_noop`, or of what hands it on
(`row.problem` and the like), in what codes mean (`codes.toml`), in the columns of `standard.toml`, and in templates.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import polib
from jinja2 import Environment

ROOT = Path(__file__).parents[1]
PACKAGES = (
    ROOT / "core" / "musterroll",
    ROOT / "plugins" / "musterroll_plugins",
    ROOT / "cli" / "musterroll_cli",
)
# Where the message stands among the arguments; `_keep` and the like hand theirs on.
MESSAGE_AT = {
    "gettext": (0,),
    "gettext_noop": (0,),
    "ngettext": (0, 1),
    "ngettext_noop": (0, 1),
    "stage": (0,),
    "problem": (2,),
    "_invalid": (1,),
    "_keep": (1,),
    "_report": (1,),
    "cannot": (1,),
    "CellFault": (1,),
}
_EXPLAINED = ("when", "advice", "example")
_IN_TEMPLATES = ("_", "ngettext")
_OF_FIELDS = ("heading", "guidance")
_PLACEHOLDERS = re.compile(r"\{[a-z_]+\}")
_PLURALS = {"de": "nplurals=2; plural=(n != 1);"}
_USUAL_PLURALS = "nplurals=2; plural=(n != 1);"


class Text(NamedTuple):
    """A text to translate, and that for several where it counts."""

    text: str
    several: str = ""


class Written(NamedTuple):
    """Where a message is written: itself, and the call that takes it."""

    where: str
    message: ast.expr
    call: ast.Call


@cache
def written(package: Path) -> tuple[Written, ...]:
    """Returns where messages are written in the modules of a package, in the order of the files."""
    found: list[Written] = []
    for path in sorted(package.rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        messages = list(_messages(module, path.relative_to(package).as_posix()))
        assigned = _assigned(module) if any(isinstance(one.message, ast.Name) for one in messages) else {}
        found += chain.from_iterable(_with_assigned(assigned, one) for one in messages)
    return tuple(found)


def _messages(module: ast.Module, file: str) -> Iterator[Written]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = called(node)
            where = f"{file}:{node.lineno}"
            yield from (Written(where, node.args[at], node) for at in MESSAGE_AT.get(name, ()) if at < len(node.args))
            if name == "Problem":
                yield from (Written(where, word.value, node) for word in node.keywords if word.arg == "message")


def _assigned(module: ast.Module) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return found


def _with_assigned(assigned: dict[str, list[ast.expr]], one: Written) -> Iterator[Written]:
    """What is written there, and what is assigned to its name."""
    yield one
    if isinstance(one.message, ast.Name):
        for value in assigned.get(one.message.id, ()):
            yield Written(f"{one.where}, {one.message.id} of line {value.lineno}", value, one.call)


def called(call: ast.Call) -> str:
    """Returns the name of what is called."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def texts_in(message: ast.expr) -> Iterator[ast.expr]:
    """Yields the texts that a message may be, as they are written."""
    if isinstance(message, ast.IfExp):
        yield from chain(texts_in(message.body), texts_in(message.orelse))
    else:
        yield message


def texts_of(package: Path) -> dict[Text, str]:
    """Returns the texts of a package, and the file that each is first found in."""
    found: dict[Text, str] = {}
    for where, message, call in written(package):
        file = where.partition(":")[0]
        if called(call) in ("ngettext", "ngettext_noop"):
            one, several = call.args[:2]
            if message is one and isinstance(one, ast.Constant) and isinstance(several, ast.Constant):
                found.setdefault(Text(str(one.value), str(several.value)), file)
            continue
        for text in texts_in(message):
            if isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value:
                found.setdefault(Text(text.value), file)
    for text, file in chain(_of_tables(package), _of_templates(package)):
        found.setdefault(text, file)
    return {text: file for text, file in found.items() if _PLACEHOLDERS.sub("", text.text).strip()}


def _of_tables(package: Path) -> Iterator[tuple[Text, str]]:
    for path in sorted(package.rglob("*.toml")):
        data, file = tomllib.loads(path.read_text(encoding="utf-8")), path.relative_to(package).as_posix()
        rows: list[tuple[dict[str, Any], tuple[str, ...]]] = []
        if path.name == "codes.toml":
            rows = [(said, _EXPLAINED) for codes in data.values() for said in codes.values()]
        elif path.name == "standard.toml":
            rows = [(field, _OF_FIELDS) for field in data["sheet"]["fields"]]
        for said, keys in rows:
            yield from ((Text(said[key]), file) for key in keys if said.get(key))


def _of_templates(package: Path) -> Iterator[tuple[Text, str]]:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    for path in sorted(package.rglob("templates/*.html")):
        for _, _, found in environment.extract_translations(path.read_text(encoding="utf-8"), _IN_TEMPLATES):  # type: ignore[attr-defined]
            texts = [text for text in (found if isinstance(found, tuple) else (found,)) if text]
            if texts:  # else it is looked up by a name
                yield Text(*texts[:2]), path.relative_to(package).as_posix()


def brought_up_to_date(package: Path, language: str) -> polib.POFile:
    """Returns the catalogue of a package with all of its texts and no others, in the order of the files."""
    path = package / "languages" / f"{language}.po"
    earlier = {_text(one): one for one in polib.pofile(str(path))} if path.exists() else {}
    catalogue = polib.POFile(wrapwidth=118)
    catalogue.metadata = {
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": _PLURALS.get(language, _USUAL_PLURALS),
    }
    for text, file in sorted(texts_of(package).items(), key=lambda item: item[1]):
        entry = earlier.get(text) or _entry(text)
        entry.occurrences = [(file, "")]
        catalogue.append(entry)
    return catalogue


def _text(entry: polib.POEntry) -> Text:
    return Text(entry.msgid, entry.msgid_plural or "")


def _entry(text: Text) -> polib.POEntry:
    if text.several:
        return polib.POEntry(msgid=text.text, msgid_plural=text.several, msgstr_plural={0: "", 1: ""})
    return polib.POEntry(msgid=text.text, msgstr="")


def main(languages: list[str]) -> None:
    """Writes the catalogues of some languages, or of all that there are."""
    for language in languages or sorted(path.stem for path in (PACKAGES[0] / "languages").glob("*.po")):
        for package in PACKAGES:
            catalogue = brought_up_to_date(package, language)
            if len(catalogue):
                path = package / "languages" / f"{language}.po"
                path.parent.mkdir(exist_ok=True)
                path.write_text(f"{catalogue}", encoding="utf-8", newline="\n")
                print(
                    f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {len(catalogue.untranslated_entries())} to do"
                )


if __name__ == "__main__":
    main(sys.argv[1:])
