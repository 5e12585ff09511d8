"""The options of the notifier `smtp`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from musterroll import FilePath, SecretRef
from musterroll_plugins.notifiers._text_options import Address, MailOptions

Security = Literal["none", "starttls", "tls"]
_PORTS: dict[Security, int] = {"none": 25, "starttls": 587, "tls": 465}
_HERE = ("localhost", "127.0.0.1", "::1")


def _host(text: str) -> str:
    if not text or any(character in text for character in "/@ ") or not text.isprintable():
        raise ValueError('write the name of the mail server only, as "mail.acme.example"; the port is an option')
    return text


class SmtpOptions(MailOptions):
    """Options of the notifier `smtp`.

    Attributes:
        host: the mail server.
        port: its port; by default 25, 587 with `starttls`, 465 with `tls`.
        security: whether the line is encrypted: not at all, after a greeting in the clear (`starttls`), or from the
            beginning (`tls`). By default `starttls`; `none` for a server on this machine.
        ca: a file with the certificates of your own certificate authority, in PEM; the usual ones stay trusted.
        user: the user to sign in as, where the server wants that.
        password: that user's password.
        sender: the From address, e.g. `IT <it@acme.example>`.
        timeout: so many seconds the server may take for one step; five times as long once it has the whole message.
        max_reply: the longest answer of the server, in bytes, that is read.
        retries: so often a message is tried again that the server puts off, or that did not reach it.
        retry_wait: so many seconds are waited before that, and twice as long each further time.
        messages_per_connection: after so many messages a new connection is made.
    """

    host: Annotated[str, AfterValidator(_host)]
    port: int | None = Field(None, ge=1, le=65535)
    security: Security | None = None
    ca: FilePath | None = None
    user: str | None = None
    password: SecretRef | None = None
    sender: Address
    timeout: float = Field(60.0, gt=0, le=3600)
    max_reply: int = Field(65536, ge=4096, le=16_777_216)
    retries: int = Field(3, ge=0, le=20)
    retry_wait: float = Field(2.0, ge=0, le=3600)
    messages_per_connection: int = Field(100, ge=1, le=1_000_000)

    @property
    def encryption(self) -> Security:
        """How the line is encrypted."""
        return self.security or ("none" if self.host.lower() in _HERE else "starttls")

    @property
    def service_port(self) -> int:
        """The port that is called."""
        return self.port or _PORTS[self.encryption]

    @model_validator(mode="after")
    def _signing_in_is_whole(self) -> SmtpOptions:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if self.password is not None and self.encryption == "none" and self.host.lower() not in _HERE:
            raise ValueError('the password would be sent in the clear; set security to "starttls" or "tls"')
        return self
