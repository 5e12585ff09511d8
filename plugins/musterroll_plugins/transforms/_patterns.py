"""Regular expressions that find parts of a text, in time that is in proportion to the text."""

from __future__ import annotations

from typing import Annotated, Any

# Google's RE2 has the syntax of `PatternText`, and no pattern makes it slow; it also says where the groups are.
import re2
from pydantic import AfterValidator

from musterroll import PatternText


def compiled(pattern: str) -> Any:
    """Compiles a pattern that `PatternText` has taken.

    Raises:
        ValueError: it is none here; why, in words.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"is not a regular expression that can be used here: {reason}") from None


def _can_be_compiled(pattern: str) -> str:
    compiled(pattern)
    return pattern


FindingPattern = Annotated[PatternText, AfterValidator(_can_be_compiled)]
"""An option that is a regular expression for `compiled`."""
