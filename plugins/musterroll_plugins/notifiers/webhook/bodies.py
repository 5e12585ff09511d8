"""What is sent: a document of our own, or the structure that a receiver wants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlencode

from musterroll import Message, Purpose, Template
from musterroll_plugins.notifiers._texts import COUNTS, values_of
from musterroll_plugins.notifiers.webhook.options import WebhookOptions

CONTENT_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}

_NUMBERS = frozenset({*COUNTS, "valid_days"})


class Bodies:
    """Writes the bodies of one notifier.

    Args:
        options: of the notifier; their placeholders have been checked.
    """

    def __init__(self, options: WebhookOptions) -> None:
        self._encoding: Literal["json", "form"] = options.encoding
        self._structures = {
            Purpose.INVITE: None if options.body is None else _parsed(options.body),
            Purpose.FINISHED: None if options.finished_body is None else _parsed(options.finished_body),
        }

    def write(self, message: Message) -> bytes:
        """Returns the body of a message; the same each time."""
        structure = self._structures[message.purpose]
        filled = _document(message) if structure is None else _filled(structure, values_of(message))
        if self._encoding == "json":
            return json.dumps(filled, separators=(",", ":")).encode()
        return urlencode({key: _as_text(value) for key, value in _flat(filled)}).encode()


def _document(message: Message) -> dict[str, Any]:
    values = dict(message.values)
    document: dict[str, Any] = {"id": message.id, "purpose": str(message.purpose)}
    document |= {name: values.pop(name) for name in ("pipeline", "job") if name in values}
    if (user := message.recipient) is not None:
        document["user"] = {"username": user.username, "phone_number": user.phone, **user.fields}
    return document | {name: int(text) if name in _NUMBERS else text for name, text in values.items()}


def _parsed(value: Any) -> Any:
    match value:
        case str():
            return Template(value)
        case dict():
            return {key: _parsed(child) for key, child in value.items()}
        case list():
            return [_parsed(child) for child in value]
    return value


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    match value:
        case Template():
            return value.fill({name: values.get(name, "") for name in value.names})
        case dict():
            return {key: _filled(child, values) for key, child in value.items()}
        case list():
            return [_filled(child, values) for child in value]
    return value


def _flat(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Of a table in a table its keys, as `user.email`; an own structure for a form has none."""
    pairs: list[tuple[str, Any]] = []
    for key, value in document.items():
        pairs += [(f"{key}.{k}", v) for k, v in _flat(value)] if isinstance(value, dict) else [(key, value)]
    return pairs


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
