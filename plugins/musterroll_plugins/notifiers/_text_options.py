"""What messages say, as options: texts, or `{ file = "PATH" }`. They are checked when the pipeline is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from musterroll import Message, Options, Purpose, Surroundings, Template, known_field
from musterroll_plugins.notifiers import _texts
from musterroll_plugins.notifiers._mail import Letter, name_and_address

_TEXT_OR_FILE = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {"file": {"type": "string"}},
                "required": ["file"],
                "additionalProperties": False,
            },
        ]
    }
)
"""What editors are told about such an option."""
_RENAMED = {"template": 'text = { file = "PATH" }', "finished_template": 'finished.text = { file = "PATH" }'}


def _one_line(purpose: Purpose) -> BeforeValidator:
    """Checks an option of one line, e.g. a subject."""

    def check(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            if len(value.splitlines()) > 1:
                raise ValueError("must be one line")
            if not value.strip():
                raise ValueError("must not be empty")
            _texts.checked(value, _known(info, purpose))
        return value

    return BeforeValidator(check)


def _text_or_file(purpose: Purpose) -> BeforeValidator:
    """Reads the file, where one is meant, and checks the text; the option's value is the text."""
    return _read_and(lambda text, known: _texts.Text.parse(text, Template(""), known), purpose)


def _html_or_file(purpose: Purpose) -> BeforeValidator:
    """Likewise for HTML, where a brace of its own is doubled, too."""
    return _read_and(_texts.Html.parse, purpose)


def check_structure(value: Any, purpose: Purpose, info: ValidationInfo) -> None:
    """Checks the texts in a structure of tables and lists.

    Raises:
        ValueError: one of them is wrong; says which.
    """
    for path, text in _leaves(value, ""):
        try:
            for line in text.split("\n"):
                _texts.checked(line, _known(info, purpose))
        except ValueError as error:
            raise ValueError(f"{path}: {error}" if path else str(error)) from None


def _read_and(parse: Callable[[str, tuple[str, ...] | None], object], purpose: Purpose) -> BeforeValidator:
    def check(value: Any, info: ValidationInfo) -> Any:
        where = ""
        if isinstance(value, dict):
            file = value.get("file")
            if set(value) != {"file"} or not isinstance(file, str) or not file:
                raise ValueError('write the text, or { file = "PATH" }')
            path = Path(file)
            if isinstance(info.context, Surroundings):
                path = info.context.folder_of("file", path) / path.expanduser()
            value, where = _texts.read(path), f"{path}, "
        if isinstance(value, str):
            if not value.strip():
                raise ValueError(f"{where.removesuffix(', ')} is empty" if where else "must not be empty")
            try:
                parse(value, _known(info, purpose))
            except ValueError as error:
                raise ValueError(f"{where}{error}") from None
        return value

    return BeforeValidator(check)


def _known(info: ValidationInfo, purpose: Purpose) -> tuple[str, ...] | None:
    """The placeholders of a pipeline's messages; None where the options are checked by themselves."""
    around = info.context
    if not isinstance(around, Surroundings) or around.fields is None:
        return None
    return _texts.known_names(purpose, around.fields)


def _leaves(value: Any, path: str) -> list[tuple[str, str]]:
    match value:
        case str():
            return [(path, value)]
        case dict():
            found = [_leaves(child, f"{path}.{key}".lstrip(".")) for key, child in value.items()]
        case list() | tuple():
            found = [_leaves(child, f"{path}[{i}]") for i, child in enumerate(value)]
        case _:
            return []
    return [leaf for leaves in found for leaf in leaves]


def _address(text: str) -> str:
    if not name_and_address(text)[1].rpartition("@")[0].isascii():
        raise ValueError("the part before @ must be of plain letters, as not every mail server takes others")
    return text


_Subject = Annotated[str, _one_line(Purpose.INVITE)]
_Text = Annotated[str, _text_or_file(Purpose.INVITE), _TEXT_OR_FILE]
_Html = Annotated[str, _html_or_file(Purpose.INVITE), _TEXT_OR_FILE]
Address = Annotated[str, AfterValidator(_address)]


