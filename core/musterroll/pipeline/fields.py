"""Makes the fields of a user from `[sheet]`, and checks that its parts fit one another."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from musterroll.contract.dates import EXAMPLE_DATE, ISO_DATE, DateForm
from musterroll.contract.fields import (
    CALLING_CODE,
    PASSWORD,
    PHONE,
    USERNAME,
    Field,
    FieldSet,
    NameForms,
)
from musterroll.contract.options import REFERENCES, SecretRef
from musterroll.contract.secret import Secret
from musterroll.contract.templates import Template
from musterroll.contract.text import clean, did_you_mean, fold, fold_heading
from musterroll.contract.translation import ENGLISH, gettext, gettext_noop, in_language, language
from musterroll.contract.value_types import value_type_of
from musterroll.pipeline.check import Check, conditions_at, has_transforms
from musterroll.pipeline.files import standard_text
from musterroll.pipeline.made_names import BASE, NUMBER, check_forms, form_path
from musterroll.pipeline.named_fields import check_hand_edits, check_match, check_scope, is_field, is_never_filled
from musterroll.pipeline.origins import Items, KeyPath, at, plain
from musterroll.pipeline.row_fields import check_roles, check_types, choices_of, guidance_of, type_of, words_of
from musterroll.pipeline.sheet_settings import FieldSettings, SheetSettings

if TYPE_CHECKING:
    from musterroll.contract.conditions import Conditions

_WHOLE_PHONE = gettext_noop("The whole number, with + and the country's telephone code: +44 7712 345678. {rules}")
_WHOLE_EXAMPLE = "+447712345678"
LITERAL = f"a secret should not stand here as it is; write {REFERENCES}"


def fields_of(check: Check) -> FieldSet:
    """Makes the fields. What is mistaken by itself is left out, so that all else is checked still.

    Where it is not known which fields there are, nothing is said of them: whoever names one may mean the mistaken one.
    """
    sheet = _sound_part(check)
    if sheet is None:
        return FieldSet(())
    known = {field.name: field for field in sheet.fields}
    for part in ("aliases", "defaults", "compose"):
        for name in getattr(sheet, part):
            is_field(check, ("sheet", part, name), name, known)
    for i, name in enumerate(sheet.omit):
        is_field(check, ("sheet", "omit", i), name, known)
    check_roles(check, sheet)
    check_types(check, sheet)
    templates, forms = _templates(check, sheet, known), check_forms(check, sheet, known)
    fields = FieldSet(
        _field(check, sheet, field, templates.get(field.name), forms if field.name == USERNAME else None)
        for field in sheet.fields
    )
    if sheet.first_row <= sheet.heading_row:
        if check.is_from_standard(("sheet", "first_row")):
            check.complain(("sheet", "heading_row"), f"must come before the first row, which is {sheet.first_row}")
        else:
            check.complain(("sheet", "first_row"), f"must come after the heading row, which is {sheet.heading_row}")
    if USERNAME not in known:
        check.complain(("sheet", "fields"), f'there is no field "{USERNAME}"; every pipeline needs it')
    elif is_never_filled(check, fields[USERNAME]):
        text = f'the username is needed; say how to make it, e.g. {USERNAME} = "{{email}}" under [sheet.compose]'
        check.complain(("sheet", "omit"), text)
    _check_headings(check, sheet)
    _check_spellings(check, fields)
    check_match(check, fields)
    check_scope(check, fields)
    check_hand_edits(check, fields)
    check.fields = fields
    return fields


def _sound_part(check: Check) -> SheetSettings | None:
    node = at(check.tree, ("sheet",))
    data = plain(node) if node is not None else None
    fields = _sound_fields(check)
    if not isinstance(data, dict) or fields is None:
        return None
    sound = {key: value for key, value in data.items() if check.is_sound("sheet", key)}
    filled: Mapping[str, Any] = {**tomllib.loads(standard_text())["sheet"], **sound, "fields": fields}
    return SheetSettings.model_validate(filled, context=check.surroundings(SheetSettings, node))


def _sound_fields(check: Check) -> list[dict[str, Any]] | None:
    """The fields; of those that are mistaken only that they are there.

    None where nobody knows what could be said of them: one has no name that is sound, or perhaps choices.
    """
    items = at(check.tree, ("sheet", "fields"))
    if not isinstance(items, Items):
        return None
    found = []
    for name, table in items.entries.items():
        path = ("sheet", "fields", name)
        data = plain(table) if check.is_sound(*path, "name") else None
        if not isinstance(data, dict) or "name" not in data:
            return None
        if not check.is_sound(*path):
            if "choices" in data:
                return None
            data = {"name": name, "heading": data["heading"] if check.is_sound(*path, "heading") else name}
        found.append(data)
    return found


def _templates(check: Check, sheet: SheetSettings, known: Mapping[str, FieldSettings]) -> dict[str, Template]:
    found: dict[str, Template] = {}
    composed: list[tuple[str, KeyPath, str]]
    made = sheet.make.username
    forms = [(USERNAME, form_path(place), text) for place, text in enumerate(made.from_ if made else ())]
    composed = [(name, ("sheet", "compose", name), text) for name, text in sheet.compose.items()]
    for name, path, text in (*composed, *forms):
        if name == PASSWORD:
            check.complain(path, "a password cannot be made of other fields")
            continue
        try:
            template = Template(text)
        except ValueError as error:
            check.complain(path, str(error))
            continue
        for source in template.names:
            if path[1] == "make" and source in (BASE, NUMBER):
                continue
            if not is_field(check, path, source, known):
                continue
            if source == PASSWORD:
                check.complain(path, "a password cannot be used in other fields")
            elif source in sheet.compose or source == name:
                which = "itself" if source == name else f'"{source}", which is composed itself'
                check.complain(path, f"cannot be made of {which}")
            elif source in sheet.omit and source not in sheet.defaults and not has_transforms(check):
                check.complain(path, f'is made of "{source}", which the sheet does not have')
        found.setdefault(name, template)  # of the forms, the first
    return found


def _field(
    check: Check, sheet: SheetSettings, field: FieldSettings, compose: Template | None, make: NameForms | None
) -> Field:
    name, omitted = field.name, field.name in sheet.omit
    required = field.required or name == USERNAME
    if name == PASSWORD:
        node = at(check.tree, ("password", "required"))
        required = node is not None and plain(node) == "always" and sheet.make.password is None
    heading, aliases = _headings(check, sheet, field)
    made = Field(
        name=name,
        heading=heading,
        aliases=aliases,
        guidance=_guidance(check, sheet, field),
        example=_example(check, sheet, field),
        required=required and (not omitted or name == USERNAME),  # then it is made of others
        required_when=_required_when(check, sheet, field),
        max_length=field.max_length,
        choices=_words(check, field) or _choices(check, field),
        secret=name == PASSWORD,
        default=_default(check, field, sheet.defaults.get(name)),
        compose=compose,
        make=make,
        generated=name == PASSWORD and sheet.make.password is not None,
        omitted=omitted,
        role=field.role,
        type=type_of(field),
        formats=field.formats if check.is_sound("sheet", "fields", name, "formats") else (),
        first_year=field.first_year,
        to=field.to or ISO_DATE,
        words=words_of(field),
    )
    return replace(made, default=_in_its_type(check, made))


def _required_when(check: Check, sheet: SheetSettings, field: FieldSettings) -> Conditions | None:
    path: KeyPath = ("sheet", "fields", field.name, "required_when")
    when = conditions_at(check, path) if field.required_when else None
    if when is None:
        return None
    known = {one.name: one for one in sheet.fields}
    for name in when.root:
        if is_field(check, (*path, name), name, known) and name == PASSWORD and not when.root[name].is_about_presence:
            check.complain((*path, name), "of a password only { blank = true } or { present = true } can be asked")
    if field.name in (PASSWORD, USERNAME):
        what = "of the password [password] decides" if field.name == PASSWORD else "the username is always needed"
        check.complain(path, what)
    return when if field.name not in sheet.omit else None


def _check_spellings(check: Check, fields: FieldSet) -> None:
    """Complains of conditions that no value of a field with a type meets, as it is always spelt otherwise."""
    for field in fields.values():
        for name, condition in field.required_when.root.items() if field.required_when is not None else ():
            if name in fields and (fault := condition.misspelt(fields[name])) is not None:
                check.complain(("sheet", "fields", field.name, "required_when", name), fault)


def _headings(check: Check, sheet: SheetSettings, field: FieldSettings) -> tuple[str, tuple[str, ...]]:
    """The heading and its aliases. A standard heading is in the pipeline's language, and may still be in English.

    Not in that of the environment: what a sheet means must not depend on whose machine reads it.
    """
    aliases = sheet.aliases.get(field.name, ())
    node = at(check.tree, ("language",))
    if node is None or not check.is_from_standard(("sheet", "fields", field.name, "heading")):
        return field.heading, aliases
    with in_language(str(plain(node))):
        heading = gettext(field.heading)
    others = {
        fold_heading(name)
        for one in sheet.fields
        if one.name != field.name
        for name in (one.heading, *sheet.aliases.get(one.name, ()))
    }
    if heading == field.heading or fold_heading(heading) in others:
        return field.heading, aliases
    return heading, (field.heading, *aliases)


def _guidance(check: Check, sheet: SheetSettings, field: FieldSettings) -> str:
    """The guidance; the standard one of the phone asks for the local part, which needs the column beside it."""
    text = _WHOLE_PHONE if _is_standard_of_whole(check, sheet, field, "guidance") else guidance_of(field)
    is_ours = text != field.guidance or check.is_from_standard(("sheet", "fields", field.name, "guidance"))
    if not is_ours:
        return text
    node = at(check.tree, ("language",))
    with in_language(language() if node is None else str(plain(node))):
        said = gettext(text)
    is_sound = check.is_sound("sheet", "fields", field.name, "formats")
    forms = field.formats if field.role is not None and is_sound else ()
    return (
        said.replace(EXAMPLE_DATE.isoformat(), DateForm(forms[0], field.first_year).write(EXAMPLE_DATE))
        if forms
        else said
    )


def _example(check: Check, sheet: SheetSettings, field: FieldSettings) -> str:
    """The example, likewise."""
    return _WHOLE_EXAMPLE if _is_standard_of_whole(check, sheet, field, "example") else field.example


def _is_standard_of_whole(check: Check, sheet: SheetSettings, field: FieldSettings, key: str) -> bool:
    is_whole = (
        field.name == PHONE and CALLING_CODE in sheet.omit and CALLING_CODE not in {**sheet.compose, **sheet.defaults}
    )
    return is_whole and check.is_from_standard(("sheet", "fields", PHONE, key))


def _words(check: Check, field: FieldSettings) -> tuple[str, ...]:
    """The words to choose from, where words have a meaning: in the pipeline's language, as the headings are."""
    node = at(check.tree, ("language",))
    with in_language(ENGLISH if node is None else str(plain(node))):
        return choices_of(field)


