"""Values that must have a certain form, given as a regular expression."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll import (
    Batch,
    Component,
    Context,
    FieldName,
    Options,
    PatternText,
    Problem,
    Row,
    ValidatorType,
    gettext_noop,
    hookimpl,
    matcher,
)
from musterroll_plugins.validators._characters import legible
from musterroll_plugins.validators._fields import is_too_long

_MESSAGE = gettext_noop("{heading} does not have the form that it must have: {pattern}")


class PatternOptions(Options):
    r"""Options of `pattern`.

    Attributes:
        field: the field that must have this form.
        pattern: a regular expression that the whole value must match, e.g. `A\d{5}`; without look-around (`(?!`)
            and backreferences (`\1`), which would let a value take for ever.
        message: what to tell whoever typed something else, e.g. `Staff numbers are A and five digits`; made of
            the pattern by default.
        ignore_case: capitals and small letters are the same.
    """

    field: FieldName
    pattern: PatternText
    message: str | None = None
    ignore_case: bool = False


class Pattern:
    """`FIELD.pattern`: the value does not have the form."""

    def __init__(self, options: PatternOptions, context: Context) -> None:
        self._field, self._context = options.field, context
        self._matches = matcher(options.pattern, ignore_case=options.ignore_case)
        self._message, self._pattern = options.message or _MESSAGE, options.pattern

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields at most one problem."""
        value = row.value(self._field)
        if value.secret is not None:
            if not self._matches(value.secret.reveal()):
                yield self._problem(row, None)
            return
        text = legible(value.text)
        if text and not self._matches(text) and not is_too_long(self._context, self._field, value.text):
            yield self._problem(row, self._suggestion(text))

    def suspects(self, batch: Batch) -> list[int]:
        """Suspects rows whose value does not have the form as it stands."""
        is_secret, matches = batch.is_secret(self._field), self._matches
        texts = batch.secrets(self._field) if is_secret else batch.texts(self._field)
        known = {text: matches(text if is_secret else legible(text)) for text in set(texts)}
        return [place for place, text in enumerate(texts) if text and not known[text]]

    def _problem(self, row: Row, suggestion: str | None) -> Problem:
        return row.problem(
            self._field, f"{self._field}.pattern", self._message, suggestion=suggestion, pattern=self._pattern
        )

    def _suggestion(self, text: str) -> str | None:
        closed = "".join(text.split())
        candidates = (text.upper(), text.lower(), closed, closed.upper(), closed.lower())
        return next((one for one in candidates if one != text and self._matches(one)), None)


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(
        name="pattern",
        summary="Values must match a regular expression",
        options=PatternOptions,
        build=Pattern,
    )
