"""Who is who: which users of the portal the rows mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol

from musterroll.contract.fields import USERNAME
from musterroll.contract.problems import Problem
from musterroll.contract.text import fold
from musterroll.contract.users import Existing, UserKey
from musterroll.portal.portal import Portal
from musterroll.sheet.checks import CheckedRow
from musterroll.sheet.orders import Order

_PLACE = attrgetter("place")


@dataclass(frozen=True, slots=True)
class Matches:
    """The users that the keys of a batch of rows mean."""

    by_text: Mapping[tuple[str, str], Sequence[Existing]]  # field and value as the sheet has it

    def of(self, field: str, text: str) -> Sequence[Existing]:
        """Returns the users that a row's field means, by its text."""
        return self.by_text.get((field, text), ())


class LooksUp(Protocol):
    """Whoever can be asked who the users of some keys are: the portal, and what stands before it."""

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Returns the users by key, as `Portal.lookup`."""
        ...


class OnceEach:
    """Asks the portal for each key of a batch of rows once, however often it is wanted.

    Args:
        portal: the portal.
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._found: dict[UserKey, Sequence[Existing]] = {}

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Looks up what was not looked up before.

        Raises:
            BackendError: the portal cannot answer.
            PluginError: the backend broke.
        """
        new = [key for key in keys if key not in self._found]
        if new:
            self._found |= dict.fromkeys(new, ())
            self._found.update(self._portal.lookup(new))
        return {key: found for key in keys if (found := self._found[key])}


def look_up(
    portal: LooksUp, rows: Sequence[CheckedRow], fields: Sequence[str], old_username: str | None = None
) -> Matches:
    """Looks the users of rows of a batch up.

    Args:
        portal: asked.
        rows: the rows.
        fields: what to look up by.
        old_username: the field of former usernames, where there is one.

    Raises:
        BackendError: the portal cannot answer.
        PluginError: the backend broke.
    """
    keys: list[UserKey] = []
    places = list(map(_PLACE, rows))
    for field in fields if rows else ():
        texts, folded = rows[0].batch.columns.texts(field), rows[0].batch.columns.folded(field)
        keys += [UserKey(field, texts[place], folded[place]) for place in places if texts[place]]
    if old_username is not None:
        keys += [UserKey.of(USERNAME, old) for row in rows if (old := row.texts[old_username])]
    found = portal.lookup(list(dict.fromkeys(keys)))
    return Matches({(key.field, key.raw): users for key, users in found.items()})


def find_user(checked: CheckedRow, match: Sequence[str], matches: Matches) -> Existing | Problem | None:
    """Finds the user that a row means: by the first field that finds one.

    Returns:
        The user; None where the row means a new one; a problem where several users fit.
    """
    texts = checked.texts
    for field in match:
        found = matches.of(field, texts[field])
        if len(found) > 1:
            return checked.row.problem(
                field,
                "username.ambiguous",
                "Several users of the portal fit this row: {names}; correct them in the portal, so that one fits",
                names=", ".join(sorted(user.username for user in found)),
            )
        if found:
            others = [user for user in matches.of(USERNAME, texts[USERNAME]) if user.ref != found[0].ref]
            if others:
                return checked.row.problem(
                    USERNAME,
                    "username.ambiguous",
                    "The row means the user {user} by its {match}, "
                    "but another user has this username; correct one of the two cells",
                    user=found[0].username,
                    match=field.replace("_", " "),
                )
            return found[0]
    return None


def find_renamed(
    checked: CheckedRow, order: Order, field: str, match: Existing | Problem | None, matches: Matches
) -> Existing | Problem | None:
    """Finds the user that a row renames, by the name that it had.

    Args:
        checked: the row.
        order: what it wants.
        field: the field of former usernames.
        match: whom it means by its other fields.
        matches: whom the portal has.

    Returns:
        The user; None where the row means a new one after all; a problem where nobody, or another one, has the name.
    """
    old, new = order.old_username, checked.texts[USERNAME]
    if isinstance(match, Problem) or not old or fold(old) == fold(new):
        return match
    others = [user for user in matches.of(USERNAME, old) if match is None or user.ref != match.ref]
    if match is None and len(others) == 1:
        return others[0]
    if others:
        return checked.row.problem(
            field,
            "username.ambiguous",
            'The user "{old}" cannot become "{new}": the portal has both; correct one of the two cells',
            old=old,
            new=new,
        )
    if match is None:
        return checked.row.problem(
            field,
            f"{field}.unknown_user",
            'The portal has neither "{old}" nor "{new}"; correct the cell, or empty it to create a new user',
            old=old,
            new=new,
        )
    return match
