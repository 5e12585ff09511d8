"""What the keys of a pipeline file can be: names, numbers of rows, limits, durations."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from musterroll.contract.late_patterns import late_pattern

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*$", max_length=200)]
RowNumber = Annotated[int, Field(ge=1, le=10_000_000)]


_DEVICE = late_pattern(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")


def _file_name(name: str) -> str:
    if _DEVICE.fullmatch(name):
        raise ValueError("is the name of a device on Windows, and files are called after the pipeline; choose another")
    return name


def _not_empty(path: str) -> str:
    # Not a constraint of pydantic's, which takes no path that is not UTF-8.
    if not path:
        raise ValueError("must not be empty")
    return path


PathText = Annotated[str, AfterValidator(_not_empty)]


PipelineName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100),
    AfterValidator(_file_name),
]
"""Journal and templates are called after it, on every system."""

MOST = 10**9
"""The greatest number that a limit can be."""
_LIMIT = 'should be a whole number, or a percentage as text, e.g. "20%"'
_PERCENTAGE = r"^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?) ?%$"


def _limit(value: object) -> object:
    match value:
        case int() if not isinstance(value, bool):
            fault = "must be at least 0" if value < 0 else f"must be at most {MOST}" if value > MOST else None
        case str() if re.fullmatch(_PERCENTAGE, value):
            fault = None
        case str() if re.fullmatch(r"-?[0-9.]+ ?%", value):
            fault = "a percentage is from 0% to 100%"
        case _:
            fault = _LIMIT
    if fault is not None:
        raise ValueError(fault)
    return value


Limit = Annotated[
    int | str,
    BeforeValidator(_limit),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0, "maximum": MOST}, {"type": "string", "pattern": _PERCENTAGE}]}
    ),
]
"""So many, or a percentage such as `20%`; of what, depends on what is limited."""


_DURATION = r"^[1-9][0-9]{0,4}[dw]$"


def _duration(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(_DURATION, value):
        return value
    raise ValueError('should be days or weeks as text, e.g. "90d" or "12w"')


Duration = Annotated[
    str,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": _DURATION}),
]
"""A number of days (`90d`) or weeks (`12w`)."""


def days_of(duration: str) -> int:
    """Returns how many days a duration has."""
    return int(duration[:-1]) * (7 if duration.endswith("w") else 1)


class Table(BaseModel):
    """A table of the file: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
