"""Regular expressions that are compiled when they are first used.

Most commands import many modules with patterns for what seldom occurs, and compiling them all would be a twentieth of a
short one's time.
"""

from __future__ import annotations

import re
from typing import Any, cast


def late_pattern(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Makes what can be used like `re.compile(pattern, flags)`: its methods are those of the pattern."""
    return cast("re.Pattern[str]", _LatePattern(pattern, flags))


class _LatePattern:
    def __init__(self, pattern: str, flags: int) -> None:
        self._made_of = pattern, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._made_of), name)
        setattr(self, name, found)  # from now on that is found at once, without this method
        return found
