"""What a message says: in the user's language where there is a text in it."""

from __future__ import annotations

from dataclasses import dataclass

from musterroll import Message, Purpose, Template
from musterroll_plugins.notifiers._mail import Letter
from musterroll_plugins.notifiers._texts import FINISHED_MAIL, INVITE_MAIL, Html, Text
from musterroll_plugins.notifiers.smtp.options import ReportWording, SmtpOptions, Wording


@dataclass(frozen=True)
class _Parsed:
    text: Text
    html: Html | None

    @classmethod
    def of(cls, wording: Wording | ReportWording | SmtpOptions, default: Text) -> _Parsed:
        subject = default.subject if wording.subject is None else Template(wording.subject)
        text = Text(subject, default.lines) if wording.text is None else Text.parse(wording.text, subject)
        if wording.subject is not None:
            text = Text(subject, text.lines)
        return cls(text, None if wording.html is None else Html.parse(wording.html))

    def fill(self, message: Message) -> Letter:
        return Letter(*self.text.fill(message), None if self.html is None else self.html.fill(message))


class Texts:
    """The texts of one notifier.

    Args:
        options: of the notifier; their placeholders have been checked.
    """

    def __init__(self, options: SmtpOptions) -> None:
        self._invite = _Parsed.of(options, INVITE_MAIL)
        self._finished = _Parsed.of(options.finished, FINISHED_MAIL)
        self._field = options.language_field
        self._languages = {_tag(name): _Parsed.of(one, INVITE_MAIL) for name, one in options.languages.items()}

    def letter(self, message: Message) -> Letter:
        """Returns what goes into the e-mail."""
        if message.purpose is Purpose.FINISHED:
            return self._finished.fill(message)
        tag = _tag(message.recipient.fields.get(self._field, "")) if message.recipient is not None else ""
        while tag and tag not in self._languages:
            tag = tag.rpartition("-")[0]  # de-AT is German, too
        return self._languages.get(tag, self._invite).fill(message)


def _tag(text: str) -> str:
    return text.strip().lower().replace("_", "-")