class Wording(Options):
    """An invite in one language.

    Attributes:
        subject: the subject; or a first line `Subject: …` of the text.
        text: the body.
        html: the same as HTML, for programs that show it.
    """

    subject: _Subject | None = None
    text: _Text
    html: _Html | None = None

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

    subject: Annotated[str, _one_line(Purpose.FINISHED)] | None = None
    text: Annotated[str, _text_or_file(Purpose.FINISHED), _TEXT_OR_FILE] | None = None
    html: Annotated[str, _html_or_file(Purpose.FINISHED), _TEXT_OR_FILE] | None = None


class MessageOptions(Options):
    """What messages say and who gets reports: the same for every notifier that writes messages for people.

    Attributes:
        subject: the subject of invites; or a first line `Subject: …` of the text.
        text: the text of invites, or a file with it.
        html: the same as HTML, for programs that show it; values are put in as text.
        language_field: the field that says which language a user is written in.
        languages: by the value of that field: invites in that language, with `subject`, `text` and `html`; users with
            another value, or none, get the text above.
        finished: the text about a job that has ended, with `subject`, `text` and `html`.
        report_to: the addresses that are told about jobs that have ended.
    """

    subject: _Subject | None = None
    text: _Text | None = None
    html: _Html | None = None
    language_field: str = "language"
    languages: dict[str, Wording] = Field({})
    finished: ReportWording = Field(default_factory=ReportWording)
    report_to: tuple[Address, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _named_as_today(cls, data: Any) -> Any:
        for old, new in _RENAMED.items():
            if isinstance(data, dict) and old in data:
                raise ValueError(f"there is no option {old}; write {new}")
        return data

    @model_validator(mode="after")
    def _texts_fit(self, info: ValidationInfo) -> MessageOptions:
        for wording in (self, self.finished):
            if wording.html is not None and wording.text is None:
                raise ValueError("html needs text beside it, for programs that show no HTML")
        if self.languages or "language_field" in self.model_fields_set:
            try:
                known_field(self.language_field, info)
            except ValueError as error:
                raise ValueError(f"language_field: {error}") from None
        return self


class MailOptions(MessageOptions):
    """Of notifiers that make e-mails, whose reports need somebody to go to."""

    @model_validator(mode="after")
    def _reports_reach_somebody(self, info: ValidationInfo) -> MailOptions:
        if isinstance(info.context, Surroundings) and Purpose.FINISHED in info.context.on and not self.report_to:
            raise ValueError('on has "finished" in it, so report_to is needed: the addresses that are told')
        return self


@dataclass(frozen=True)
class _Parsed:
    text: _texts.Text
    html: _texts.Html | None

    @classmethod
    def of(cls, wording: Wording | ReportWording | MessageOptions, default: _texts.Text) -> _Parsed:
        subject = default.subject if wording.subject is None else Template(wording.subject)
        text = default if wording.text is None else _texts.Text.parse(wording.text, subject)
        if wording.subject is not None:
            text = _texts.Text(subject, text.lines)
        return cls(text, None if wording.html is None else _texts.Html.parse(wording.html))

    def fill(self, message: Message) -> Letter:
        return Letter(*self.text.fill(message), None if self.html is None else self.html.fill(message))


class Texts:
    """The texts of one notifier: in the user's language where there is a text in it.

    Args:
        options: of the notifier; their placeholders have been checked.
        invite: the text of invites where the options have none.
        finished: likewise, about a job that has ended.
    """

    def __init__(
        self,
        options: MessageOptions,
        invite: _texts.Text = _texts.INVITE_MAIL,
        finished: _texts.Text = _texts.FINISHED_MAIL,
    ) -> None:
        self._invite = _Parsed.of(options, invite)
        self._finished = _Parsed.of(options.finished, finished)
        self._field = options.language_field
        self._languages = {_tag(name): _Parsed.of(one, invite) for name, one in options.languages.items()}

    def letter(self, message: Message) -> Letter:
        """Returns what goes into the message."""
        if message.purpose is Purpose.FINISHED:
            return self._finished.fill(message)
        tag = _tag(message.recipient.fields.get(self._field, "")) if message.recipient is not None else ""
        while tag and tag not in self._languages:
            tag = tag.rpartition("-")[0]  # de-AT is German, too
        return self._languages.get(tag, self._invite).fill(message)


def _tag(text: str) -> str:
    return text.strip().lower().replace("_", "-")
