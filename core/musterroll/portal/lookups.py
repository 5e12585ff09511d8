"""Who is who: which users of the backend the rows mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from musterroll.contract.fields import USERNAME
from musterroll.contract.problems import Problem
from musterroll.contract.roles import UserBackend
from musterroll.contract.rows import Row
from musterroll.contract.text import fold
from musterroll.contract.users import Existing, UserKey


@dataclass(frozen=True, slots=True)
class Matches:
    """The users that the keys of a batch of rows mean."""

    by_text: Mapping[tuple[str, str], tuple[Existing, ...]]  # field and value as the sheet has it

    def of(self, row: Row, field: str) -> tuple[Existing, ...]:
        """Returns the users that a row's field means."""
        return self.by_text.get((field, row.value(field).text), ())


def look_up(backend: UserBackend, rows: Sequence[Row], fields: Sequence[str]) -> Matches:
    """Looks the users of a batch of rows up.

    Every answer is compared again here: a portal that ignores its filter, or matches more than we asked for,
    must never get the wrong user changed.

    Args:
        backend: the portal.
        rows: the batch.
        fields: what to look up by.

    Raises:
        BackendError: the portal cannot answer.
        PluginError: the backend broke.
    """
    keys = {
        (field, text): UserKey.of(field, text) for row in rows for field in fields if (text := row.value(field).text)
    }
    found = confirmed(backend, keys.values())
    return Matches({text: found[key] for text, key in keys.items() if key in found})


def confirmed(backend: UserBackend, keys: Iterable[UserKey]) -> dict[UserKey, tuple[Existing, ...]]:
    """Looks users up and keeps those that are the ones we asked for. See `look_up`."""
    wanted = list(keys)
    if not wanted:
        return {}
    answers = backend.lookup(wanted)
    return {key: _of_key(key, found) for key in wanted if (found := answers.get(key))}


def _of_key(key: UserKey, answers: Sequence[Existing]) -> tuple[Existing, ...]:
    users: dict[str, Existing] = {}
    for user in answers:
        stored = user.username if key.field == USERNAME else user.fields.get(key.field)
        if stored is not None and fold(stored) == key.folded:
            users[user.ref] = user
    return tuple(users.values())


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
