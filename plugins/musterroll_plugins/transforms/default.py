"""What a blank cell means, in the rows that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from musterroll import (
    Component,
    Context,
    Options,
    Origin,
    Row,
    Template,
    TransformType,
    Value,
    hookimpl,
)
from musterroll_plugins.transforms._values import OpenFieldName, look_for_fields


def _is_template(text: str, info: ValidationInfo) -> str:
    look_for_fields(Template(text).names, info)
    return text


class DefaultOptions(Options):
    """Options of `default`.

    Attributes:
        field: the field that is filled where it is blank.
        value: what it means; `{username}@acme.example` is made of another field. As all defaults it counts when a user
            is created only.
    """

    field: OpenFieldName
    value: Annotated[str, AfterValidator(_is_template)]


class Default:
    """Fills a blank value of the rows that the transform is about (`when`)."""

    def __init__(self, options: DefaultOptions, context: Context) -> None:
        self._field, self._template = options.field, Template(options.value)

    def apply(self, row: Row) -> Mapping[str, Value]:
        """Says the default where the value is blank."""
        if row.value(self._field).is_filled:
            return {}
        texts = {name: row.value(name).text for name in self._template.names}
        if texts and not any(texts.values()):
            return {}
        return {self._field: Value(self._template.fill(texts), Origin.DEFAULT)}


@hookimpl
def musterroll_transforms() -> Iterator[Component]:
    """Announces the transform."""
    yield TransformType(
        name="default", summary="What a blank cell means in some rows", options=DefaultOptions, build=Default
    )
