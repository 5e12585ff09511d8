"""The ledger of invites: `invites list`, `invites send`, `invites release`."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Literal

import typer

from musterroll import engine, gettext
from musterroll.errors import UsageError
from musterroll_cli.options import WaitOption, YesOption
from musterroll_cli.output.text.invites import show_invite_list, show_question, unreachable
from musterroll_cli.session import Session


def list_invites(
    session: Session,
    state: Annotated[
        Literal["sent", "expired", "held", "failed", "never"] | None,
        typer.Option(
            "--state",
            metavar="sent|expired|held|failed|never",
            show_default=False,
            help="Only those whose invite stands so.",
        ),
    ] = None,
) -> int:
    """Lists the latest invite of everybody whom the pipeline created, invited, or had in a sheet.

    It is the ledger of the portal that the pipeline (with --profile) writes to. Nothing is sent.
    """
    pipeline = session.load()
    standing = engine.InviteState(state) if state else None
    with session.watching(pipeline), closing(engine.list_invites(pipeline, state=standing)) as found:
        if found.unreachable is not None:
            session.warn(unreachable(found.unreachable, found.identities))
        if session.as_json:
            return session.finish(found.members())
        show_invite_list(session.out, found.invites, quiet=session.common.quiet)
        return session.finish()


def send_invites(
    session: Session,
    users: Annotated[
        list[str] | None,
        typer.Option("--user", metavar="NAME", show_default=False, help="Only this user. May be repeated."),
    ] = None,
    resend: Annotated[
        bool, typer.Option("--resend", show_default=False, help="Also those whose last invite is still valid.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", show_default=False, help="Only show who would be invited, and who not and why.")
    ] = False,
    yes: YesOption = False,
    wait: WaitOption = None,
) -> int:
    """Invites everybody who is due, without a sheet.

    Due are those whom the pipeline created and nobody has invited yet, and everybody whose last invite failed or
    has expired. Addresses are those that the portal has now. What is sent is a job: `musterroll jobs list` shows it.
    """
    session.wait_for(wait)
    pipeline, names = session.load(), tuple(users or ())
    with session.working(pipeline) as progress:
        if dry_run:
            report = engine.preview_invites(pipeline, users=names, resend=resend, progress=progress)
        else:
            asking = session.confirmation(pipeline, yes=yes)

            def confirm(summary: engine.PlanSummary) -> bool:
                return asking.ask(lambda stream: show_question(stream, summary.invites))

            report = engine.send_invites(pipeline, users=names, resend=resend, confirm=confirm, progress=progress)
    return session.show(report)


def release_invites(
    session: Session,
    users: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", show_default=False, help="The users, by username.")
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", show_default=False, help="Every invite that is held.")] = False,
    as_sent: Annotated[
        bool,
        typer.Option("--as-sent", show_default=False, help="They have arrived: note that, and send nothing."),
    ] = False,
    yes: YesOption = False,
    wait: WaitOption = None,
) -> int:
    """Frees invites of which nobody knows whether they have gone out.

    They are sent again, as the same message, so that mail systems can tell. If you know that they have arrived, say
    so with --as-sent. `musterroll invites list --state held` shows them.
    """
    if bool(users) == everybody:
        raise UsageError(
            gettext("say whose invites: name the users, or give --all for every one that is held (not both)")
        )
    session.wait_for(wait)
    pipeline = session.load()
    with session.working(pipeline) as progress:
        asking = session.confirmation(pipeline, yes=yes)
        report = engine.release_invites(
            pipeline,
            tuple(users or ()),
            as_sent=as_sent,
            confirm=lambda count: asking.ask(lambda stream: show_question(stream, count, again=True)),
            progress=progress,
        )
    return session.show(report)
