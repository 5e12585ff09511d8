"""Checks what fields with a role or a type say: one field a role, and words that mean one thing."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache

from musterroll.contract.dates import DateForm
from musterroll.contract.fields import FieldRole, FieldType
from musterroll.contract.text import clean, fold, known_names
from musterroll.contract.translation import gettext, gettext_noop, in_every_language
from musterroll.contract.value_types import FALSE, TRUE
from musterroll.pipeline.check import Check
from musterroll.pipeline.files import standard_text
from musterroll.pipeline.origins import at
from musterroll.pipeline.sheet_settings import FieldSettings, SheetSettings

_DELETE = "delete"
_COMMANDS = ("create", "update", "deactivate", "reactivate", "ignore", _DELETE)
# What people say for yes and for no; in the languages of our catalogues, too.
_USUAL = (
    (gettext_noop("yes"), gettext_noop("y"), gettext_noop("true"), "1"),
    (gettext_noop("no"), gettext_noop("n"), gettext_noop("false"), "0"),
)
_ROLE_TYPES = {
    FieldRole.ACTIVE: FieldType.BOOLEAN,
    FieldRole.VALID_FROM: FieldType.DATE,
    FieldRole.VALID_UNTIL: FieldType.DATE,
}
_KEYS = {
    FieldType.DATE: ("formats", "first_year", "to"),
    FieldType.BOOLEAN: ("true", "false"),
    FieldType.CHOICE: ("choices",),
}
_MIRRORED = "YYYY-DD-MM"
_GUIDANCE = {
    FieldRole.COMMAND: gettext_noop("What becomes of the user. Empty: created or updated. {rules}"),
    FieldRole.ACTIVE: gettext_noop("yes or no. Empty: as it is. {rules}"),
    FieldRole.VALID_FROM: gettext_noop("The first day, e.g. 2026-12-31. Empty: at once. {rules}"),
    FieldRole.VALID_UNTIL: gettext_noop(
        "The day from which on the user is deactivated, e.g. 2026-12-31. Empty: never. {rules}"
    ),
    FieldRole.OLD_USERNAME: gettext_noop("The former username, where it changes. {rules}"),
}


def check_roles(check: Check, sheet: SheetSettings) -> None:
    """Complains of roles that cannot be."""
    seen: dict[str, str] = {}
    for one in sheet.fields:
        path = ("sheet", "fields", one.name)
        if one.role is None:
            if one.aliases:
                check.complain((*path, "aliases"), 'are for a field with the role "command" or "active"')
            continue
        if one.name in _standard_names():
            text = f'"{one.name}" means something already; give the role to a field of your own'
            check.complain((*path, "role"), text)
            continue
        other = seen.setdefault(one.role, one.name)
        if other != one.name:
            check.complain((*path, "role"), f'the field "{other}" has this role already')
        for part in ("defaults", "compose"):
            if one.name in getattr(sheet, part):
                check.complain(("sheet", part, one.name), "a field with a role has what stands in its column only")
        _check_words(check, one)


def check_types(check: Check, sheet: SheetSettings) -> None:
    """Complains of types that cannot be, and of keys that belong to another type."""
    for one in sheet.fields:
        path = ("sheet", "fields", one.name)
        if one.type is not None and one.role is not None:
            check.complain((*path, "type"), f'the role "{one.role}" says what stands there')
        elif one.type is not None and one.name in _standard_names():
            check.complain((*path, "type"), f'"{one.name}" is of its own kind; give the type to a field of your own')
        for type_, keys in _KEYS.items():
            for key in keys:
                if getattr(one, key) and key not in _keys_of(one):
                    check.complain((*path, key), f'is for a field of type = "{type_}"')
        if one.type is FieldType.CHOICE and not one.choices:
            check.complain((*path, "type"), "needs choices: the values that are allowed")
        short = [form for form in one.formats if DateForm(form, first_year=0).has_short_year]
        if short and one.first_year is None:
            check.complain(
                (*path, "formats"),
                f'with "{short[0]}", say which hundred years two digits can mean: first_year = 1930 takes 30 to 99 for '
                "1930 to 1999, and 00 to 29 for 2000 to 2029",
            )
        elif one.first_year is not None and not short and "first_year" in _keys_of(one):
            check.complain((*path, "first_year"), 'is for a form with a year of two digits, "YY", in formats')
        if _MIRRORED in one.formats:
            check.complain((*path, "formats"), f'with "{_MIRRORED}", 2026-12-31 would be no date, which it always is')
        if one.type is FieldType.BOOLEAN and one.role is None:
            _check_truths(check, one)


def _keys_of(one: FieldSettings) -> tuple[str, ...]:
    """The keys that are for this type of field. What a role may choose from is looked at with its words."""
    if one.role is not None:
        return ("choices", "formats", "first_year") if type_of(one) is FieldType.DATE else ("choices",)
    return _KEYS.get(FieldType.CHOICE if type_of(one) is FieldType.TEXT else type_of(one), ())


def _check_truths(check: Check, one: FieldSettings) -> None:
    yes, no = (set(map(fold, map(clean, words))) for words in _meanings(one).values())
    in_both = set(map(fold, map(clean, one.false))).intersection(map(fold, map(clean, one.true)))  # is said once
    for key, others, meaning in (("true", (no - in_both) | {FALSE}, "no"), ("false", yes | {TRUE}, "yes")):
        for word in getattr(one, key):
            if fold(clean(word)) in others:
                check.complain(("sheet", "fields", one.name, key), f'"{word}" means {meaning} already')


def _check_words(check: Check, one: FieldSettings) -> None:
    path = ("sheet", "fields", one.name)
    known = _meanings(one)
    for name in one.choices:
        if one.role is not FieldRole.COMMAND:
            check.complain((*path, "choices"), f'the role "{one.role}" has no choices')
            break
        if name not in _COMMANDS:
            check.complain((*path, "choices"), f'"{name}" is no command{known_names(name, _COMMANDS, "they are")}')
    if _DELETE in known and at(check.tree, ("limits", _DELETE)) is None:
        text = '"delete" needs a limit, so that a wrong sheet cannot do much harm; e.g. delete = 5 under [limits]'
        check.complain((*path, "choices"), text)
    meant: dict[str, str] = {}
    for name, words in one.aliases.items():
        if name not in known:
            can = known_names(name, known, "they are") if known else ""
            check.complain((*path, "aliases", name), f'"{name}" is no word of this role{can}')
        for word in words:
            other = meant.setdefault(fold(clean(word)), name)
            owner = next((own for own, theirs in known.items() if fold(clean(word)) in map(fold, (own, *theirs))), name)
            if name != other or owner != name:
                check.complain(
                    (*path, "aliases", name), f'"{word}" means "{owner if owner != name else other}" already'
                )


def words_of(one: FieldSettings) -> dict[str, str]:
    """Returns what may stand in the cells of a field with a role, folded, and what each word means."""
    words: dict[str, str] = {}
    for name, theirs in _meanings(one).items():
        words |= {fold(clean(word)): name for word in (name, *theirs, *one.aliases.get(name, ()))}
    return words


def choices_of(one: FieldSettings) -> tuple[str, ...]:
    """Returns the words to choose from: the customer's where there are such."""
    meanings = _meanings(one)
    if type_of(one) is FieldType.BOOLEAN:
        own = (one.aliases.get("yes") or one.true, one.aliases.get("no") or one.false)
        return tuple(words[0] if words else gettext(usual[0]) for words, usual in zip(own, _USUAL, strict=True))
    return tuple(one.aliases[name][0] if one.aliases.get(name) else name for name in meanings)


