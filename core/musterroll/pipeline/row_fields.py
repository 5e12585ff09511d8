"""Checks what fields with a role say: one field a role, and words that mean one thing."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache

from musterroll.contract.fields import FieldRole
from musterroll.contract.text import clean, fold, known_names
from musterroll.contract.translation import gettext_noop
from musterroll.pipeline.check import Check
from musterroll.pipeline.files import standard_text
from musterroll.pipeline.origins import at
from musterroll.pipeline.settings import FieldSettings, SheetSettings

_DELETE = "delete"
_COMMANDS = ("create", "update", "deactivate", "reactivate", "ignore", _DELETE)
_ACTIVE = {"yes": ("y", "true", "1", "active"), "no": ("n", "false", "0", "inactive")}
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
    return tuple(one.aliases[name][0] if one.aliases.get(name) else name for name in _meanings(one))


def guidance_of(one: FieldSettings) -> str:
    """Returns the guidance of a field, where it says nothing itself."""
    return _GUIDANCE[one.role] if one.role is not None and one.guidance == "{rules}" else one.guidance


def _meanings(one: FieldSettings) -> Mapping[str, tuple[str, ...]]:
    if one.role is FieldRole.ACTIVE:
        return _ACTIVE
    if one.role is not FieldRole.COMMAND:
        return {}
    # Nobody is deleted unless the pipeline names it.
    return dict.fromkeys(one.choices or [name for name in _COMMANDS if name != _DELETE], ())


@cache
def _standard_names() -> frozenset[str]:
    return frozenset(field["name"] for field in tomllib.loads(standard_text())["sheet"]["fields"])
