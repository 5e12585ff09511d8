"""Looking users up whom we know already."""

from __future__ import annotations

from collections.abc import Mapping

from musterroll.contract.fields import USERNAME
from musterroll.contract.users import Existing, UserKey
from musterroll.portal.portal import Portal


def look_up_known(portal: Portal, names: Mapping[str, str]) -> dict[str, Existing]:
    """Looks users up whom we know by their ids, by the usernames that they had; returns those who still have them.

    Who has another id took the name of one who was renamed, or is gone. Several names may fold to one.
    """
    found = portal.lookup([UserKey.of(USERNAME, name) for name in names.values()])
    return {user.ref: user for users in found.values() for user in users if user.ref in names}
