"""Messages to people, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from musterroll.contract.frozen import FrozenDict


class Purpose(StrEnum):
    """What a message is for; a notifier's `on` names those that it sends."""

    INVITE = "invite"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom a message is for.

    Attributes:
        username: as stored in the backend.
        fields: the user's attributes by field name, e.g. `email`, `phone`, `forename`; empty ones are "".
        ref: the backend's id of the user; "" while the user does not exist yet.
    """

    username: str
    fields: Mapping[str, str]
    ref: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", FrozenDict(self.fields))  # a notifier must not change what is planned

    @property
    def email(self) -> str:
        """The address, or ""."""
        return self.fields.get("email", "")

    @property
    def phone(self) -> str:
        """The full number in digits (calling code and local part), or ""."""
        code, phone = self.fields.get("calling_code", ""), self.fields.get("phone", "")
        return code + phone if code and phone else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message.

    Attributes:
        id: stable, and the same when the message is sent again, e.g. for a Message-ID or an Idempotency-Key.
        purpose: what it is for.
        recipient: whom it is for; None for a message about a job.
        values: what a text's placeholders can use besides the recipient's fields, e.g. `job`, `expires`.
    """

    id: str
    purpose: Purpose
    recipient: Recipient | None
    values: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", FrozenDict(self.values))  # several notifiers may be given the same message


class SentStatus(StrEnum):
    """What became of a message."""

    SENT = "sent"  # it was taken by whoever delivers it
    FAILED = "failed"  # certainly not sent
    UNKNOWN = "unknown"  # may have been sent: held until a person decides


@dataclass(frozen=True, slots=True)
class Sent:
    """The answer to one message.

    Attributes:
        message: the message's id.
        status: what became of it.
        detail: why it failed, for the person.
    """

    message: str
    status: SentStatus
    detail: str | None = None
