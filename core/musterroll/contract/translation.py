"""Messages that can be translated, as gettext does it: the English text is the key, values are filled in afterwards.

The names are those of the standard library, so that programs which collect the texts of a source find these, too. A
catalogue is a `.po` file called after its language, in the folder `languages` of the package that has the texts; a
language is added by adding such files. Whoever shows something says the language once (`in_language`, `set_language`),
and whoever makes a message need not know it, nor whose it is: all catalogues of the language are asked.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

ENGLISH = "en"
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_OURS = Path(__file__).parents[1] / "languages"
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_folders: dict[Path, None] = {_OURS: None}
# A message, its text in the catalogue, what was filled in, and whether the heading among that is one.
_Said = tuple[str, str, Mapping[str, object], bool]
# The same, with the parts of the message instead: the text's words and what was filled in, by turns.
_Told = tuple[str, str, Sequence[str], bool]
_NOT_OURS: _Told = ("", "", (), False)
_BETWEEN = "; "  # sentences that one message lists
_LAST_SAID = 24  # a rule's problem, with all the sentences that it lists
_said: deque[_Said] = deque(maxlen=_LAST_SAID)
_chosen: ContextVar[str] = ContextVar("musterroll_language", default=ENGLISH)


def languages() -> tuple[str, ...]:
    """Returns the codes of the languages that there are, e.g. `de`."""
    return tuple(sorted({ENGLISH, *(path.stem for path in _OURS.glob("*.po"))}))


def language() -> str:
    """Returns the code of the language that messages are in."""
    return _chosen.get()


def set_language(code: str) -> None:
    """Has messages made in a language from here on, in this context.

    Args:
        code: as `languages` has it.
    """
    _chosen.set(code)


@contextmanager
def in_language(code: str) -> Iterator[None]:
    """Has messages made in a language, in this context, until the end of the `with`.

    Args:
        code: as `languages` has it.
    """
    token = _chosen.set(code)
    try:
        yield
    finally:
        _chosen.reset(token)


def language_of(environment: Mapping[str, str]) -> str:
    """Returns the language that a person's environment asks for, as every program with gettext understands it.

    That is what the first of LANGUAGE, LC_ALL, LC_MESSAGES and LANG says that is set; LANGUAGE may name several, first
    choice first. It is English where none of them is known.
    """
    wanted = next(filter(None, (environment.get(name) for name in _VARIABLES)), "")
    for one in wanted.split(":"):
        code = one.partition(".")[0].partition("@")[0]
        if (known := _known(code)) is not None:
            return known
    return ENGLISH


def _known(code: str) -> str | None:
    """The language itself, or without its country."""
    known = languages()
    return next((one for one in (code, code.partition("_")[0]) if one in known), None)


def add_catalogues(folder: Path) -> None:
    """Adds the catalogues of a package, or of a folder of plugin files: those in its folder `languages`."""
    languages_folder = folder / "languages"
    if languages_folder not in _folders:
        _folders[languages_folder] = None
        _catalogue_of.cache_clear()
        _known_texts.cache_clear()


def catalogue() -> NullTranslations:
    """Where the translations come from: the catalogues of the language, one after another; none for English."""
    return _catalogue_of(_chosen.get())


@lru_cache
def _catalogue_of(code: str) -> NullTranslations:
    found = NullTranslations()
    if code != ENGLISH:
        for folder in reversed(_folders):  # the first one is asked first
            path = folder / f"{code}.po"
            if path.is_file():
                one = _read(path)
                one.add_fallback(found)
                found = one
    return found


def _read(path: Path) -> NullTranslations:
    import polib  # noqa: PLC0415 -- not for English

    # Read as it was written, so that a catalogue needs no step of building.
    return GNUTranslations(BytesIO(polib.pofile(os.fspath(path), encoding="utf-8").to_binary()))


def in_every_language(text: str) -> frozenset[str]:
    """Returns a text as it stands in every language, English among them: to recognise what we have written."""
    return frozenset(text if code == ENGLISH else _as_written(code, text) for code in languages())


@lru_cache
def _as_written(code: str, text: str) -> str:
    """A text of ours in any language: to read a whole catalogue for it would slow every command down."""
    entry = rf'^msgid "{re.escape(text)}"\nmsgstr "([^"\\]+)"\n(?!")'
    found = re.search(entry, (_OURS / f"{code}.po").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found is not None else _catalogue_of(code).gettext(text)


def gettext_noop(text: str) -> str:
    """Marks a text that is looked up later, by `gettext` of a name, so that whoever collects the texts finds it."""
    return text


def ngettext_noop(one: str, several: str) -> tuple[str, str]:
    """Marks a text that counts and is looked up later, likewise."""
    return one, several


def gettext(message: str, /, **values: object) -> str:
    """Returns a message in the person's language.

    Args:
        message: the English text, written out: never an f-string, or nobody finds its translation.
        values: what stands for `{name}` in it. Other braces stay as they are, and so do those in values.
    """
    return _filled(catalogue().gettext(message) if message else "", values)


def gettext_about(heading: str, message: str, values: Mapping[str, object]) -> str:
    """Returns a message about a column, in the person's language.

    Args:
        heading: what the column is called, for `{heading}` in it, unless one of the values says that.
        message: see `gettext`.
        values: likewise, in a mapping.
    """
    text = catalogue().gettext(message) if message else ""
    return _filled(text, {"heading": heading, **values}, has_heading="heading" not in values)


def ngettext(one: str, several: str, count: int, /, **values: object) -> str:
    """Returns a message that counts, in the person's language. `{count}` is the number.

    Args:
        one: the English text for 1.
        several: for every other number.
        count: the number.
        values: see `gettext`.
    """
    return _filled(catalogue().ngettext(one, several, count), {"count": count, **values})


def counted(count: int) -> str:
    """Returns a whole number as people of the language write it, e.g. 12,000 or 12.000."""
    text = f"{count:,}"
    return text if "," not in text else text.replace(",", catalogue().gettext("1,000")[1:-3])


def fraction(number: Decimal | float, places: int) -> str:
    """Returns a number with a fraction as people of the language write it, e.g. 1,234.5 or 1.234,5."""
    whole, _, rest = f"{number:,.{places}f}".partition(".")
    thousands, point = catalogue().gettext("1,000")[1:-3], catalogue().gettext("1.5")[1:-1]
    return whole.replace(",", thousands) + (point + rest if rest else "")


def _filled(text: str, values: Mapping[str, object], *, has_heading: bool = False) -> str:
    # Not `str.format`: a mistake in a template must not cost a rule its problem, nor reach into what a value is.
    if "{" not in text:
        _said.append((text, text, {}, False))
        return text
    template = _template(text)
    try:
        filled = template % values
    except KeyError:
        filled = template % _WithGaps(values)
    _said.append((filled, text, values, has_heading))
    return filled


class _WithGaps(dict[str, object]):
    """Values, and of a name that has none the placeholder itself."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


