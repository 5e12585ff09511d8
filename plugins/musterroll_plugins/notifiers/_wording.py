"""Templates as options: a text, or `{ file = "PATH" }`. They are checked when the pipeline is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from musterroll import Purpose, Surroundings, Template
from musterroll_plugins.notifiers import _texts

TEXT_OR_FILE = WithJsonSchema(
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


def one_line(purpose: Purpose) -> BeforeValidator:
    """Checks an option of one line, e.g. a subject."""

    def check(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            if len(value.splitlines()) > 1:
                raise ValueError("must be one line")
            _texts.checked(value, _known(info, purpose))
        return value

    return BeforeValidator(check)


def text_or_file(purpose: Purpose) -> BeforeValidator:
    """Reads the file, where one is meant, and checks the text; the option's value is the text."""
    return _read_and(lambda text, known: _texts.Text.parse(text, Template(""), known), purpose)


def html_or_file(purpose: Purpose) -> BeforeValidator:
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
