"""Parts of a text that are to be something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Self

from pydantic import Field, model_validator

from musterroll import Component, Context, Options, TransformType, hookimpl
from musterroll_plugins.transforms._patterns import FindingPattern, compiled
from musterroll_plugins.transforms._values import OpenFieldNames, TextTransform

_REFERENCE = re.compile(r"\\(\\|[0-9]|g<([A-Za-z_][A-Za-z0-9_]*)>)|\\")


class ReplaceOptions(Options):
    r"""Options of `replace`.

    Attributes:
        fields: the fields whose values are changed.
        pattern: a regular expression; every part of the value that has its form is replaced.
        by: what stands there instead: `\\1` is what the first pair of brackets has found, `\\g<name>` that of a name.
    """

    fields: OpenFieldNames
    pattern: FindingPattern
    by: str = Field("")

    @model_validator(mode="after")
    def _refers_to_what_is_there(self) -> Self:
        found = compiled(self.pattern)
        for match in _REFERENCE.finditer(self.by):
            what = match[1]
            if what is None:
                raise ValueError(r"by: write \\\\ for a backslash itself")
            if (what.isdigit() and int(what) > found.groups) or (match[2] and match[2] not in found.groupindex):
                raise ValueError(f'by: "{match[0]}" is not in the pattern')
        return self


def _replacing(options: ReplaceOptions) -> Callable[[str], str]:
    pattern = compiled(options.pattern)

    def by(found: Any) -> str:
        def said(reference: re.Match[str]) -> str:
            what = reference[1]
            return what if what == "\\" else found.group(reference[2] or int(what)) or ""

        return _REFERENCE.sub(said, options.by)

    def change(text: str) -> str:
        return str(pattern.sub(by, text))

    return change


def _build(options: ReplaceOptions, context: Context) -> TextTransform:
    return TextTransform(options.fields, _replacing(options))


@hookimpl
def musterroll_transforms() -> Iterator[Component]:
    """Announces the transform."""
    yield TransformType(
        name="replace", summary="Parts of a value that are to be something else", options=ReplaceOptions, build=_build
    )
