"""E-mails: addresses that can be used, and how a message becomes one."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from musterroll import Recipient
from musterroll_plugins.notifiers._texts import printable

if TYPE_CHECKING:  # they are imported where a letter is written: every pipeline has its options checked
    from email.headerregistry import Address
    from email.message import EmailMessage
    from email.policy import EmailPolicy

# An address as people have them: no quoted local parts, comments or routes, nothing that could begin a header.
_ADDRESS = re.compile(r"[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]{1,64}@[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]{1,255}")
_NEEDS_QUOTES = re.compile(r"[()<>\[\]:;@\\,.\"]+")
_WITH_NAME = re.compile(r"([^<>]*)<([^<>]*)>\s*")


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes into an e-mail.

    Attributes:
        subject: of one line.
        text: the body.
        html: the same body for programs that show it; None for none.
    """

    subject: str
    text: str
    html: str | None = None


def compose(
    letter: Letter,
    *,
    message_id: str,
    sender: Address,
    to: tuple[Address, ...],
    date: dt.datetime,
    policy: EmailPolicy[EmailMessage],
) -> bytes:
    """Makes an e-mail.

    Args:
        letter: what goes into it.
        message_id: with angle brackets.
        sender: its From.
        to: its recipients.
        date: when it was made.
        policy: how headers and content are encoded.
    """
    from email.message import EmailMessage  # noqa: PLC0415 -- see above
    from email.utils import format_datetime  # noqa: PLC0415 -- see above

    mail = EmailMessage(policy=policy)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = _undecodable(letter.subject)
    mail["Date"] = format_datetime(date)
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.text + "\n")
    if letter.html is not None:
        mail.add_alternative(letter.html + "\n", subtype="html")
    return mail.as_bytes()


def name_of(message_id: str) -> str:
    """Makes a name that every file system and every Message-ID takes, one for each id."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", message_id).strip("-")[:48]
    digest = hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{readable}-{digest}".lstrip("-")


def is_address(text: str) -> bool:
    """Whether it is an address that can stand in an e-mail."""
    return printable(text) == text and _ADDRESS.fullmatch(text) is not None


def address_of(user: Recipient | None) -> Address | None:
    """Returns a user's address with the name, or None where there is none that can be used."""
    if user is None or not is_address(user.email):
        return None
    name = " ".join(filter(None, (user.fields.get("forename"), user.fields.get("surname"))))
    return made_of(name, user.email)


def parse_address(text: str) -> Address:
    """Reads an address in the options, with or without a name.

    Raises:
        ValueError: it is none.
    """
    return made_of(*name_and_address(text))


def name_and_address(text: str) -> tuple[str, str]:
    """Takes an address in the options apart. See `parse_address`.

    Raises:
        ValueError: it is none.
    """
    match = _WITH_NAME.fullmatch(text)
    display_name, address = (match[1].strip().strip('"'), match[2]) if match else ("", text.strip())
    if printable(display_name) != display_name or not is_address(address):
        raise ValueError(f'"{printable(text)}" is no e-mail address; write e.g. "IT <it@acme.example>"')
    return display_name, address


def made_of(display_name: str, address: str) -> Address:
    """Puts a name and an address together, harmless in a header."""
    from email.headerregistry import Address  # noqa: PLC0415 -- see above

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
