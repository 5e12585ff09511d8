"""Regular expressions whose time is in proportion to the text, whatever the pattern.

The matching is that of Rust's `regex`, which comes with pydantic. Python's own takes exponential time for patterns such
as `(a+)+`, and a pattern comes from a pipeline file, the text from a sheet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import SchemaError, SchemaValidator, core_schema


def matcher(pattern: str, *, ignore_case: bool = False) -> Callable[[str], bool]:
    r"""Makes the question whether a whole text has a form.

    Args:
        pattern: a regular expression without look-around (`(?!`) and backreferences (`\1`).
        ignore_case: capitals and small letters are the same.

    Raises:
        ValueError: it is none, or none that can be used here; why, in words.
    """
    try:
        _compiled(pattern)  # by itself first: `a)|(b` would be one between our own brackets
        return _compiled(rf"\A(?{'i' if ignore_case else ''}:{pattern})\z").isinstance_python
    except SchemaError as error:
        reason = str(error).strip().splitlines()[-1].strip().split("rror: ")[-1].rstrip(".")
        raise ValueError(
            f"is not a regular expression that can be used here: {reason[:1].lower()}{reason[1:]}"
        ) from None


def _compiled(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex", strict=True))


def _is_a_pattern(pattern: str) -> str:
    matcher(pattern)
    return pattern


PatternText = Annotated[str, AfterValidator(_is_a_pattern)]
"""An option that is a regular expression for `matcher`."""
