"""Capitals and small letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from musterroll import Component, Context, Options, TransformType, hookimpl, title_text
from musterroll_plugins.transforms._values import OpenFieldNames, TextTransform

_CHANGES: Mapping[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "title": title_text}


class CaseOptions(Options):
    """Options of `case`.

    Attributes:
        fields: the fields whose values are changed.
        to: small letters (`lower`), capitals (`upper`), or words that begin with a capital (`title`): of these only
            words change that are written in capitals or in small letters throughout, so that McKay stays.
    """

    fields: OpenFieldNames
    to: Literal["lower", "upper", "title"]


def _build(options: CaseOptions, context: Context) -> TextTransform:
    return TextTransform(options.fields, _CHANGES[options.to])


@hookimpl
def musterroll_transforms() -> Iterator[Component]:
    """Announces the transform."""
    yield TransformType(name="case", summary="Capitals and small letters", options=CaseOptions, build=_build)
