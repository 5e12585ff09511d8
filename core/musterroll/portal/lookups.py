"""Who is who: which users of the portal the rows mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from musterroll.contract.fields import USERNAME
from musterroll.contract.problems import Problem
from musterroll.contract.rows import Row
from musterroll.contract.users import Existing, UserKey
from musterroll.portal.portal import Portal


@dataclass(frozen=True, slots=True)
class Matches:
    """The users that the keys of a batch of rows mean."""

    by_text: Mapping[tuple[str, str], Sequence[Existing]]  # field and value as the sheet has it

    def of(self, row: Row, field: str) -> Sequence[Existing]:
        """Returns the users that a row's field means."""
        return self.by_text.get((field, row.value(field).text), ())


def look_up(portal: Portal, rows: Sequence[Row], fields: Sequence[str]) -> Matches:
    """Looks the users of a batch of rows up.

    Args:
        portal: the portal.
        rows: the batch.
        fields: what to look up by.

    Raises:
        BackendError: the portal cannot answer.
        PluginError: the backend broke.
    """
    keys = {
        (field, text): UserKey.of(field, text) for row in rows for field in fields if (text := row.value(field).text)
    }
    found = portal.lookup(list(keys.values()))
    return Matches({text: found[key] for text, key in keys.items() if key in found})


def look_up_known(portal: Portal, names: Mapping[str, str]) -> dict[str, Existing]:
    """Looks users up whom we know by their ids, by the usernames that they had; returns those who still have them.

    Who has another id took the name of one who was renamed, or is gone. Several names may fold to one.
    """
    found = portal.lookup([UserKey.of(USERNAME, name) for name in names.values()])
    return {user.ref: user for users in found.values() for user in users if user.ref in names}


def find_user(row: Row, match: Sequence[str], matches: Matches) -> Existing | Problem | None:
    """Finds the user that a row means: by the first field that finds one.

    Returns:
        The user; None where the row means a new one; a problem where several users fit.
    """
    for field in match:
        found = matches.of(row, field)
        if len(found) > 1:
            return row.problem(
                field,
                "username.ambiguous",
                "Several users of the portal fit this row: {names}; correct them in the portal, so that one fits",
                names=", ".join(sorted(user.username for user in found)),
            )
        if found:
            others = [user for user in matches.of(row, USERNAME) if user.ref != found[0].ref]
            if others:
                return row.problem(
                    USERNAME,
                    "username.ambiguous",
                    "The row means the user {user} by its {match}, "
                    "but another user has this username; correct one of the two cells",
                    user=found[0].username,
                    match=field.replace("_", " "),
                )
            return found[0]
    return None
