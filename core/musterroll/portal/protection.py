"""`protect`: the users that nothing ever touches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate

from musterroll.contract.text import fold

PROTECTED = "protected"
"""Why a protected user is not invited."""


class Protection:
    """Says who is protected.

    Args:
        patterns: usernames; `*` stands for any text, `?` for one character, `[ab]` for one of these. Compared
            folded, as usernames are.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [(re.compile(translate(fold(pattern))), pattern) for pattern in patterns]

    def of(self, *usernames: str) -> str | None:
        """Returns the pattern that protects one of these usernames; None where none does."""
        if not self._patterns:
            return None
        folded = [fold(username) for username in usernames if username]
        return next((text for pattern, text in self._patterns if any(map(pattern.match, folded))), None)
