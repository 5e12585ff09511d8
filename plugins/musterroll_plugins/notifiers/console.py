"""The notifier `console`: shows messages instead of sending them, for trying things out."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from musterroll import (
    Component,
    Context,
    Message,
    NotifierType,
    Recipient,
    Sent,
    SentStatus,
    hookimpl,
)
from musterroll_plugins.notifiers._text_options import MessageOptions, Texts
from musterroll_plugins.notifiers._texts import Text, printable

_INVITE = Text.of("Your account", "Your username is {username}.")
_FINISHED = Text.of(
    "Import {state}",
    "The import of {sheet} has ended ({state}): {created} created, {updated} updated, {unchanged} unchanged, "
    "{deactivated} deactivated, {rejected} rejected, {not_read} not read, {failed} failed, {unknown} unknown, "
    "{not_attempted} not attempted, {held} invites held, in {duration}. {reason} {next_step}",
)


class ConsoleOptions(MessageOptions):
    """Options of the notifier `console`: those of e-mails; it shows the text only."""


class Console:
    """Writes messages to stderr: results are on stdout."""

    channel = "console"

    def __init__(self, options: ConsoleOptions, context: Context) -> None:
        self._texts = Texts(options, _INVITE, _FINISHED)

    def examine(self) -> str:
        """Says where messages are shown."""
        return "shows messages in the terminal"

    def can_reach(self, user: Recipient) -> bool:
        """Reaches everybody: nothing leaves this terminal."""
        return True

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """Shows messages one by one: of one line, or as a block with indented lines."""
        for message in messages:
            lines = self._texts.letter(message).text.splitlines() or [""]
            head = f"{message.purpose}{_to(message.recipient)}:"
            if len(lines) > 1:
                text = "\n".join([head, *(f"    {line}".rstrip() for line in lines)])
            else:
                text = f"{head} {lines[0]}"
            try:
                sys.stderr.write(text + "\n")
                sys.stderr.flush()
            except (OSError, ValueError):  # gone with the terminal
                yield Sent(message.id, SentStatus.FAILED, "the terminal cannot be written to")
            else:
                yield Sent(message.id, SentStatus.SENT)

    def close(self) -> None:
        """Has nothing to close."""


def _to(recipient: Recipient | None) -> str:
    if recipient is None:
        return ""
    email = f" <{printable(recipient.email)}>" if recipient.email else ""
    return f" to {printable(recipient.username)}{email}"


@hookimpl
def musterroll_notifiers() -> Iterator[Component]:
    """Announces the notifier."""
    yield NotifierType(
        name="console",
        summary="Shows messages on the terminal instead of sending them",
        options=ConsoleOptions,
        build=Console,
    )
