"""A person who is to be forgotten: `forget`."""

from __future__ import annotations

from typing import Annotated

import typer

from musterroll import engine, gettext
from musterroll_cli.options import WaitOption, YesOption
from musterroll_cli.output.console import Styled
from musterroll_cli.output.text.words import amount
from musterroll_cli.session import Session


def forget(
    session: Session,
    user: Annotated[str, typer.Argument(metavar="USER", show_default=False, help="The username.")],
    yes: YesOption = False,
    wait: WaitOption = None,
) -> int:
    """Takes a person out of everything that is kept of the pipeline's jobs.

    That is the journal with its before-images, the ledger, messages in an outbox, and files of rejected rows. What is
    left says that somebody was forgotten, and not who. The portal is not touched, nor are sheets, reports and copies.
    """
    session.wait_for(wait)
    pipeline = session.load()
    with session.working(pipeline):
        asking = session.confirmation(pipeline, yes=yes)
        found = engine.forget(
            pipeline,
            user,
            confirm=lambda rows: asking.ask(
                lambda stream: stream.line(
                    gettext(
                        'About to forget "{user}": {rows} of jobs, which cannot be taken back any more.',
                        user=user,
                        rows=amount(rows, "row"),
                    )
                )
            ),
        )
    if session.as_json:
        return session.finish(found.members())
    rows, messages = amount(found.rows, "row"), amount(found.messages, "message")
    session.out.line(gettext("Forgotten: {rows}, {messages}.", rows=rows, messages=messages))
    for path in found.files:
        session.out.line(gettext("{path}: taken out of the rejected rows", path=path))
    for path in found.backups:
        session.out.line(gettext("{path}: this older journal is gone", path=path))
    look = Styled(gettext("Look at this: "), "yellow")
    for path in found.not_found:
        text = gettext(
            "{path}: these rejected rows may name the person, and the file is gone; if it is elsewhere, look at it",
            path=path,
        )
        session.out.line(look, text)
    for path in found.left:
        text = gettext(
            "{path}: it may name the person, and was changed since or is not ours, so it was left; look at it",
            path=path,
        )
        session.out.line(look, text)
    return session.finish()
