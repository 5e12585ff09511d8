"""Compares a plan with the one that would be made now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Protocol

from musterroll.contract.users import GroupPath
from musterroll.journal.change import Action, Change
from musterroll.pipeline.made_from import MadeFrom, PluginsUsed
from musterroll.plan.differences import Difference, GroupDifference, GroupState, PluginDifference, Stale, UserDifference
from musterroll.reports.records import change_record

_OF_ONE_USER = frozenset({Action.UPDATE, Action.UNCHANGED})
# What depends on who was invited and whose password was reset before, not on the portal.
_LEDGER = ("password", "invite")


class Planned(Protocol):
    """A plan: one in a journal, or one in a file."""

    def changes(self) -> Iterable[Change]:
        """What happens to every row, in the order of the sheet; users that are not in it come last."""
        ...

    def existing_groups(self) -> Iterable[tuple[GroupPath, str]]:
        """Path and id of the existing groups that it touches."""
        ...

    def groups_to_create(self) -> Iterable[GroupPath]:
        """The groups that it creates."""
        ...


def compare_made_from(planned: MadeFrom, now: MadeFrom) -> Stale:
    """Compares what two plans rest on, but for the portal."""
    return Stale(
        sheet=planned.sheet != now.sheet,
        pipeline=planned.pipeline != now.pipeline,
        plugins=tuple(_plugins(planned.plugins, now.plugins)),
    )


def compare(planned: Planned, now: Planned, then: MadeFrom, today: MadeFrom) -> Stale | None:
    """Compares two plans whole. Both stream; only what differs is held.

    Args:
        planned: the plan that is to be carried out.
        now: the one that was just made.
        then: what the former rests on.
        today: what the latter rests on.

    Returns:
        What differs; None where the two come to the same.
    """
    groups = tuple(_groups(planned, now))
    users: list[UserDifference] = []
    ledger, portal = False, then.identity != today.identity
    same_sheet = then.sheet == today.sheet
    for before, after in _pairs(planned.changes(), now.changes()):
        if before == after or _nothing_is_done(before, after):
            continue
        user = _user(before, after)
        users.append(user)
        of_the_ledger = _of_the_ledger(user.differences)
        ledger |= of_the_ledger
        # With another sheet nobody can tell what else a difference comes from.
        portal |= _is_seen_differently(before, after) or (same_sheet and not of_the_ledger)
    stale = replace(
        compare_made_from(then, today),
        backend=portal or (same_sheet and bool(groups)),
        ledger=ledger,
        groups=groups,
        users=tuple(users),
    )
    return stale if stale.causes else None


def _plugins(planned: PluginsUsed, now: PluginsUsed) -> Iterator[PluginDifference]:
    def differing(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[PluginDifference]:
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                yield PluginDifference(name, before.get(name), after.get(name))

    yield from differing(planned.distributions, now.distributions)
    yield from differing(planned.files, now.files)


def _groups(planned: Planned, now: Planned) -> Iterator[GroupDifference]:
    before, after = _known_groups(planned), _known_groups(now)
    for path in sorted(before.keys() | after.keys()):
        was, is_ = _state(before, path), _state(after, path)
        if was is is_ is GroupState.EXISTS and before[path] != after[path]:
            is_ = GroupState.REPLACED
        if was is not is_:
            yield GroupDifference(path, was, is_)


def _known_groups(plan: Planned) -> dict[GroupPath, str | None]:
    return {**dict(plan.existing_groups()), **dict.fromkeys(plan.groups_to_create())}


def _state(groups: Mapping[GroupPath, str | None], path: GroupPath) -> GroupState | None:
    if path not in groups:
        return None
    return GroupState.MISSING if groups[path] is None else GroupState.EXISTS


def _pairs(planned: Iterable[Change], now: Iterable[Change]) -> Iterator[tuple[Change | None, Change | None]]:
    """Pairs what two plans say of each row; users that are not in the sheet are paired by their id."""
    befores, afters = iter(planned), iter(now)
    before, after = next(befores, None), next(afters, None)
    while (row := _first_row(before, after)) is not None:
        first, second = (change if change and change.row == row else None for change in (before, after))
        yield first, second
        before = next(befores, None) if first is not None else before
        after = next(afters, None) if second is not None else after
    # Few, as a limit has to allow them.
    absent = {change.ref: change for change in chain([before] if before else [], befores)}
    for change in chain([after] if after else [], afters):
        yield absent.pop(change.ref, None), change
    for change in absent.values():
        yield change, None


def _first_row(*changes: Change | None) -> int | None:
    return min((change.row for change in changes if change is not None and change.row is not None), default=None)


def _is_seen_differently(before: Change | None, after: Change | None) -> bool:
    """Whether the portal says something else of one and the same user."""
    if before is None or after is None or before.username != after.username:
        return False
    return (before.ref, before.user_digest) != (after.ref, after.user_digest)


def _nothing_is_done(before: Change | None, after: Change | None) -> bool:
    """Whether both plans leave a row's user alone, and one took no closer look at it (see `SettledRows`)."""
    if before is None or after is None or None not in (before.user_digest, after.user_digest):
        return False
    first, second = (replace(change, ref=None, user_digest=None) for change in (before, after))
    return first.action is Action.UNCHANGED and first == second


def _user(before: Change | None, after: Change | None) -> UserDifference:
    change = before or after
    assert change is not None
    found = tuple(_differences(before, after))
    if _is_seen_differently(before, after) and _of_the_ledger(found):
        found = (Difference("portal"), *found)  # it is something that the plan leaves as it is
    return UserDifference(change.row, change.username, found)


def _of_the_ledger(differences: tuple[Difference, ...]) -> bool:
    return all(difference.what in _LEDGER for difference in differences)


def _differences(before: Change | None, after: Change | None) -> Iterator[Difference]:
    if before is None or after is None:
        yield Difference("row", before and before.action, after and after.action)
        return
    planned, now = change_record(before), change_record(after)
    if planned["username"] != now["username"]:
        yield Difference("username", planned["username"], now["username"])
    if planned["action"] != now["action"]:
        yield Difference("action", planned["action"], now["action"])
        if not {before.action, after.action} <= _OF_ONE_USER:
            return  # everything else follows from it
    for name in sorted(planned["fields"].keys() | now["fields"].keys()):
        was, is_ = planned["fields"].get(name), now["fields"].get(name)
        if was != is_:
            yield Difference(f"fields.{name}", was, is_)
    for what in ("groups", *_LEDGER):
        if planned[what] != now[what]:
            yield Difference(what, planned[what], now[what])
