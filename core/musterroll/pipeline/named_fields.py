"""Checks the settings that name fields: who is who (`match`), whom a sheet is about (`[scope]`), `[hand_edits]`."""

from __future__ import annotations

from collections.abc import Mapping

from musterroll.contract.fields import GROUPS, USERNAME, Field, FieldSet, FieldType, no_field
from musterroll.contract.text import clean, did_you_mean
from musterroll.contract.value_types import spelling_of, value_type_of
from musterroll.pipeline.check import Check, has_transforms, texts
from musterroll.pipeline.origins import KeyPath, at, plain
from musterroll.pipeline.settings import HAND_EDITS_DEFAULT


def is_field(check: Check, path: KeyPath, name: str, known: Mapping[str, object]) -> bool:
    """Whether there is such a field; complains where there is none."""
    if name not in known:
        check.complain(path, no_field(name, known))
    return name in known


def is_never_filled(check: Check, field: Field) -> bool:
    """Whether nothing ever gives a field a value."""
    return field.omitted and field.compose is None and field.default is None and not has_transforms(check)


def check_match(check: Check, fields: FieldSet) -> None:
    """Complains of fields that cannot say who a user is."""
    seen = set()
    for i, name, _ in texts(at(check.tree, ("match",))):
        path = ("match", i)
        # That a field of such a name cannot have a role has been said.
        if not check.is_sound(*path) or not check.is_sound("sheet", "fields", name, "role"):
            continue
        if not is_field(check, path, name, fields):
            continue
        if fields[name].secret or name == GROUPS or fields[name].role is not None:
            check.complain(path, f'"{name}" cannot say who a user is')
        elif fields[name].type is FieldType.USER:
            check.complain(
                path,
                f'"{name}" names another user, and portals keep something of their own for that, so nobody would be '
                "found; name a field that holds a number or a text of the user's own",
            )
        elif name != USERNAME and is_never_filled(check, fields[name]):  # of the username that has been said
            check.complain(path, f'the sheet does not have "{name}"')
        elif name in seen:
            check.complain(path, f'"{name}" is named twice')
        seen.add(name)


def check_scope(check: Check, fields: FieldSet) -> None:
    """Complains of fields and values that cannot say whom a sheet is about."""
    scope = at(check.tree, ("scope",))
    said = plain(scope) if scope is not None else {}
    for name in said if isinstance(said, dict) else ():
        path = ("scope", name)
        if not check.is_sound(*path) or not is_field(check, path, name, fields):
            continue
        field = fields[name]
        if not field.is_attribute:
            check.complain(path, f'"{name}" cannot say whom a sheet is about')
        elif (type_ := value_type_of(field)) is not None and type_.canonical(clean(said[name])) != clean(said[name]):
            check.complain(path, f"is not how such a value is spelt{spelling_of(type_, said[name])}")
        elif not field.words and field.choices and clean(said[name]) not in field.choices:
            check.complain(path, f"is not one of the field's choices{did_you_mean(said[name], field.choices)}")


def check_hand_edits(check: Check, fields: FieldSet) -> None:
    """Complains of fields that nobody changes by hand."""
    choices = at(check.tree, ("hand_edits",))
    said = plain(choices) if choices is not None and check.is_sound("hand_edits") else {}
    for name in said if isinstance(said, dict) else ():
        path = ("hand_edits", name)
        if name == HAND_EDITS_DEFAULT or not is_field(check, path, name, fields):
            continue
        if not fields[name].is_attribute and name not in (USERNAME, GROUPS):
            check.complain(path, f'"{name}" is nothing that somebody changes in the portal by hand')
