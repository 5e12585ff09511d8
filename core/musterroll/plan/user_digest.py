"""What a plan saw of a user, in one short text: a later look at the portal tells whether it is still so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from musterroll.contract.users import Existing

_encode = json.JSONEncoder(separators=(",", ":")).encode


def digest_of(user: Existing, attributes: Iterable[str]) -> str:
    """Digests what the backend says of a user.

    Args:
        user: the user.
        attributes: the fields of the pipeline; what else the portal keeps decides nothing.

    Returns:
        The SHA-256 in hexadecimal. It keeps nothing secret: whoever can guess the values can check the guess.
    """
    fields = [user.fields.get(name) or None for name in attributes]
    said = _encode([user.username, user.active, sorted(user.groups), fields])
    return hashlib.sha256(said.encode()).hexdigest()
