"""What has changed since a plan was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from musterroll.engine import Action, Difference, GroupDifference, GroupState, Stale, UserDifference
from musterroll_cli.output.console import Stream
from musterroll_cli.output.tables import Cells, Column, show_table
from musterroll_cli.output.text.words import amount, and_more, group_name, value

SHOWN = 10
"""So many users and groups are shown one by one, unless the person asks for all."""

_COLUMNS = (Column(right=True), Column(wraps=True, widest=40), Column(wraps=True))
_GROUPS = {
    (GroupState.EXISTS, GroupState.MISSING): "is gone, or has another name now",
    (GroupState.MISSING, GroupState.EXISTS): "exists now",
    (GroupState.EXISTS, GroupState.REPLACED): "is another group of this name now",
}
_EXISTING = frozenset({Action.UPDATE, Action.UNCHANGED})


def show_stale(stream: Stream, stale: Stale, *, verbose: bool) -> None:
    """Prints for whom a plan would come out differently."""
    # What the plan itself has done is no news.
    if stale.applied_by is not None and not verbose:
        return
    groups = [("", group_name(group.path), _about_group(group)) for group in stale.groups]
    users = [_user(user) for user in stale.users[: None if verbose else SHOWN]]
    show_table(stream, _COLUMNS, groups if verbose else groups[:SHOWN], indent=2)
    show_table(stream, _COLUMNS, users, indent=2)
    hidden = [(len(groups), "group"), (len(stale.users), "user")]
    more = [amount(count - SHOWN, thing) for count, thing in hidden if not verbose and count > SHOWN]
    if more:
        stream.line("  ", and_more(" and ".join(more)))


def _about_group(group: GroupDifference) -> str:
    if group.now is None:
        return "the plan would no longer touch it"
    if group.planned is None:
        return "the plan would touch it now"
    return _GROUPS.get((group.planned, group.now), "differs")


def _user(user: UserDifference) -> Cells:
    row = "" if user.row is None else f"row {user.row}"
    return row, user.username, "; ".join(filter(None, map(_about, user.differences)))


def _about(difference: Difference) -> str:
    planned, now = difference.planned, difference.now
    match difference.what:
        case "row":
            return "is not in the plan" if planned is None else "is left out, or no longer in the sheet"
        case "username":
            return f"was {value(planned)}"
        case "action" if planned == Action.CREATE and now in _EXISTING:
            return "was to be created, and exists now"
        case "action" if planned in _EXISTING and now == Action.CREATE:
            return "is no longer in the portal"
        case "action" if {planned, now} <= _EXISTING:
            return ""  # the rest says more
        case "action":
            return f"planned: {planned}, now: {now}"
        case "groups":
            return f"groups: {_memberships(planned)} planned, now {_memberships(now)}"
        case "password":
            return f"password: {planned} planned, now {now}"
        case "invite":
            return f"invite: {_invite(planned)} planned, now {_invite(now)}"
        case "portal":
            return "was changed in the portal"
        case field:
            return f"{field.removeprefix('fields.')}: {_change(planned)} planned, now {_change(now)}"


def _change(change: Mapping[str, Any] | None) -> str:
    return "no change" if change is None else f"{value(change['before'])} → {value(change['after'])}"


def _memberships(groups: Mapping[str, Sequence[Sequence[str]]]) -> str:
    def signed() -> Iterator[str]:
        yield from (f"+{group_name(tuple(path))}" for path in groups["add"])
        yield from (f"-{group_name(tuple(path))}" for path in groups["remove"])

    return " ".join(signed()) or "no change"


def _invite(invite: Mapping[str, Any]) -> str:
    return f"by {invite['channel']}" if invite["send"] else f"none ({invite['reason']})"