@lru_cache(maxsize=1024)  # many problems have the same text
def _template(text: str) -> str:
    """The text as `%` fills it in."""
    return _PLACEHOLDER.sub(r"%(\1)s", text.replace("%", "%%"))


def own_words(text: str) -> list[tuple[int, int]]:
    """Returns which parts of a message were there before anything was filled in: the places where they begin and end.

    That is known of messages that were made a moment ago, of texts that stand in a catalogue; of every other text
    nothing is, since whoever hands a sentence over as it is may have put anything into it.
    """
    known, recent, own = _known_texts(), dict[str, _Told](), list[tuple[int, int]]()
    for said in _said.copy():  # another thread may say something meanwhile
        if said[1] in known:
            one = _told(*said)
            if recent.setdefault(said[0], one)[1:] != one[1:]:
                recent[said[0]] = _NOT_OURS  # two that say the same, of different texts
    if text in recent:
        _find_own_words(recent.pop(text), 0, recent, own)
    return own


def _told(filled: str, text: str, values: Mapping[str, object], has_heading: bool) -> _Told:
    parts = list(_parts(text))
    for place in range(1, len(parts), 2):
        name = parts[place]
        parts[place] = str(values[name]) if name in values else f"{{{name}}}"
    return (filled, text, parts, has_heading) if "".join(parts) == filled else _NOT_OURS  # a value has changed since


@lru_cache(maxsize=1024)
def _parts(text: str) -> tuple[str, ...]:
    """The text before each placeholder, its name, …, and the text after the last one."""
    return tuple(_PLACEHOLDER.split(text))


def _find_own_words(said: _Told, at: int, others: dict[str, _Told], own: list[tuple[int, int]]) -> None:
    """Finds the words of a message, and those of the messages that were filled in, which lists of sentences may be."""
    _, template, parts, has_heading = said
    names = _parts(template)
    for place, part in enumerate(parts):
        if place % 2 == 0 or (has_heading and names[place] == "heading"):
            own.append((at, at + len(part)))
        else:
            begin = at
            for sentence in (part,) if part in others else part.split(_BETWEEN):
                if sentence in others and " " in sentence.strip():
                    _find_own_words(others[sentence], begin, {**others, sentence: _NOT_OURS}, own)
                begin += len(sentence) + len(_BETWEEN)
        at += len(part)


@cache
def _known_texts() -> frozenset[str]:
    """All texts of ours, in all languages."""
    import polib  # noqa: PLC0415 -- only where a message may hold a secret

    found = set[str]()
    for path in (path for folder in _folders for path in folder.glob("*.po")):
        with suppress(OSError, ValueError):  # somebody else's, that cannot be read
            for entry in polib.pofile(os.fspath(path), encoding="utf-8"):
                found.update((entry.msgid, entry.msgid_plural, entry.msgstr, *entry.msgstr_plural.values()))
    return frozenset(found)
