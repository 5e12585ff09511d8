"""The notifier `outbox`: puts e-mails into a folder, one .eml file each, for a person or a mail system to send."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from pathlib import Path

from musterroll import (
    Context,
    FilePath,
    Message,
    NotifierError,
    NotifierType,
    Options,
    Purpose,
    Recipient,
    Sent,
    SentStatus,
    hookimpl,
)
from musterroll_plugins.notifiers._texts import Text, load, printable

_INVITE = Text.of(
    "Your account",
    """
Hello {forename},

an account was created for you. Your username is {username}.

Set it up here: {invite_url}
The invite is valid until {expires}.
""",
)
_FINISHED = Text.of(
    "Import {state}: {sheet}",
    """
The import of {sheet} with the pipeline {pipeline} has ended: {state}.

rows: {rows}
created: {created}
updated: {updated}
unchanged: {unchanged}
deactivated: {deactivated}
rejected: {rejected}
failed: {failed}
unknown: {unknown}
not attempted: {not_attempted}

Job {job}
""",
)
# An address as people have them: no quoted local parts, comments or routes, nothing that could begin a header.
_ADDRESS = re.compile(r"[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]{1,64}@[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]{1,255}")

_NEEDS_QUOTES = re.compile(r"[()<>\[\]:;@\\,.\"]+")
_WITH_NAME = re.compile(r"([^<>]*)<([^<>]*)>\s*")


class OutboxOptions(Options):
    """Options of the notifier `outbox`.

    Attributes:
        folder: where the files go; made with the first one.
        sender: the From address, e.g. `IT <it@acme.example>`.
        template: the text of invites.
        finished_template: the text about a job that has ended.
        report_to: the address that is told about jobs that have ended.
    """

    folder: FilePath = Path("outbox")
    sender: str = "musterroll@localhost"
    template: FilePath | None = None
    finished_template: FilePath | None = None
    report_to: str | None = None


class Outbox:
    """Writes one file a message; the same message again replaces its file.

    Raises:
        NotifierError: a template or an address in the options cannot be used.
    """

    channel = "email"

    def __init__(self, options: OutboxOptions, context: Context) -> None:
        self._folder = options.folder
        self._read_only = context.read_only
        self._clock = context.clock
        self._sender = _option("sender", options.sender)
        self._report_to = None if options.report_to is None else _option("report_to", options.report_to)
        self._texts = {
            Purpose.INVITE: load(options.template, _INVITE, Purpose.INVITE, context),
            Purpose.FINISHED: load(options.finished_template, _FINISHED, Purpose.FINISHED, context),
        }

    def can_reach(self, user: Recipient) -> bool:
        """Whether the user has an address that can stand in an e-mail."""
        return _is_address(user.email)

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """Writes messages one by one.

        Raises:
            NotifierError: this is for reading only.
        """
        if self._read_only:
            raise NotifierError("the outbox was opened for reading only")
        return self._send(messages)

    def close(self) -> None:
        """Has nothing to close."""

    def _send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        for message in messages:
            to = self._report_to if message.purpose is Purpose.FINISHED else _address(message.recipient)
            if to is None and message.purpose is Purpose.FINISHED:
                yield Sent(message.id, SentStatus.FAILED, "nobody is to get it: set the notifier's option report_to")
            elif to is None:
                yield Sent(message.id, SentStatus.FAILED, "the user has no usable e-mail address")
            else:
                try:
                    self._write(_name(message.id), self._mail(message, to))
                except (OSError, ValueError) as error:
                    reason = getattr(error, "strerror", None) or type(error).__name__
                    yield Sent(message.id, SentStatus.FAILED, f"the file in {self._folder} cannot be written: {reason}")
                else:
                    yield Sent(message.id, SentStatus.SENT)

    def _mail(self, message: Message, to: Address) -> bytes:
        subject, body = self._texts[message.purpose].fill(message)
        # Without need no UTF-8 in headers: not every mail system takes it. An address cannot do without.
        is_ascii = to.addr_spec.isascii() and self._sender.addr_spec.isascii()
        mail = EmailMessage(policy=SMTP if is_ascii else SMTPUTF8)
        mail["From"] = self._sender
        mail["To"] = to
        mail["Subject"] = _undecodable(subject)
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = f"<{_name(message.id)}@musterroll.local>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(body + "\n")
        return mail.as_bytes()

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, half = self._folder / f"{name}.eml", self._folder / f"{name}.tmp"
        half.unlink(missing_ok=True)  # of a run that was killed
        try:
            with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # what is called sent must outlive a power cut
            half.replace(path)
        except BaseException:
            with suppress(OSError):
                half.unlink(missing_ok=True)
            raise


_BINARY: int = getattr(os, "O_BINARY", 0)  # Windows would write each line end twice


def _name(message_id: str) -> str:
    """Makes a name that every file system and every Message-ID takes, one for each id."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", message_id).strip("-")[:48]
    digest = hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{readable}-{digest}".lstrip("-")


def _is_address(text: str) -> bool:
    return printable(text) == text and _ADDRESS.fullmatch(text) is not None


def _address(user: Recipient | None) -> Address | None:
    if user is None or not _is_address(user.email):
        return None
    name = " ".join(filter(None, (user.fields.get("forename"), user.fields.get("surname"))))
    return _made_of(name, user.email)


def _option(name: str, text: str) -> Address:
    match = _WITH_NAME.fullmatch(text)
    display_name, address = (match[1].strip().strip('"'), match[2]) if match else ("", text.strip())
    if printable(display_name) != display_name or not _is_address(address):
        raise NotifierError(f'{name} = "{printable(text)}" is no e-mail address; write e.g. "IT <it@acme.example>"')
    return _made_of(display_name, address)


def _made_of(display_name: str, address: str) -> Address:
    # The standard library forgets the quotes of a long name when it folds the line, and `x <y@z>, ` in a name
    # then is one more recipient. So nothing may be in it that needs quotes.
    plain = _undecodable(" ".join(_NEEDS_QUOTES.sub(" ", printable(display_name)).split()))
    username, _, domain = address.rpartition("@")
    # Not `addr_spec=`: that takes no letters beyond ASCII.
    return Address(plain, username, domain)


def _undecodable(text: str) -> str:
    # The standard library decodes `=?utf-8?q?…?=` in what it is given, line breaks and all, and older ones then
    # write those as they are: a header that a forename began.
    return text.replace("=?", "= ?")


@hookimpl
def musterroll_notifiers() -> Iterator[NotifierType[OutboxOptions]]:
    """Announces the notifier."""
    yield NotifierType(
        name="outbox",
        summary="Puts e-mails into a folder, one .eml file each",
        options=OutboxOptions,
        build=Outbox,
    )
