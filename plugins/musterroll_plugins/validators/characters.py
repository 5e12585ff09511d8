"""Characters that do not belong into a value, in every field."""

from __future__ import annotations

import re
from collections.abc import Iterator

from musterroll import (
    Batch,
    Component,
    Context,
    Options,
    Origin,
    Problem,
    Row,
    Severity,
    ValidatorType,
    gettext,
    hookimpl,
)
from musterroll_plugins.validators import _characters, _mojibake

_USERNAME = "username"
_SHOWN = 20  # so many characters say where in a value it is
_KINDS = 3  # so many kinds are named
_KNOWN = 8000  # so many texts are remembered
# What needs no closer look: ASCII, and single letters of Latin names (not those that are half of another).
_USUAL = re.compile(r"(?:[ -~]|[ÀÁÄ-ÖØ-öø-ſ](?![^\x00-\x7f]))*").fullmatch


class Characters:
    """`FIELD.control_characters`: controls, line breaks, invisible, damaged and private characters.

    And `FIELD.mojibake`, a warning: text that was read in the wrong encoding.

    An error; of a username a warning where they are only invisible: usernames compare without them, so the row means
    the right user. A password may hold whatever can be typed; what is in it is not said.
    """

    def __init__(self, options: Options, context: Context) -> None:
        self._fields = [name for name, spec in context.fields.items() if not spec.secret]
        self._secrets = [name for name, spec in context.fields.items() if spec.secret]
        self._usual: set[str] = set()  # texts without such a character

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields at most one problem for each value."""
        values = row.values
        together = "".join([value.text for value in values.values()])
        if not (together.isascii() and together.isprintable()):  # most rows have nothing to look at
            for name in self._fields:
                value = row.value(name)
                text = value.text
                if text.isascii() and text.isprintable():
                    continue
                if value.origin not in (Origin.COMPOSED, Origin.MADE):  # else what it is made of is looked at
                    yield from self._check_text(row, name, text)
        for name in self._secrets:
            secret = row.secret(name)
            if secret is not None and _characters.has_control(secret.reveal()):
                yield row.problem(
                    name,
                    f"{name}.control_characters",
                    "{heading} has a control character in it, which nobody can type; choose another one",
                )

    def suspects(self, batch: Batch) -> set[int]:
        """Suspects rows with such a character, by a look at a whole column first."""
        found: set[int] = set()
        for name in self._fields:
            if not _characters.are_plain(batch.joined(name), len(batch)):
                # Names come again and again, and that they are known is quicker than a look at them.
                texts = batch.texts(name)
                if new := set(texts).difference(self._usual):
                    doubtful = set(filter(_is_doubtful, new))
                    found.update(place for place, text in enumerate(texts) if text in doubtful)
                    if len(self._usual) > _KNOWN:
                        self._usual.clear()
                    self._usual |= new - doubtful
        for name in self._secrets:
            secrets = batch.secrets(name)
            if not "".join(secrets).isprintable():
                found.update(place for place, secret in enumerate(secrets) if _characters.has_control(secret))
        return found

    def _check_text(self, row: Row, name: str, text: str) -> Iterator[Problem]:
        places = [found.start() for found in _characters.faulty(text)]
        mojibake = _mojibake.repaired(text)
        if not places:
            if mojibake is not None:
                yield row.problem(
                    name,
                    f"{name}.mojibake",
                    '{heading} was read in the wrong encoding ("{piece}") by the program that it comes from; '
                    "correct it, or export the sheet again as UTF-8",
                    severity=Severity.WARNING,
                    suggestion=mojibake.text,
                    piece=mojibake.piece,
                )
            return
        suggestion = _characters.legible(text if mojibake is None else mojibake.text or "", gap=" ")
        if any(_characters.is_lost(text[place]) for place in places):
            suggestion = ""  # what is left of a name is another name
        # Between the two sides of a line break anything may have been meant.
        certain = mojibake is None and all(_characters.is_meaningless(text[place]) for place in places)
        harmless = name == _USERNAME and all(_characters.is_invisible(text[place]) for place in places)
        yield row.problem(
            name,
            f"{name}.control_characters",
            "{heading} has {what}; type it again",
            severity=Severity.WARNING if harmless else Severity.ERROR,
            suggestion=suggestion or None,
            safe=certain,
            what=_what(text, places),
        )


def _is_doubtful(text: str) -> bool:
    return not _USUAL(text) and (any(_characters.faulty(text)) or _mojibake.repaired(text) is not None)


def _what(text: str, places: list[int]) -> str:
    first, *others = dict.fromkeys(_characters.described(text[place]) for place in places)
    if before := _characters.legible(text[: places[0]]):
        first = gettext('{what} after "{before}"', what=first, before=before[-_SHOWN:])
    else:
        first = gettext("{what} at its beginning", what=first)
    return gettext(", and ").join([first, *others[: _KINDS - 1]])


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(
        name="characters",
        summary="Values must not hold control characters or invisible ones",
        options=Options,
        build=Characters,
    )
