"""Names by patterns, as `protect` and `[privileged]` have them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate

from musterroll.contract.text import fold


class Patterns:
    """Says which of some patterns a name fits.

    Args:
        patterns: `*` stands for any text, `?` for one character, `[ab]` for one of these. Compared folded, as usernames
            and groups are.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [(re.compile(translate(fold(pattern))), pattern) for pattern in patterns]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._patterns)

    def of(self, *names: str) -> str | None:
        """Returns the pattern that one of these names fits; None where none does."""
        if not self._patterns:
            return None
        folded = [fold(name) for name in names if name]
        return next((text for pattern, text in self._patterns if any(map(pattern.match, folded))), None)
