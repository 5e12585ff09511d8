"""Whom a notifier reaches that can be used for letters, calls and text messages alike."""

from __future__ import annotations

from typing import Literal

from musterroll import Recipient
from musterroll_plugins.notifiers._mail import is_address

Needs = Literal["email", "phone", "any", "nothing"]
"""What a user must have: an address, a phone number, either, or neither."""


def reaches(needs: Needs, user: Recipient) -> bool:
    """Whether a user has what is needed."""
    match needs:
        case "email":
            return is_address(user.email)
        case "phone":
            return bool(user.phone)
        case "any":
            return is_address(user.email) or bool(user.phone)
        case "nothing":
            return True
