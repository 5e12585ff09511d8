"""The options of the notifier `smtp`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from musterroll import FilePath, Options, Purpose, SecretRef, Surroundings, Template, did_you_mean
from musterroll_plugins.notifiers import _texts
from musterroll_plugins.notifiers._mail import parse_address
from musterroll_plugins.notifiers._wording import TEXT_OR_FILE, html_or_file, one_line, text_or_file

Security = Literal["none", "starttls", "tls"]
_PORTS: dict[Security, int] = {"none": 25, "starttls": 587, "tls": 465}
_HERE = ("localhost", "127.0.0.1", "::1")

Subject = Annotated[str, one_line(Purpose.INVITE)]
Text = Annotated[str, text_or_file(Purpose.INVITE), TEXT_OR_FILE]
Html = Annotated[str, html_or_file(Purpose.INVITE), TEXT_OR_FILE]
ReportSubject = Annotated[str, one_line(Purpose.FINISHED)]
ReportText = Annotated[str, text_or_file(Purpose.FINISHED), TEXT_OR_FILE]
ReportHtml = Annotated[str, html_or_file(Purpose.FINISHED), TEXT_OR_FILE]


def _address(text: str) -> str:
    if not parse_address(text).username.isascii():
        raise ValueError("the part before @ must be of plain letters, as not every mail server takes others")
    return text


def _host(text: str) -> str:
    if not text or any(character in text for character in "/@ ") or not text.isprintable():
        raise ValueError('write the name of the mail server only, as "mail.acme.example"; the port is an option')
    return text


Address = Annotated[str, AfterValidator(_address)]


class Wording(Options):
    """An invite in one language.

    Attributes:
        subject: the subject; or a first line `Subject: …` of the text.
        text: the body.
        html: the same as HTML, for programs that show it.
    """

    subject: Subject | None = None
    text: Text
    html: Html | None = None

    @model_validator(mode="after")
    def _has_a_subject(self) -> Wording:
        # That of another language would be worse than none.
        if self.subject is None and not _texts.Text.parse(self.text, Template("")).subject.text:
            raise ValueError("a subject is needed: subject, or a first line Subject: … of the text")
        return self


class ReportWording(Options):
    """The text about a job that has ended.

    Attributes:
        subject: the subject; or a first line `Subject: …` of the text.
        text: the body.
        html: the same as HTML, for programs that show it.
    """

    subject: ReportSubject | None = None
    text: ReportText | None = None
    html: ReportHtml | None = None


class SmtpOptions(Options):
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
        subject: the subject of invites; or a first line `Subject: …` of the text.
        text: the text of invites, or a file with it.
        html: the same as HTML, for programs that show it; values are put in as text.
        language_field: the field that says which language a user is written in.
        languages: by the value of that field: invites in that language, with `subject`, `text` and `html`; users with
            another value, or none, get the text above.
        finished: the text about a job that has ended, with `subject`, `text` and `html`.
        report_to: the addresses that are told about jobs that have ended.
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
    subject: Subject | None = None
    text: Text | None = None
    html: Html | None = None
    language_field: str = "language"
    languages: dict[str, Wording] = Field({})
    finished: ReportWording = ReportWording()
    report_to: tuple[Address, ...] = ()

    @property
    def encryption(self) -> Security:
        """How the line is encrypted."""
        return self.security or ("none" if self.host.lower() in _HERE else "starttls")

    @property
    def service_port(self) -> int:
        """The port that is called."""
        return self.port or _PORTS[self.encryption]

    @model_validator(mode="after")
    def _as_a_whole(self, info: ValidationInfo) -> SmtpOptions:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if self.password is not None and self.encryption == "none" and self.host.lower() not in _HERE:
            raise ValueError('the password would be sent in the clear; set security to "starttls" or "tls"')
        for wording in (self, self.finished):
            if wording.html is not None and wording.text is None:
                raise ValueError("html needs text beside it, for programs that show no HTML")
        around = info.context
        if isinstance(around, Surroundings):
            if self.languages and around.fields is not None and self.language_field not in around.fields:
                near = did_you_mean(self.language_field, around.fields)
                raise ValueError(f'language_field: there is no field "{self.language_field}"{near}')
            if Purpose.FINISHED in around.on and not self.report_to:
                raise ValueError('on has "finished" in it, so report_to is needed: the addresses that are told')
        return self
