"""`protect`: the users that nothing ever touches."""

from __future__ import annotations

from musterroll.portal.patterns import Patterns

PROTECTED = "protected"
"""Why a protected user is not invited."""


class Protection(Patterns):
    """Says who is protected, and by which pattern."""
