"""Checks how usernames are made: the forms, and what tells people apart who have one and the same name."""

from __future__ import annotations

from collections.abc import Mapping

from musterroll.contract.fields import GROUPS, PASSWORD, USERNAME, NameForms, no_field
from musterroll.contract.templates import Template
from musterroll.pipeline.check import Check, has_transforms, texts
from musterroll.pipeline.origins import KeyPath, at
from musterroll.pipeline.sheet_settings import FieldSettings, MadeUsername, SheetSettings

BASE, NUMBER = "base", "n"
"""What stands in further forms for the name of the first one, and for the number that counts."""

_PATH: KeyPath = ("sheet", "make", USERNAME)


def check_forms(check: Check, sheet: SheetSettings, known: Mapping[str, FieldSettings]) -> NameForms | None:
    """Returns the further forms of usernames, and by what people are known; the first form is what is composed.

    What is wrong with the text of a form, or with its fields, is said as of all that is made of others.
    """
    made = sheet.make.username
    if made is None:
        return None
    if USERNAME in sheet.compose:
        text = "is made under [sheet.make] as well; say it in one place"
        check.complain(("sheet", "compose", USERNAME), text)
    for name in (BASE, NUMBER):
        if name in known:
            check.complain(("sheet", "fields", name), f'"{{{name}}}" means something else in the forms of usernames')
    forms = [_form(check, place, text, last=len(made.from_) - 1) for place, text in enumerate(made.from_)]
    _check_known_by(check, made, sheet, known)
    return NameForms(tuple(form for form in forms[1:] if form is not None), made.known_by)


def form_path(place: int) -> KeyPath:
    """Where a form stands."""
    return (*_PATH, "from", place)


def _form(check: Check, place: int, text: str, *, last: int) -> Template | None:
    path = form_path(place)
    try:
        template = Template(text)
    except ValueError:  # that is said where the fields of forms are looked at
        return None
    counts = NUMBER in template.names
    if place == 0 and (counts or BASE in template.names):
        word = NUMBER if counts else BASE
        check.complain(path, f"the first form is the name itself; {{{word}}} is for those that come after it")
    elif place == last and not counts:
        check.complain(
            path,
            f'the last form must count with {{{NUMBER}}}, as any other name may be taken; add "{{{BASE}}}{{{NUMBER}}}"',
        )
    elif place == last and not _counts_on(template):
        check.complain(path, f"counts to 9 only; leave {{{NUMBER}}} without the filter")
    elif 0 < place < last and counts:
        check.complain(path, f"a form with {{{NUMBER}}} never runs out; put it last")
    return template


def _counts_on(template: Template) -> bool:
    """Whether each number makes another name."""
    texts = dict.fromkeys(template.names, "")
    return len({template.fill({**texts, NUMBER: str(number)}) for number in (2, 21, 22)}) == 3


def _check_known_by(check: Check, made: MadeUsername, sheet: SheetSettings, known: Mapping[str, FieldSettings]) -> None:
    for place, name in enumerate(made.known_by):
        path = (*_PATH, "known_by", place)
        if name not in known:
            check.complain(path, no_field(name, known))
        elif name in (USERNAME, PASSWORD, GROUPS) or known[name].role is not None:
            check.complain(path, f'"{name}" cannot say who a user is')
        elif name in sheet.omit and name not in sheet.compose and not has_transforms(check):
            check.complain(path, f'the sheet does not have "{name}"')
    if made.known_by or not check.is_sound("match"):
        return
    if all(name == USERNAME for _, name, _ in texts(at(check.tree, ("match",)))):
        check.complain(
            _PATH,
            "nothing tells two people of the same name apart; name a field that says who somebody is, e.g. "
            'match = ["staff_number", "username"], or several that do so together: known_by = ["surname", "born"]',
        )
