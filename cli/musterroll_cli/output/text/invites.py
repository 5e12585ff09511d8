"""The ledger of invites for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from musterroll.engine import InviteState, ListedInvite, Report
from musterroll.errors import MusterrollError
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.tables import Cells, Column, show_table
from musterroll_cli.output.text.words import amount, and_more, local_time

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
    Column("User", wraps=True, widest=40),
    Column("State"),
    Column("Channel"),
    Column("Sent"),
    Column("Expires"),
    Column("Why", wraps=True),
)


def unreachable(error: MusterrollError, identities: Sequence[str]) -> str:
    """Says that the portal could not be asked which one it is, and whose ledger is shown instead."""
    known = " and ".join(identities) or "no portal"
    return f"the portal cannot be asked which one it is ({error.message}); this is what is known of {known}"


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
        stream.line("nobody")
        return
    if not quiet:
        stream.gap()
    told = ", ".join(f"{counts[state]:,} {state}" for state in InviteState if counts[state])
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
                planned = Styled(f"by {invite.channel}", "green") if is_due else Styled("no", "dim")
                yield invite.username, planned, Styled(invite.state, _STYLES[invite.state]), invite.reason or ""

    columns = (Column("User", wraps=True, widest=40), Column("Invite"), Column("So far"), Column("Why not", wraps=True))
    show_table(stream, columns, lines())
    if not due + skipped:
        stream.line("Nobody is due. `musterroll invites list` shows where everybody stands.")
        return
    if not quiet:
        if not verbose and due + skipped > SHOWN:
            stream.line(and_more(due + skipped - SHOWN))
        stream.gap()
    others = f", {skipped:,} to skip" if skipped else ""
    stream.line(Styled(f"{amount(due, 'invite')} to send{others}", "bold"), "; nothing was sent.")


def show_released(stream: Stream, report: Report, *, quiet: bool) -> None:
    """Prints what became of invites that were to be released."""
    invites = list(report.invites() if report.invites is not None else ())
    if not invites:
        stream.line("No invite is held.")
        return
    held = sum(invite.state is InviteState.HELD for invite in invites)
    if not quiet:
        show_table(stream, _COLUMNS, map(_line, invites))
        stream.gap()
    stream.line(Styled(f"{amount(len(invites) - held, 'invite')} released", "bold"), f", {held:,} still held.")
    if held:
        stream.line("If you know that they have arrived: musterroll invites release NAME --as-sent")


def show_question(stream: Stream, invites: int, *, again: bool = False) -> None:
    """Says what is going to be sent."""
    stream.line(Styled(f"About to send {amount(invites, 'invite')}{' again' if again else ''}.", "bold"))


def _line(invite: ListedInvite) -> Cells:
    return (
        invite.username,
        Styled(invite.state, _STYLES[invite.state]),
        invite.channel or "",
        local_time(invite.sent),
        local_time(invite.expires),
        invite.reason or "",
    )
