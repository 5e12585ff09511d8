"""The ledger of invites for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from musterroll import counted, gettext, gettext_noop, term
from musterroll.engine import InviteState, ListedInvite, Report
from musterroll.errors import MusterrollError
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.tables import Cells, Column, show_table
from musterroll_cli.output.text.words import amount, and_more, by_channel, local_time

SHOWN = 200
"""So many users are shown one by one, unless the person asks for all."""

_STYLES = {
    InviteState.SENT: "green",
    InviteState.EXPIRED: "dim",
    InviteState.HELD: "yellow",
    InviteState.FAILED: "red",
    InviteState.NEVER: "dim",
}
_COLUMNS = (
    Column(gettext_noop("User"), wraps=True, widest=40),
    Column(gettext_noop("State")),
    Column(gettext_noop("Channel")),
    Column(gettext_noop("Sent")),
    Column(gettext_noop("Expires")),
    Column(gettext_noop("Why"), wraps=True),
)
_CONSIDERED = (
    Column(gettext_noop("User"), wraps=True, widest=40),
    Column(gettext_noop("Invite")),
    Column(gettext_noop("So far")),
    Column(gettext_noop("Why not"), wraps=True),
)


def unreachable(error: MusterrollError, identities: Sequence[str]) -> str:
    """Says that the portal could not be asked which one it is, and whose ledger is shown instead."""
    return gettext(
        "the portal cannot be asked which one it is ({error}); this is what is known of {portals}",
        error=error.message,
        portals=gettext(" and ").join(identities) or gettext("no portal"),
    )


def show_invite_list(stream: Stream, invites: Iterable[ListedInvite], *, quiet: bool) -> None:
    """Prints the ledger: a line a user, and how many stand how; with `quiet` only the latter."""
    counts: Counter[InviteState] = Counter()

    def lines() -> Iterator[Cells]:
        for invite in invites:
            counts[invite.state] += 1
            if not quiet:
                yield _line(invite)

    show_table(stream, _COLUMNS, lines())
    if not counts:
        stream.line(gettext("nobody"))
        return
    if not quiet:
        stream.gap()
    told = ", ".join(f"{counted(counts[state])} {term(state)}" for state in InviteState if counts[state])
    stream.line(Styled(f"{amount(counts.total(), 'user')}: ", "bold"), f"{told}.")


def show_considered(stream: Stream, report: Report, *, verbose: bool, quiet: bool) -> None:
    """Prints what `invites send --dry-run` found: who would be invited, and why others would not."""
    due = skipped = 0

    def lines() -> Iterator[Cells]:
        nonlocal due, skipped
        for invite in report.invites() if report.invites is not None else ():
            is_due = invite.reason is None
            due, skipped = due + is_due, skipped + (not is_due)
            if not quiet and (verbose or due + skipped <= SHOWN):
                planned = Styled(by_channel(invite.channel or ""), "green") if is_due else Styled(gettext("no"), "dim")
                state = Styled(term(invite.state), _STYLES[invite.state])
                yield invite.username, planned, state, term(invite.reason or "")

    show_table(stream, _CONSIDERED, lines())
    if not due + skipped:
        stream.line(gettext("Nobody is due. `musterroll invites list` shows where everybody stands."))
        return
    if not quiet:
        if not verbose and due + skipped > SHOWN:
            stream.line(and_more(due + skipped - SHOWN))
        stream.gap()
    invites = amount(due, "invite")
    told = (
        gettext("{invites} to send, {count} to skip", invites=invites, count=counted(skipped))
        if skipped
        else gettext("{invites} to send", invites=invites)
    )
    stream.line(Styled(told, "bold"), gettext("; nothing was sent."))


def show_released(stream: Stream, report: Report, *, quiet: bool) -> None:
    """Prints what became of invites that were to be released."""
    invites = list(report.invites() if report.invites is not None else ())
    if not invites:
        stream.line(gettext("No invite is held."))
        return
    held = sum(invite.state is InviteState.HELD for invite in invites)
    if not quiet:
        show_table(stream, _COLUMNS, map(_line, invites))
        stream.gap()
    released = gettext("{invites} released", invites=amount(len(invites) - held, "invite"))
    stream.line(Styled(released, "bold"), gettext(", {count} still held.", count=counted(held)))
    if held:
        stream.line(gettext("If you know that they have arrived: musterroll invites release NAME --as-sent"))


def show_question(stream: Stream, invites: int, *, again: bool = False) -> None:
    """Says what is going to be sent."""
    many = amount(invites, "invite")
    told = (
        gettext("About to send {invites} again.", invites=many)
        if again
        else gettext("About to send {invites}.", invites=many)
    )
    stream.line(Styled(told, "bold"))


def _line(invite: ListedInvite) -> Cells:
    return (
        invite.username,
        Styled(term(invite.state), _STYLES[invite.state]),
        term(invite.channel or ""),
        local_time(invite.sent),
        local_time(invite.expires),
        term(invite.reason or ""),
    )
