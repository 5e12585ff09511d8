"""Values that may stand in one row of the sheet only."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from pydantic import Field as Default

from musterroll import (
    Batch,
    Component,
    Context,
    FieldName,
    Guidance,
    Options,
    Origin,
    Problem,
    Row,
    Severity,
    ValidatorType,
    fold,
    gettext,
    hookimpl,
)
from musterroll_plugins.validators._first_rows import FirstRows

_USERNAME = "username"
# Letters of other scripts that look like Latin ones. Only pairs that most typefaces draw alike, each case for itself:
# Greek "Ν" looks like "N", "ν" like "v".
_CYRILLIC = dict(zip("аеорсухіјѕһԁԛԝѵӏАВЕЅІЈКМНОРСТУХԚԜ", "aeopcyxijshdqwvlABESIJKMHOPCTYXQW", strict=True))
_GREEK = dict(zip("αινορυϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aivopucjABEZHIKMNOPTYX", strict=True))
_ARMENIAN = dict(zip("օսոցհ", "ounqh", strict=True))
_LATIN = {"ı": "i", "ɑ": "a", "ɡ": "g", "ɩ": "i", "ʋ": "u", "ᴏ": "o"}
_TABLE = str.maketrans({**_CYRILLIC, **_GREEK, **_ARMENIAN, **_LATIN})


class UniqueOptions(Options):
    """Options of `unique`.

    Attributes:
        fields: a value that stands in an earlier row already is an error, and keeps both rows out. The fields
            by which the pipeline recognises a user (`match`) are always among them.
        warn: it is a warning.
    """

    fields: tuple[FieldName, ...] = Default((_USERNAME,), validate_default=False)
    warn: tuple[FieldName, ...] = Default(("email",), validate_default=False)


class Unique:
    """`FIELD.duplicate`, and `username.confusable` for names that look alike but are not the same.

    Remembers the first row of each distinct value. Rows may be noted before they are asked about.
    """

    def __init__(self, options: UniqueOptions, context: Context) -> None:
        errors = dict.fromkeys((*options.fields, *context.match))
        self._errors = {name: FirstRows() for name in errors}
        self._warnings = {name: FirstRows() for name in options.warn if name not in errors}
        self._usernames = self._errors.get(_USERNAME)
        self._looks: dict[str, int] = {}  # the skeleton of each name that is not ASCII, and its row

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields the problems of a row against the rows before it."""
        # A row that was copied repeats everything; that is one fault for each row that it repeats.
        reported: set[int] = set()
        look = self._alike(row)
        for name, seen in self._errors.items():
            first = self._first(row, name, seen)
            if first is not None and first not in reported:
                reported.add(first)
                yield row.problem(
                    name,
                    f"{name}.duplicate",
                    "This is the same user as in row {first} (by {heading}); delete or correct one of the two rows",
                    also_rejects=(first,),
                    first=first,
                )
        for name, seen in self._warnings.items():
            first = self._first(row, name, seen)
            if first is not None and first not in reported:
                yield row.problem(
                    name,
                    f"{name}.duplicate",
                    "{heading} is the same as in row {first}; check that these are two people",
                    severity=Severity.WARNING,
                    first=first,
                )
        if look is not None:
            yield look

    def suspects(self, batch: Batch) -> set[int]:
        """Takes note of all rows; suspects those that repeat a value, or look like another one."""
        found: set[int] = set()
        for name, seen in (*self._errors.items(), *self._warnings.items()):
            found.update(seen.add(_given(batch, name), batch.numbers))
        if self._usernames is not None:
            found.update(self._lookalikes(batch, self._usernames))
        return found

    def _lookalikes(self, batch: Batch, usernames: FirstRows) -> Iterator[int]:
        texts, folded = batch.texts(_USERNAME), batch.folded(_USERNAME)
        if not "".join(texts).isascii():
            for place, text in enumerate(texts):
                row = batch.numbers[place]
                if not text.isascii() and usernames.get(folded[place]) == row:
                    look = skeleton(text)
                    if self._looks.setdefault(look, row) != row or look in usernames:
                        yield place
        if self._looks:
            yield from (place for place, text in enumerate(folded) if text in self._looks)

    def guidance(self, name: str) -> Guidance | None:
        """Says what may stand in one row only. Nothing is refused: it may be the other row that is wrong."""
        if name not in self._errors:
            return None
        return Guidance(text=gettext("Never in two rows."), problem=f"{name}.duplicate", unique=True, stops=False)

    def finish(self) -> Iterator[Problem]:
        """Yields nothing: every problem is known at the later row."""
        yield from ()

    def _first(self, row: Row, name: str, seen: FirstRows) -> int | None:
        """Returns the earlier row that has the value; remembers this row where there is none."""
        value = row.value(name)
        folded = fold(value.text) if value.text and value.origin is not Origin.MADE else ""
        if not folded:
            return None
        first = seen.setdefault(folded, row.number)
        return first if first != row.number else None

    def _alike(self, row: Row) -> Problem | None:
        text, origin, *_ = row.value(_USERNAME)
        if not text or origin is Origin.MADE or self._usernames is None or (text.isascii() and not self._looks):
            return None
        folded = fold(text)
        if self._usernames.get(folded) not in (None, row.number):
            return None  # the very same name: a duplicate
        look = folded if text.isascii() else skeleton(text)
        rows = (self._looks.get(look), self._usernames.get(look))
        first = next((number for number in rows if number is not None and number < row.number), None)
        if not text.isascii():
            self._looks.setdefault(look, row.number)
        if first is None:
            return None
        return row.problem(
            _USERNAME,
            f"{_USERNAME}.confusable",
            "{heading} looks like that of row {first} but is written with {letters}; check that both are meant",
            severity=Severity.WARNING,
            first=first,
            letters=foreign_letters(text) or gettext("other letters"),
        )


def _given(batch: Batch, name: str) -> Sequence[str]:
    """The values of a field as they are compared, without those that the plan makes such that nobody has them twice."""
    folded, made = batch.folded(name), batch.made(name)
    return ["" if place in made else text for place, text in enumerate(folded)] if made else folded


def skeleton(text: str) -> str:
    """Returns what a name looks like: folded, with look-alikes replaced by Latin letters.

    ASCII names are their own skeleton (folded). Idempotent.
    """
    # Compatibility forms first, so that the table need not have them. Folding comes after the table, since it
    # would turn a capital into a small letter that looks like something else; but it can bring up new ones.
    before, text = None, unicodedata.normalize("NFKC", text)
    while text != before:
        before, text = text, fold(text.translate(_TABLE))
    return text


def foreign_letters(text: str) -> str:
    """Describes the look-alikes in a name, e.g. `"а" (Cyrillic)`; empty where there is none."""
    found = dict.fromkeys(c for c in unicodedata.normalize("NFKC", text) if ord(c) in _TABLE)
    return ", ".join(f'"{c}" ({unicodedata.name(c, "other").split()[0].capitalize()})' for c in found)


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(
        name="unique",
        summary="Usernames must not be repeated in the sheet",
        options=UniqueOptions,
        build=Unique,
    )
