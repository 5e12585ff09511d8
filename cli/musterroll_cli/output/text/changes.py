"""Changes user by user, and the groups that are created."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from musterroll import GroupPath, counted, gettext, gettext_noop, term
from musterroll.engine import Action, Change, PasswordAction, Report, hand_edit_text
from musterroll_cli.output.console import Piece, Stream, Styled
from musterroll_cli.output.tables import Cells, Column, show_table
from musterroll_cli.output.text.words import (
    ACTION_STYLES,
    amount,
    and_more,
    group_name,
    privileged_words,
    value,
)

SHOWN = 200
"""So many changes are shown one by one, unless the person asks for all."""

_SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REACTIVATE: "~",
    Action.DEACTIVATE: "-",
    Action.DELETE: "-",
    Action.UNCHANGED: " ",
    Action.IGNORED: " ",
}
_QUIET = (Action.UNCHANGED, Action.IGNORED)
_COLUMNS = (Column(), Column(wraps=True, widest=40), Column(), Column(right=True), Column(wraps=True))
_PASSWORDS = {
    PasswordAction.SET: gettext_noop("password set"),
    PasswordAction.RESET: gettext_noop("password reset"),
}


@dataclass(slots=True)
class Tally:
    """What was counted while changes passed by."""

    actions: Counter[Action] = field(default_factory=Counter)
    invites: int = 0
    hidden: int = 0


def show_changes(stream: Stream, changes: Iterable[Change], *, verbose: bool, quiet: bool) -> Tally:
    """Prints changes: what differs, the unchanged ones only with `verbose`, none with `quiet`.

    Returns:
        What all of them come to.
    """
    tally = Tally()
    limit = None if verbose else 0 if quiet else SHOWN
    show_table(stream, _COLUMNS, _rows(changes, tally, limit, verbose=verbose))
    if tally.hidden and not quiet:
        stream.line(and_more(tally.hidden))
    return tally


def _rows(changes: Iterable[Change], tally: Tally, limit: int | None, *, verbose: bool) -> Iterator[Cells]:
    shown = 0
    for change in changes:
        tally.actions[change.action] += 1
        tally.invites += change.invite.send
        # Who is only invited, or was changed by hand, is worth a line, though the portal's user stays as it is.
        if not verbose and change.action in _QUIET and not (change.invite.send or change.hand_edits):
            continue
        if limit is not None and shown >= limit:
            tally.hidden += 1
            continue
        shown += 1
        style = ACTION_STYLES[change.action]
        yield (
            Styled(_SIGNS[change.action], style),
            Styled(change.username, style),
            term(change.action),
            "" if change.row is None else gettext("row {row}", row=change.row),
            tuple(_details(change, verbose=verbose)),
        )


def _details(change: Change, *, verbose: bool) -> Iterator[Piece]:
    parts: list[tuple[Piece, ...]] = []
    if "username" in change.made.fields and change.action is Action.CREATE:
        parts.append((Styled(gettext("username made"), "dim"),))
    for name, difference in change.fields.items():
        before = () if change.action is Action.CREATE else (value(difference.before), " → ")
        parts.append((Styled(f"{name}: ", "dim"), *before, value(difference.after)))
    parts += [(Styled(f"+{group_name(group.path)}", "green"),) for group in change.add]
    parts += [(Styled(f"-{group_name(group.path)}", "red"),) for group in change.remove]
    parts += [(Styled(hand_edit_text(edit), "yellow"),) for edit in change.hand_edits]
    if "password" in change.made.fields:
        parts.append((gettext("password made"),))
    elif change.password in _PASSWORDS:
        parts.append((gettext(_PASSWORDS[change.password]),))
    if change.invite.send:
        parts.append(
            (
                gettext("invite by {channel}", channel=term(change.invite.channel))
                if change.invite.channel
                else gettext("invite"),
            )
        )
    elif verbose and change.invite.reason:
        why = term(change.invite.reason)
        said = why if change.action is Action.IGNORED else gettext("no invite: {reason}", reason=why)
        parts.append((Styled(said, "dim"),))
    for number, part in enumerate(parts):
        if number:
            yield "  "
        yield from part


def show_groups(stream: Stream, groups: Sequence[GroupPath], *, verbose: bool) -> None:
    """Prints the groups to create as a tree, under the parents that exist."""
    if not groups:
        return
    stream.gap()
    stream.line(Styled(gettext("{groups} to create:", groups=amount(len(groups), "group")), "bold"))
    new = set(groups)
    shown: set[GroupPath] = set()
    lines = 0
    for path in sorted(groups):
        for depth in range(1, len(path) + 1):
            level = path[:depth]
            if level in shown:
                continue
            shown.add(level)
            if not verbose and lines >= SHOWN:
                continue
            lines += 1
            name = group_name(level[-1:])
            piece = (
                Styled(f"+ {name}", "green") if level in new else Styled(gettext("  {name} (exists)", name=name), "dim")
            )
            stream.line("  " * depth, piece)
    if len(shown) > lines:
        stream.line("  ", and_more(len(shown) - lines))


def show_privileged(stream: Stream, report: Report) -> None:
    """Prints the privileged groups that a plan concerns."""
    if report.privileged:
        stream.gap()
        stream.line(Styled(gettext("Privileged groups:"), "bold yellow"))
    for group in report.privileged:
        stream.line(f"  {privileged_words(group)}")


def show_plan_total(stream: Stream, tally: Tally, groups: Sequence[GroupPath]) -> None:
    """Prints the last line of a plan."""
    named = {
        Action.CREATE: gettext("to create"),
        Action.UPDATE: gettext("to update"),
        Action.DEACTIVATE: gettext("to deactivate"),
        Action.REACTIVATE: gettext("to reactivate"),
        Action.DELETE: gettext("to delete"),
        Action.UNCHANGED: gettext("unchanged"),
        Action.IGNORED: gettext("ignored"),
    }
    parts = [f"{counted(tally.actions[action])} {words}" for action, words in named.items() if tally.actions[action]]
    if groups:
        parts.append(gettext("{groups} to create", groups=amount(len(groups), "group")))
    if tally.invites:
        parts.append(gettext("{invites} to send", invites=amount(tally.invites, "invite")))
    told = ", ".join(parts) or gettext("nothing to do")
    stream.line(Styled(gettext("Plan: "), "bold"), gettext("{changes}. Nothing was written.", changes=told))