def words_for_yes_or_no() -> frozenset[str]:
    """Returns the usual words for yes and no, folded, without the digits: a column of those may hold numbers."""
    words = {word for usual in _USUAL for word in (*usual, *_in_every_language(usual))}
    return frozenset(fold(word) for word in words if not word.isdigit())


def guidance_of(one: FieldSettings) -> str:
    """Returns the guidance of a field, where it says nothing itself."""
    return _GUIDANCE[one.role] if one.role is not None and one.guidance == "{rules}" else one.guidance


def type_of(one: FieldSettings) -> FieldType:
    """Returns the type of a field, which of one with a role is what the role asks for."""
    if one.role is not None:
        return _ROLE_TYPES.get(one.role, FieldType.TEXT)
    return one.type or FieldType.TEXT


def _meanings(one: FieldSettings) -> Mapping[str, tuple[str, ...]]:
    if type_of(one) is FieldType.BOOLEAN:
        yes, no = ((*words, *_in_every_language(words)) for words in _USUAL)
        if one.role is FieldRole.ACTIVE:
            return {"yes": (*yes, "active"), "no": (*no, "inactive")}
        return {TRUE: one.true or yes, FALSE: one.false or no}
    if one.role is not FieldRole.COMMAND:
        return {}
    # Nobody is deleted unless the pipeline names it.
    return dict.fromkeys(one.choices or [name for name in _COMMANDS if name != _DELETE], ())


@cache
def _in_every_language(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({word for text in words for word in in_every_language(text)}.difference(words)))


@cache
def _standard_names() -> frozenset[str]:
    return frozenset(field["name"] for field in tomllib.loads(standard_text())["sheet"]["fields"])
