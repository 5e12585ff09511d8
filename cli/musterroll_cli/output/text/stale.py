"""What has changed since a plan was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from musterroll import gettext, gettext_noop, term
from musterroll.engine import Action, Difference, GroupDifference, GroupState, Stale, UserDifference
from musterroll_cli.output.console import Stream
from musterroll_cli.output.tables import Cells, Column, show_table
from musterroll_cli.output.text.words import amount, and_more, by_channel, group_name, value

SHOWN = 10
"""So many users and groups are shown one by one, unless the person asks for all."""

_COLUMNS = (Column(right=True), Column(wraps=True, widest=40), Column(wraps=True))
_GROUPS = {
    (GroupState.EXISTS, GroupState.MISSING): gettext_noop("is gone, or has another name now"),
    (GroupState.MISSING, GroupState.EXISTS): gettext_noop("exists now"),
    (GroupState.EXISTS, GroupState.REPLACED): gettext_noop("is another group of this name now"),
}
_OTHERWISE = gettext_noop("differs")
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
        stream.line("  ", and_more(gettext(" and ").join(more)))


def _about_group(group: GroupDifference) -> str:
    if group.now is None:
        return gettext("the plan would no longer touch it")
    if group.planned is None:
        return gettext("the plan would touch it now")
    return gettext(_GROUPS.get((group.planned, group.now), _OTHERWISE))


def _user(user: UserDifference) -> Cells:
    row = "" if user.row is None else gettext("row {row}", row=user.row)
    return row, user.username, "; ".join(filter(None, map(_about, user.differences)))


def _about(difference: Difference) -> str:
    planned, now = difference.planned, difference.now
    match difference.what:
        case "row":
            return (
                gettext("is not in the plan") if planned is None else gettext("is left out, or no longer in the sheet")
            )
        case "username":
            return gettext("was {username}", username=value(planned))
        case "action" if planned == Action.CREATE and now in _EXISTING:
            return gettext("was to be created, and exists now")
        case "action" if planned in _EXISTING and now == Action.CREATE:
            return gettext("is no longer in the portal")
        case "action" if {planned, now} <= _EXISTING:
            return ""  # the rest says more
        case "action":
            return gettext("planned: {planned}, now: {now}", planned=term(planned), now=term(now))
        case "groups":
            return gettext("groups: {planned} planned, now {now}", planned=_memberships(planned), now=_memberships(now))
        case "password":
            return gettext("password: {planned} planned, now {now}", planned=term(planned), now=term(now))
        case "invite":
            return gettext("invite: {planned} planned, now {now}", planned=_invite(planned), now=_invite(now))
        case "portal":
            return gettext("was changed in the portal")
        case field:
            return gettext(
                "{field}: {planned} planned, now {now}",
                field=field.removeprefix("fields."),
                planned=_change(planned),
                now=_change(now),
            )


def _change(change: Mapping[str, Any] | None) -> str:
    return gettext("no change") if change is None else f"{value(change['before'])} → {value(change['after'])}"


def _memberships(groups: Mapping[str, Sequence[Sequence[str]]]) -> str:
    def signed() -> Iterator[str]:
        yield from (f"+{group_name(tuple(path))}" for path in groups["add"])
        yield from (f"-{group_name(tuple(path))}" for path in groups["remove"])

    return " ".join(signed()) or gettext("no change")


def _invite(invite: Mapping[str, Any]) -> str:
    if invite["send"]:
        return by_channel(str(invite["channel"]))
    return gettext("none ({reason})", reason=term(str(invite["reason"])))
