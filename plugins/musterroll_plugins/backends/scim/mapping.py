"""Between a user of the sheet and a SCIM resource."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import replace

from musterroll import CreateUser, Desired, Existing, Secret, Template
from musterroll_plugins.backends.scim.answers import usable_id, whole
from musterroll_plugins.backends.scim.discovery import USER, ServiceProvider
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.paths import AttributePath, Json, Resource, get_key, set_key
from musterroll_plugins.backends.scim.schema_filter import SchemaFilter
from musterroll_simple import phones, respelt

# What the fields of the standard sheet become. A calling code without a place of its own is part of the phone.
USUAL = {
    "email": 'emails[type eq "work"].value',
    "forename": "name.givenName",
    "surname": "name.familyName",
    "phone": 'phoneNumbers[type eq "work"].value',
}
_USERNAME, _ACTIVE = AttributePath.parse("userName"), AttributePath.parse("active")
_PASSWORD, _EXTERNAL_ID = AttributePath.parse("password"), AttributePath.parse("externalId")
# What only the portal sets; some refuse a PUT that repeats it.
_PORTALS_OWN = ("meta", "groups")


class ScimMapping:
    """Makes SCIM resources of users and users of SCIM resources.

    Args:
        options: of the backend.
        portal: what the portal says of itself.
        people: the fields that name another user.

    Attributes:
        paths: where a field's value is.
        references: those of `people` that have the other user's id in the portal, by `value` of a single attribute.
    """

    def __init__(self, options: ScimOptions, portal: ServiceProvider, people: Collection[str] = ()) -> None:
        chosen = {**USUAL, **options.fields}
        places = {name: AttributePath.parse(text) for name, text in chosen.items() if text}
        places |= {name: portal.reference(places[name]) for name in people if name in places}
        self.paths = {name: path for name, path in places.items() if portal.takes(path)}
        self.references = frozenset(name for name in people if name in self.paths and self.paths[name].is_single_value)
        self._ignored = {name for name, text in chosen.items() if not text}
        self._joint_phone = "calling_code" not in chosen and "phone" in self.paths
        if "calling_code" not in chosen and "phone" in self._ignored:
            self._ignored.add("calling_code")
        self._required = [
            (AttributePath.parse(path), Template(value) if isinstance(value, str) else value)
            for path, value in options.required.items()
        ]
        self._stored_as = options.stored_as
        self._fitting = SchemaFilter(portal, options.leave_out)
        key = portal.user_attribute("externalId")
        self._keeps_keys = (key is None or key.writable) and "externalId" not in options.leave_out

    @property
    def fields(self) -> frozenset[str]:
        """The fields that the portal can store."""
        return frozenset(self.paths) | ({"calling_code"} if self._joint_phone else frozenset())

    @property
    def keeps_keys(self) -> bool:
        """Whether the portal keeps the id of the operation that created something."""
        return self._keeps_keys

    def canonical(self, desired: Desired) -> Desired:
        """Returns a user as it will be read again, without the fields that the options leave out."""
        given = {**desired.fields, "username": desired.username}
        fields = {
            name: self._canonical(name, text) if text else self._required_text(self.paths.get(name), given)
            for name, text in desired.fields.items()
            if name not in self._ignored
        }
        if self._joint_phone and fields.get("phone"):
            code, number = phones.split(phones.join(fields.get("calling_code"), fields["phone"]))
            fields["phone"] = number
            if code or "calling_code" in fields:
                fields["calling_code"] = code
        username = self._canonical("username", desired.username) or desired.username
        return Desired(username=username, fields=fields)

    def _canonical(self, name: str, text: str) -> str | None:
        text = _to_text(self._typed(name, text)) or text
        return respelt(text, self._stored_as.get(name))

    def _typed(self, name: str, text: str) -> Json:
        path = self.paths.get(name)
        return text if path is None else self._fitting.value(path, text)

    # -- reading --------------------------------------------------------------------------------------------

    def read(self, resource: Resource) -> Existing | None:
        """Reads a user, without its groups; None where it has no id or no username.

        Raises:
            BackendError: the id is none that can be kept.
        """
        ref, username = get_key(resource, "id"), get_key(resource, "userName")
        if not isinstance(ref, str | int) or not isinstance(username, str) or ref == "":
            return None
        key = get_key(resource, "externalId")
        return Existing(
            ref=usable_id(ref, f'the user "{whole(username)[:100]}"'),
            username=whole(username),
            fields=self.values(resource),
            active=str(get_key(resource, "active")).lower() != "false",
            key=whole(key) if isinstance(key, str) and key else None,
        )

    def values(self, resource: Resource) -> dict[str, str | None]:
        """Reads the mapped fields."""
        values = {name: _to_text(path.get(resource)) for name, path in self.paths.items()}
        if self._joint_phone:
            values["calling_code"], values["phone"] = phones.split(values["phone"])
        return values

    # -- creating -------------------------------------------------------------------------------------------

    def new(self, op: CreateUser) -> Resource:
        """Makes the body that creates a user."""
        fields = {name: text for name, text in op.user.fields.items() if text}
        body: Resource = {}
        _USERNAME.put(body, op.user.username)
        _EXTERNAL_ID.put(body, op.id)
        _ACTIVE.put(body, value=True)
        self._put(body, fields)
        self._put_required(body, {**fields, "username": op.user.username})
        if op.password is not None:
            _PASSWORD.put(body, op.password.reveal())
        body = self._fitting.user(body)
        return {"schemas": [USER, *(name for name in body if name.startswith("urn:"))], **body}

    def _put(self, body: Resource, values: Mapping[str, str | None]) -> None:
        for name, text in values.items():
            if name == "username":
                _USERNAME.put(body, text)
            elif name in self.references:  # what the portal says besides is about whoever was named before
                replace(self.paths[name], sub="").put(body, {self.paths[name].sub: text} if text else None)
            elif name in self.paths and not (name == "phone" and self._joint_phone):
                self.paths[name].put(body, self._typed(name, text) if text else None)
        if self._joint_phone and not values.keys().isdisjoint({"phone", "calling_code"}):
            code, number = phones.split(_to_text(self.paths["phone"].get(body)))
            number, code = values.get("phone", number), values.get("calling_code", code)
            self.paths["phone"].put(body, phones.join(code, number))

    def _put_required(self, body: Resource, values: Mapping[str, str]) -> None:
        for path, wanted in self._required:
            if path.get(body) is None:
                path.put(body, _filled(wanted, values) if isinstance(wanted, Template) else wanted)

    def _required_text(self, path: AttributePath | None, values: Mapping[str, str | None]) -> str | None:
        """What the portal is given for a field that is empty."""
        wanted = next((wanted for at, wanted in self._required if at == path), None)
        return _filled(wanted, values) if isinstance(wanted, Template) else None

    # -- changing -------------------------------------------------------------------------------------------

    def must_read(self, changes: Mapping[str, str | None]) -> bool:
        """Whether a PATCH needs to know the user as it is: other values of the same attribute must stay."""
        joint = {"phone", "calling_code"} if self._joint_phone else frozenset[str]()
        return any(name in joint or (name in self.paths and self.paths[name].multi_valued) for name in changes)

    def operations(
        self, changes: Mapping[str, str | None], current: Resource, *, password: Secret | None, active: bool | None
    ) -> list[Resource]:
        """Makes the operations of a PATCH.

        Args:
            changes: by field name; None clears.
            current: the user as it is, where `must_read` says so.
            password: a new one.
            active: activates or deactivates.
        """
        changed = copy.deepcopy(current)
        self._put(changed, changes)
        made: dict[str, Resource] = {}
        for name in changes:
            path = _USERNAME if name == "username" else self.paths.get(self._home(name))
            if path is None:
                continue
            target = path.top if path.multi_valued or (name in self.references and not changes[name]) else path.plain
            value = self._fitting.attribute(path, path.whole(changed)) if path.multi_valued else path.get(changed)
            made[target] = _replace(target, value)
        if active is not None:
            made["active"] = _replace("active", active)
        if password is not None:
            made["password"] = _replace("password", password.reveal())
        return list(made.values())

    def replacement(
        self, changes: Mapping[str, str | None], current: Resource, *, password: Secret | None, active: bool | None
    ) -> Resource:
        """Makes the body of a PUT: the user as it is, with the changes; see `operations`."""
        body = copy.deepcopy(current)
        self._put(body, changes)
        for name in _PORTALS_OWN:
            set_key(body, name, None)
        if active is not None:
            _ACTIVE.put(body, active)
        if password is not None:
            _PASSWORD.put(body, password.reveal())
        read = {name: text for name, text in self.values(body).items() if text}
        self._put_required(body, {**read, "username": str(get_key(body, "userName") or "")})
        body = self._fitting.user(body)
        body["schemas"] = [USER, *(name for name in body if name.startswith("urn:"))]
        return body

    def is_so(self, changes: Mapping[str, str | None], user: Existing) -> bool:
        """Whether a user is as the changes want it."""
        stored = {**user.fields, "username": user.username}
        known = {name: text for name, text in changes.items() if name == "username" or name in self.fields}
        return all((stored.get(name) or None) == (text or None) for name, text in known.items())

    def _home(self, name: str) -> str:
        return "phone" if name == "calling_code" and self._joint_phone else name


def _filled(template: Template, values: Mapping[str, str | None]) -> str | None:
    text = template.fill({name: values.get(name) or "" for name in template.names})
    return " ".join(text.split()) or None


def _replace(path: str, value: Json) -> Resource:
    return {"op": "remove", "path": path} if value is None else {"op": "replace", "path": path, "value": value}


def _to_text(value: Json) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return whole(value) if isinstance(value, str) and value else None
