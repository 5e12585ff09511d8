"""What the validators share: names of fields in options, values that `length` reports, long lists in messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from musterroll import Context, Surroundings, did_you_mean, gettext


def _is_known(name: str, info: ValidationInfo) -> str:
    around = info.context
    if isinstance(around, Surroundings) and around.fields is not None and name not in around.fields:
        raise ValueError(f'there is no field "{name}"{did_you_mean(name, around.fields)}')
    return name


FieldName = Annotated[str, AfterValidator(_is_known)]
"""An option that names a field of the pipeline. Defaults go without `validate_default`: a pipeline that has no phone
column can keep the standard `phone` validator."""


def is_too_long(context: Context, name: str, text: str) -> bool:
    """Whether `length` reports this value, so that nobody else need say anything about it."""
    spec = context.fields.get(name)
    return spec is not None and spec.max_length is not None and len(text) > spec.max_length


def listed(names: Iterable[str], most: int) -> str:
    """Names the first ones of a list, and how many others there are."""
    everyone = list(names)
    first, others = ", ".join(everyone[:most]), len(everyone) - most
    return gettext("{names} or {others} others", names=first, others=others) if others > 0 else first
