"""The texts of messages: built-in ones, and templates with `{placeholder}`s.

Where the first line of a template is `Subject: …` that is the subject, and a blank line may follow. A line whose
placeholders all turn out empty is left out, so that `Rejected rows: {rejected_file}` is written only where
there are any.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from musterroll import FieldSet, Message, Purpose, Template, did_you_mean

COUNTS = (
    *("rows", "created", "updated", "unchanged", "deactivated", "rejected", "failed", "unknown", "not_attempted"),
    *("reactivated", "deleted", "ignored"),
    *("errors", "warnings", "not_read", "sent", "held", "invites_failed"),
)
"""The numbers among the values of a message about a job that has ended."""

_OF_THE_MESSAGE = {
    Purpose.INVITE: ("username", "phone_number", "pipeline", "job", "valid_days", "expires"),
    Purpose.FINISHED: (
        *("pipeline", "profile", "command", "job", "state", "outcome", "sheet", "reason", "next_step"),
        *("rejected_file", "duration", *COUNTS),
    ),
}


@dataclass(frozen=True)
class Text:
    """A subject and the lines of a body, with placeholders.

    Attributes:
        subject: of one line.
        lines: the body.
    """

    subject: Template
    lines: tuple[Template, ...]

    @classmethod
    def of(cls, subject: str, body: str) -> Text:
        """Makes a built-in text."""
        return cls(Template(subject), tuple(Template(line) for line in body.strip().splitlines()))

    @classmethod
    def parse(cls, text: str, subject: Template, known: Sequence[str] | None = None) -> Text:
        """Makes the text of a template.

        Args:
            text: the template.
            subject: counts where the template has none.
            known: the placeholders that there are; None where they have been checked.

        Raises:
            ValueError: a line is wrong; says which.
        """
        lines, templates = text.splitlines(), _checked_lines(text, known)
        if lines and (match := re.match(r"subject:\s*", lines[0], re.IGNORECASE)):
            after = 2 if len(lines) > 1 and not lines[1].strip() else 1
            return cls(Template(lines[0][match.end() :].strip()), tuple(templates[after:]))
        return cls(subject, tuple(templates))

    def fill(self, message: Message) -> tuple[str, str]:
        """Puts a message's values in.

        Returns:
            The subject, and the body without an end of line at its end. Values are of one line, without
            control characters.
        """
        given = values_of(message)
        body: list[str] = []
        for line in self.lines:
            values = {name: given.get(name, "") for name in line.names}
            if values and not any(values.values()):
                continue
            filled = line.fill(values)
            if filled.strip() or (body and body[-1].strip()):  # no two blank lines where one was left out
                body.append(filled)
        subject = self.subject.fill({name: given.get(name, "") for name in self.subject.names})
        return subject.strip(), "\n".join(body).rstrip()


@dataclass(frozen=True)
class Html:
    """The HTML of a body, with placeholders. All of its lines are kept.

    Attributes:
        lines: of the page.
    """

    lines: tuple[Template, ...]

    @classmethod
    def parse(cls, text: str, known: Sequence[str] | None = None) -> Html:
        """Makes it of a template; see `Text.parse`."""
        return cls(tuple(_checked_lines(text, known)))

    def fill(self, message: Message) -> str:
        """Puts a message's values in, as text: none of them becomes HTML."""
        from html import escape  # noqa: PLC0415 -- its table of names is large

        given = {name: escape(text) for name, text in values_of(message).items()}
        return "\n".join(line.fill({name: given.get(name, "") for name in line.names}) for line in self.lines)


def _checked_lines(text: str, known: Sequence[str] | None) -> list[Template]:
    templates = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            templates.append(checked(line, known))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    return templates


INVITE_MAIL = Text.of(
    "Your account",
    """
Hello {forename},

an account was created for you. Your username is {username}.

The invite is valid until {expires}.
""",
)
FINISHED_MAIL = Text.of(
    "Import {state}: {sheet}",
    """
{command} of {sheet} with the pipeline {pipeline} has ended: {state}.
{reason}
What to do: {next_step}

rows: {rows}
filled rows that were not read: {not_read}
errors in the sheet: {errors}
created: {created}
updated: {updated}
unchanged: {unchanged}
deactivated: {deactivated}
reactivated: {reactivated}
deleted: {deleted}
ignored: {ignored}
rejected: {rejected}
failed: {failed}
unknown: {unknown}
not attempted: {not_attempted}
invites sent: {sent}
invites held: {held}
invites failed: {invites_failed}

Rejected rows: {rejected_file}
It took {duration}.
Job {job}
""",
)


def known_names(purpose: Purpose, fields: FieldSet) -> tuple[str, ...]:
    """Returns the placeholders that a message for this purpose can have."""
    own: tuple[str, ...] = ()
    if purpose is Purpose.INVITE:  # of a password, only one that was made, as nobody else knows it
        own = (*fields.attributes, *(name for name, field in fields.items() if field.generated))
    return tuple(dict.fromkeys((*own, *_OF_THE_MESSAGE[purpose])))


def values_of(message: Message) -> dict[str, str]:
    """Returns what a message's placeholders stand for: values of one line, without control characters.

    What is known but not given (a field that this user does not have) is missing.
    """
    values = dict(message.values)
    if (user := message.recipient) is not None:
        values = {"phone_number": user.phone, **user.fields, "username": user.username, **values}
    return {name: printable(text) for name, text in values.items()}


def checked(line: str, known: Sequence[str] | None = None) -> Template:
    """Makes a template of one line.

    Args:
        line: the template.
        known: the placeholders that there are; None where they are not known.

    Raises:
        ValueError: a control character, a single brace, or a placeholder that nothing fills.
    """
    if any(unicodedata.category(character) == "Cc" and character != "\t" for character in line):
        raise ValueError("a control character; is this a text file?")
    template = Template(line)
    if known is None:
        return template
    for name in template.names:
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise ValueError(f"unknown placeholder {{{name}}}{hint}")
    return template


def read(path: Path) -> str:
    """Reads a template file.

    Raises:
        ValueError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"the template {path} is not UTF-8 text; save it as UTF-8") from None
    except (OSError, ValueError) as error:  # a null character in a path is a ValueError
        raise ValueError(f"the template {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def printable(text: str) -> str:
    """Makes a value harmless in a header line and on a terminal.

    Line breaks and other white space become spaces; control characters, invisible ones that change the
    direction of text, and halves of characters become `�`.
    """
    if text.isascii() and text.isprintable():
        return text
    text = re.sub(r"\s+", " ", text)
    return "".join("\ufffd" if _is_harmful(character) else character for character in text)


def _is_harmful(character: str) -> bool:
    # Of the format characters (Cf) only those of text direction can mislead; joiners belong to some scripts.
    return unicodedata.category(character) in ("Cc", "Cs") or unicodedata.bidirectional(character) in (
        *("LRE", "RLE", "LRO", "RLO", "PDF"),
        *("LRI", "RLI", "FSI", "PDI"),
    )
