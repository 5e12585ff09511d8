"""The texts of messages: built-in ones, and template files with `{placeholder}`s.

A template file is UTF-8 text. Where its first line is `Subject: …` that is the subject, and a blank line may
follow. A line whose placeholders all turn out empty is left out, so that `Your invite link: {invite_url}` is
written only where there is a link.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from musterroll import Context, Message, NotifierError, Purpose, Template
from musterroll.text import did_you_mean

_OF_THE_MESSAGE = {
    Purpose.INVITE: ("pipeline", "job", "invite_url", "valid_days", "expires"),
    Purpose.FINISHED: (
        *("pipeline", "job", "state", "sheet", "rows", "created", "updated", "unchanged", "deactivated"),
        *("rejected", "failed", "unknown", "not_attempted"),
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

    def fill(self, message: Message) -> tuple[str, str]:
        """Puts a message's values in.

        Returns:
            The subject, and the body without an end of line at its end. Values are of one line, without
            control characters.
        """
        fields: Mapping[str, str] = {}
        if message.recipient is not None:
            fields = {**message.recipient.fields, "username": message.recipient.username}
        # What is known but not given (a field that this user does not have) is empty.
        given = {name: printable(text) for name, text in {**fields, **message.values}.items()}
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


def load(path: Path | None, default: Text, purpose: Purpose, context: Context) -> Text:
    """Reads a template file, and checks its placeholders.

    Args:
        path: the file; None for the built-in text.
        default: the built-in text; its subject is used where the file has none.
        purpose: what the messages are for: decides on the placeholders.
        context: its fields are placeholders of invites.

    Raises:
        NotifierError: the file cannot be read, or has a placeholder that nothing fills.
    """
    if path is None:
        return default
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _mistake(f"the template {path} is not UTF-8 text; save it as UTF-8") from None
    except (OSError, ValueError) as error:
        raise _mistake(f"the template {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    known = list(_OF_THE_MESSAGE[purpose])
    if purpose is Purpose.INVITE:
        known += ["username", *context.fields.attributes]
    lines = text.splitlines()
    templates = [_checked(path, number, line, known) for number, line in enumerate(lines, 1)]
    if lines and (match := re.match(r"subject:\s*", lines[0], re.IGNORECASE)):
        after = 2 if len(lines) > 1 and not lines[1].strip() else 1
        return Text(Template(lines[0][match.end() :].strip()), tuple(templates[after:]))
    return Text(default.subject, tuple(templates))


def _checked(path: Path, number: int, line: str, known: Sequence[str]) -> Template:
    where = f"the template {path}, line {number}"
    if any(unicodedata.category(character) == "Cc" and character != "\t" for character in line):
        raise _mistake(f"{where}: a control character; is this a text file?")
    try:
        template = Template(line)
    except ValueError as error:
        raise _mistake(f"{where}: {error}") from None
    for name in template.names:
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(dict.fromkeys(known))}"
            raise _mistake(f"{where}: unknown placeholder {{{name}}}{hint}")
    return template


def _mistake(message: str) -> NotifierError:
    return NotifierError(message, code="notifier.template")


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
