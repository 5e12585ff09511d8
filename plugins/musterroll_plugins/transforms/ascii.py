"""Letters that every portal takes."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll import Component, Context, Options, TransformType, ascii_text, hookimpl
from musterroll_plugins.transforms._values import OpenFieldNames, TextTransform


class AsciiOptions(Options):
    """Options of `ascii`.

    Attributes:
        fields: the fields whose values are changed: Müller becomes Mueller, as passports have it.
    """

    fields: OpenFieldNames


def _build(options: AsciiOptions, context: Context) -> TextTransform:
    return TextTransform(options.fields, ascii_text)


@hookimpl
def musterroll_transforms() -> Iterator[Component]:
    """Announces the transform."""
    yield TransformType(
        name="ascii", summary="Letters without accents, as passports have them", options=AsciiOptions, build=_build
    )
