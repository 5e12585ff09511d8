"""Between a user or group of the engine and the documents of a portal."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from musterroll import BackendError, Desired, Existing, FieldSet, FieldType, Group
from musterroll_http import put_at, text_of_id, value_at
from musterroll_plugins.backends.rest.options import RestPortalOptions
from musterroll_plugins.backends.typed_texts import INTEGER, TRUTHS
from musterroll_simple import phones, respelt


class RestMapping:
    """Reads and makes documents, as the options say.

    Args:
        options: of the backend.
        fields: of the pipeline: whole numbers and truth values are no texts in JSON.
    """

    def __init__(self, options: RestPortalOptions, fields: FieldSet) -> None:
        self._types = {name: field.type for name, field in fields.items()}
        self._users, self._groups, self._stored_as = options.users, options.groups, options.stored_as
        self._paths = {name: path for name, path in options.users.fields.items() if path}
        self._ignored = {name for name, path in options.users.fields.items() if not path}
        # One telephone number in the portal is two fields in the sheet.
        self._joint_phone = "phone" in self._paths and "calling_code" not in options.users.fields

    @property
    def fields(self) -> frozenset[str]:
        """The fields that the portal can store."""
        return frozenset(self._paths) | ({"calling_code"} if self._joint_phone else frozenset())

    def canonical(self, desired: Desired) -> Desired:
        """Returns a user as it will be read again."""
        asked = {name: text for name, text in desired.fields.items() if name not in self._ignored}
        fields = {name: text and respelt(text, self._stored_as.get(name)) for name, text in asked.items()}
        if self._joint_phone and fields.get("phone"):
            code, number = phones.split(phones.join(fields.get("calling_code"), fields["phone"]))
            fields["phone"] = number
            if code or "calling_code" in fields:
                fields["calling_code"] = code
        return Desired(username=respelt(desired.username, self._stored_as.get("username")), fields=fields)

    # -- reading --------------------------------------------------------------------------------------------

    def user(self, document: Any) -> Existing | None:
        """Reads a user; None where it has no id or no username.

        Raises:
            BackendError: the id is none that can be kept.
        """
        ref, username = text_of_id(value_at(document, self._users.ref)), _text(value_at(document, self._users.username))
        if ref is None or username is None:
            return None
        active = value_at(document, self._users.active) if self._users.active else None
        return Existing(
            ref=ref,
            username=username,
            fields=self._values(document),
            groups=frozenset(self._ids(value_at(document, self._users.groups)) if self._users.groups else ()),
            active=not any(type(active) is type(one) and active == one for one in self._users.inactive),
            key=_text(value_at(document, self._users.key)) if self._users.key else None,
        )

    def _values(self, document: Any) -> dict[str, str | None]:
        values = {name: _text(value_at(document, path)) for name, path in self._paths.items()}
        if self._joint_phone:
            values["calling_code"], values["phone"] = phones.split(values["phone"])
        return values

    def _ids(self, shown: Any) -> Iterator[str]:
        for one in shown if isinstance(shown, list) else ():
            ref = text_of_id(value_at(one, self._groups.ref) if isinstance(one, dict) else one)
            if ref is not None:
                yield ref

    def member(self, document: Any) -> str | None:
        """Reads the id of a member."""
        return text_of_id(value_at(document, self._groups.member) if isinstance(document, dict) else document)

    def group(self, document: Any) -> tuple[Group, str | None]:
        """Reads a group, with its own name as its path, and the id of the one that it says to be in.

        Raises:
            BackendError: it has no id, or no name.
        """
        ref, name = text_of_id(value_at(document, self._groups.ref)), _text(value_at(document, self._groups.name))
        if ref is None or name is None:
            raise BackendError("the portal shows a group without an id or a name; check groups.ref and groups.name")
        key = _text(value_at(document, self._groups.key)) if self._groups.key else None
        parent = text_of_id(value_at(document, self._groups.parent)) if self._groups.parent else None
        return Group(ref=ref, path=(name,), key=key), parent

    # -- writing --------------------------------------------------------------------------------------------

    def new(self, body: Mapping[str, Any], user: Desired, key: str) -> dict[str, Any]:
        """Puts a new user into a body."""
        document = copy.deepcopy(dict(body))
        self._put(document, {name: text for name, text in user.fields.items() if text})
        put_at(document, self._users.username, user.username)
        if self._users.key:
            put_at(document, self._users.key, key)
        return document

    def changed(self, document: Mapping[str, Any], changes: Mapping[str, str | None]) -> dict[str, Any]:
        """Puts changes into a document."""
        made = copy.deepcopy(dict(document))
        self._put(made, {name: text for name, text in changes.items() if name != "username"})
        if (username := changes.get("username")) is not None:
            put_at(made, self._users.username, username)
        return made

    def is_half(self, changes: Mapping[str, str | None]) -> bool:
        """Whether the other half of a telephone number has to be read first."""
        return self._joint_phone and len({"phone", "calling_code"} & changes.keys()) == 1

    def whole(self, changes: Mapping[str, str | None], user: Existing) -> Mapping[str, str | None]:
        """Returns changes with the other half of the telephone number."""
        return {**{name: user.fields.get(name) for name in ("phone", "calling_code")}, **changes}

    def _put(self, document: dict[str, Any], values: Mapping[str, str | None]) -> None:
        nothing = None if self._users.cleared == "null" else ""
        for name, text in values.items():
            if name in self._paths and not (name == "phone" and self._joint_phone):
                put_at(document, self._paths[name], self._typed(name, text) if text else nothing)
        if self._joint_phone and not values.keys().isdisjoint({"phone", "calling_code"}):
            number = phones.join(values.get("calling_code"), values.get("phone"))
            put_at(document, self._paths["phone"], number or nothing)

    def _typed(self, name: str, text: str) -> str | int | bool:
        match self._types.get(name):
            case FieldType.BOOLEAN if text in TRUTHS:
                return TRUTHS[text]
            case FieldType.INTEGER if INTEGER.fullmatch(text):
                return int(text)
        return text


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str) or not value:
        return None
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
