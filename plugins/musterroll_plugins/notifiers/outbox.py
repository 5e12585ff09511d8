"""The notifier `outbox`: puts e-mails into a folder, one .eml file each, for a person or a mail system to send."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from musterroll import (
    Component,
    Context,
    FilePath,
    Message,
    NotifierError,
    NotifierType,
    Purpose,
    Recipient,
    Sent,
    SentStatus,
    hookimpl,
)
from musterroll_plugins.notifiers._mail import address_of, compose, is_address, name_of, parse_address
from musterroll_plugins.notifiers._places import writable_folder
from musterroll_plugins.notifiers._text_options import Address, MailOptions, Texts

if TYPE_CHECKING:  # see `_mail`
    from email.headerregistry import Address as AddressOfMail


class OutboxOptions(MailOptions):
    """Options of the notifier `outbox`.

    Attributes:
        folder: where the files go; made with the first one.
        sender: the From address, e.g. `IT <it@acme.example>`.
    """

    folder: FilePath = Path("outbox")
    sender: Address = "musterroll@localhost"


class Outbox:
    """Writes one file a message; the same message again replaces its file."""

    channel = "email"

    def __init__(self, options: OutboxOptions, context: Context) -> None:
        self._folder = options.folder
        self._read_only = context.read_only
        self._clock = context.clock
        self._sender = parse_address(options.sender)
        self._report_to = tuple(map(parse_address, options.report_to))
        self._texts = Texts(options)

    def examine(self) -> str:
        """Says where messages are written.

        Raises:
            NotifierError: nothing can be written there.
        """
        return f"writes into {writable_folder(self._folder)}"

    def can_reach(self, user: Recipient) -> bool:
        """Whether the user has an address that can stand in an e-mail."""
        return is_address(user.email)

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """Writes messages one by one.

        Raises:
            NotifierError: this is for reading only.
        """
        if self._read_only:
            raise NotifierError("the outbox was opened for reading only")
        return self._send(messages)

    def forget(self, jobs: Collection[str]) -> None:
        """Takes the files of jobs away that are forgotten.

        Raises:
            NotifierError: a file cannot be taken away.
        """
        try:
            for job in jobs:
                for suffix in ("eml", "tmp"):
                    for file in self._folder.glob(f"{job}-*.{suffix}"):
                        file.unlink(missing_ok=True)
        except OSError as error:
            raise NotifierError(f"files in {self._folder} cannot be taken away: {error.strerror}") from None

    def close(self) -> None:
        """Has nothing to close."""

    def _send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        self._tidy_up()
        for message in messages:
            to = self._recipients(message)
            if not to:
                is_report = message.purpose is Purpose.FINISHED
                why = "nobody is to get it: set the notifier's option report_to" if is_report else _NO_ADDRESS
                yield Sent(message.id, SentStatus.FAILED, why)
            else:
                try:
                    self._write(name_of(message.id), self._mail(message, to))
                except (OSError, ValueError) as error:
                    reason = getattr(error, "strerror", None) or type(error).__name__
                    yield Sent(message.id, SentStatus.FAILED, f"the file in {self._folder} cannot be written: {reason}")
                else:
                    yield Sent(message.id, SentStatus.SENT)

    def _recipients(self, message: Message) -> tuple[AddressOfMail, ...]:
        if message.purpose is Purpose.FINISHED:
            return self._report_to
        address = address_of(message.recipient)
        return () if address is None else (address,)

    def _mail(self, message: Message, to: tuple[AddressOfMail, ...]) -> bytes:
        from email.policy import SMTP, SMTPUTF8  # noqa: PLC0415 -- see `_mail`

        # Without need no UTF-8 in headers: not every mail system takes it. An address cannot do without.
        is_ascii = all(address.addr_spec.isascii() for address in (*to, self._sender))
        return compose(
            self._texts.letter(message),
            message_id=f"<{name_of(message.id)}@musterroll.local>",
            sender=self._sender,
            to=to,
            date=self._clock(),
            policy=SMTP if is_ascii else SMTPUTF8,
        )

    def _tidy_up(self) -> None:
        """Removes what runs that were killed have left half written."""
        with suppress(OSError):  # then it stays: no mail system takes it for a mail
            for half in self._folder.glob("*.tmp"):
                if _HALF.fullmatch(half.name):
                    half.unlink(missing_ok=True)

    def _write(self, name: str, content: bytes, *, again: bool = True) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, half = self._folder / f"{name}.eml", self._folder / f"{name}.tmp"
        half.unlink(missing_ok=True)  # of a run that was killed
        try:
            with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # what is called sent must outlive a power cut
            half.replace(path)
        except FileNotFoundError:
            if again:  # another pipeline with this folder took it for one that was left
                self._write(name, content, again=False)
            else:
                raise
        except BaseException:
            with suppress(OSError):
                half.unlink(missing_ok=True)
            raise


_NO_ADDRESS = "the user has no usable e-mail address"
_BINARY: int = getattr(os, "O_BINARY", 0)  # Windows would write each line end twice

_HALF = re.compile(r"[A-Za-z0-9-]*[0-9a-f]{16}\.tmp")  # no other program names its files like this


@hookimpl
def musterroll_notifiers() -> Iterator[Component]:
    """Announces the notifier."""
    yield NotifierType(
        name="outbox",
        summary="Puts e-mails into a folder, one .eml file each",
        options=OutboxOptions,
        build=Outbox,
    )
