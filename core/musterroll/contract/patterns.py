"""Regular expressions whose time is in proportion to the text, whatever the pattern.

The matching is that of Rust's `regex`, which comes with pydantic. Python's own takes exponential time for patterns such
as `(a+)+`, and a pattern comes from a pipeline file, the text from a sheet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import SchemaError, SchemaValidator, core_schema

_MARGIN = 4  # what the engine puts before a pattern that it draws
_ONE_LINE = 4  # of pydantic, of the engine, the pattern, and the mark


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
        raise ValueError(f"is not a regular expression that can be used here: {_reason(str(error))}") from None


def _reason(text: str) -> str:
    """What is wrong, and at which character: the engine draws the pattern, and a mark below it."""
    *drawn, last = text.strip().splitlines()
    reason = last.strip().split("rror: ")[-1].rstrip(".")
    if "size limit" in reason:
        return "it repeats too much; write smaller numbers in {}"
    marks = [line for line in drawn if line.strip() and not line.strip(" ^")]
    place = f", at character {marks[0].index('^') - _MARGIN + 1}" if len(marks) == 1 and len(drawn) == _ONE_LINE else ""
    return f"{reason[:1].lower()}{reason[1:]}{place}"


def _compiled(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex", strict=True))


def _is_a_pattern(pattern: str) -> str:
    matcher(pattern)
    return pattern


PatternText = Annotated[str, AfterValidator(_is_a_pattern)]
"""An option that is a regular expression for `matcher`."""