def _choices(check: Check, field: FieldSettings) -> tuple[str, ...]:
    path = ("sheet", "fields", field.name, "choices")
    if field.choices and field.name == PASSWORD:
        check.complain(path, "a password cannot be chosen from a list")
    choices = tuple(map(clean, field.choices))
    seen: dict[str, str] = {}
    for choice in choices:
        if field.max_length is not None and len(choice) > field.max_length:
            check.complain(path, f'"{choice}" is longer than the field allows ({field.max_length} characters)')
        if not choice:
            check.complain(path, "a choice is empty")
        elif (folded := fold(choice)) in seen:
            check.complain(path, f'"{choice}" is "{seen[folded]}" again')
        else:
            seen[folded] = choice
    return choices


def _default(check: Check, field: FieldSettings, value: str | SecretRef | None) -> str | Secret | None:
    path = ("sheet", "defaults", field.name)
    if field.name == PASSWORD and isinstance(value, str):
        check.warn(path, LITERAL)
        check.masked.add(path)
        return Secret(value)
    if isinstance(value, str):
        if field.max_length is not None and len(clean(value)) > field.max_length:
            check.complain(path, f"is longer than the field allows ({field.max_length} characters)")
        if field.choices and clean(value) and clean(value) not in map(clean, field.choices):
            check.complain(path, f"is not one of the field's choices{did_you_mean(value, field.choices)}")
        return value
    if value is None:
        return None
    if field.name != PASSWORD:
        check.complain(path, "should be text; only the password can be kept elsewhere")
        return None
    # Read when a user is created with it: a pipeline can be checked without its secrets.
    return Secret(lambda: value.resolve().reveal())


def _in_its_type(check: Check, field: Field) -> str | Secret | None:
    """The default as values of the field's type are."""
    type_, default = value_type_of(field), field.default
    if type_ is None or not isinstance(default, str) or not (text := clean(default)):
        return default
    found = type_.canonical(text)
    if found is None:
        with in_language(ENGLISH):
            check.complain(("sheet", "defaults", field.name), type_.fault(text).message)
    return found


def _check_headings(check: Check, sheet: SheetSettings) -> None:
    owners: dict[str, tuple[str, str, KeyPath]] = {}
    for field in sheet.fields:
        if field.name in sheet.omit:
            continue
        named: list[tuple[KeyPath, str]] = [(("sheet", "fields", field.name, "heading"), field.heading)]
        aliases = sheet.aliases.get(field.name, ())
        named += [(("sheet", "aliases", field.name, i), alias) for i, alias in enumerate(aliases)]
        for path, heading in named:
            mine = (field.name, heading, path)
            other = owners.setdefault(fold_heading(heading), mine)
            if other[0] == field.name:
                continue
            if check.is_from_standard(path):
                mine, other = other, mine
            text = f'"{mine[1]}" already means the field "{other[0]}" (as "{other[1]}")'
            check.complain(mine[2], text)
