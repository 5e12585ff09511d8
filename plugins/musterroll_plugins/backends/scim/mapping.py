"""Between a user of the sheet and a SCIM resource."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

from musterroll import CreateUser, Desired, Existing, Template
from musterroll_plugins.backends.scim import phones
from musterroll_plugins.backends.scim.discovery import USER, Attribute, Portal
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.paths import AttributePath, Json, Resource, get_key, set_key

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
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


class UserMapping:
    """Makes SCIM resources of users and users of SCIM resources.

    Args:
        options: of the backend.
        portal: what the portal says of itself.
    """

    def __init__(self, options: ScimOptions, portal: Portal) -> None:
        places = {name: AttributePath.parse(text) for name, text in {**USUAL, **options.fields}.items() if text}
        self.paths = {name: path for name, path in places.items() if portal.takes(path)}
        self._joint_phone = "calling_code" not in {**USUAL, **options.fields} and "phone" in self.paths
        self._portal = portal
        self._required = [
            (AttributePath.parse(path), Template(value) if isinstance(value, str) else value)
            for path, value in options.required.items()
        ]
        self._leave_out = [tuple(_steps(text)) for text in options.leave_out]
        self._stored_as = options.stored_as

    @property
    def fields(self) -> frozenset[str]:
        """The fields that the portal can store."""
        return frozenset(self.paths) | ({"calling_code"} if self._joint_phone else frozenset())

    @property
    def keeps_keys(self) -> bool:
        """Whether the portal keeps the id of the operation that created something."""
        definition = self._portal.user_attribute("externalId")
        return (definition is None or definition.writable) and ("externalId",) not in self._leave_out

    def canonical(self, desired: Desired) -> Desired:
        """Returns a user as it will be read again."""
        given = {**desired.fields, "username": desired.username}
        fields = {
            name: self._canonical(name, text) if text else self._required_text(self.paths.get(name), given)
            for name, text in desired.fields.items()
        }
        if self._joint_phone and fields.get("phone"):
            code, number = phones.split(phones.join(fields.get("calling_code"), fields["phone"]))
            fields["phone"] = number
            if code or "calling_code" in fields:
                fields["calling_code"] = code
        username = self._canonical("username", desired.username) or desired.username
        return Desired(username=username, fields=fields)

    def _canonical(self, name: str, text: str) -> str | None:
        text = _to_text(self._to_json(name, text)) or text
        match self._stored_as.get(name):
            case "lower-case":
                return text.lower()
            case "lower-case-domain":
                local, at, domain = text.rpartition("@")
                return f"{local}{at}{domain.lower()}"
        return text

    # -- reading --------------------------------------------------------------------------------------------

    def read(self, resource: Resource) -> Existing | None:
        """Reads a user, without its groups; None where it has no id or no username."""
        ref, username = get_key(resource, "id"), get_key(resource, "userName")
        if not isinstance(ref, str | int) or not isinstance(username, str) or ref == "":
            return None
        key = get_key(resource, "externalId")
        return Existing(
            ref=str(ref),
            username=username,
            fields=self.values(resource),
            active=str(get_key(resource, "active")).lower() != "false",
            key=key if isinstance(key, str) and key else None,
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
        body = self._fit(body)
        return {"schemas": [USER, *(name for name in body if name.startswith("urn:"))], **body}

    def _put(self, body: Resource, values: Mapping[str, str | None]) -> None:
        for name, text in values.items():
            if name == "username":
                _USERNAME.put(body, text)
            elif name in self.paths and not (name == "phone" and self._joint_phone):
                self.paths[name].put(body, self._to_json(name, text) if text else None)
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
        self, changes: Mapping[str, str | None], current: Resource, *, password: str | None, active: bool | None
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
            target = path.top if path.multi_valued else path.plain
            value = self._fitted(path, path.whole(changed)) if path.multi_valued else path.get(changed)
            made[target] = _replace(target, value)
        if active is not None:
            made["active"] = _replace("active", active)
        if password is not None:
            made["password"] = _replace("password", password)
        return list(made.values())

    def replacement(
        self, changes: Mapping[str, str | None], current: Resource, *, password: str | None, active: bool | None
    ) -> Resource:
        """Makes the body of a PUT: the user as it is, with the changes; see `operations`."""
        body = copy.deepcopy(current)
        self._put(body, changes)
        for name in _PORTALS_OWN:
            set_key(body, name, None)
        if active is not None:
            _ACTIVE.put(body, active)
        if password is not None:
            _PASSWORD.put(body, password)
        read = {name: text for name, text in self.values(body).items() if text}
        self._put_required(body, {**read, "username": str(get_key(body, "userName") or "")})
        body = self._fit(body)
        body["schemas"] = [USER, *(name for name in body if name.startswith("urn:"))]
        return body

    def is_so(self, changes: Mapping[str, str | None], user: Existing) -> bool:
        """Whether a user is as the changes want it."""
        stored = {**user.fields, "username": user.username}
        known = {name: text for name, text in changes.items() if name == "username" or name in self.fields}
        return all((stored.get(name) or None) == (text or None) for name, text in known.items())

    def _home(self, name: str) -> str:
        return "phone" if name == "calling_code" and self._joint_phone else name

    # -- what the portal takes ------------------------------------------------------------------------------

    def _to_json(self, name: str, text: str | None) -> Json:
        """Brings a text to the type that the portal's schema names; what does not fit is for the portal to refuse."""
        path = self.paths.get(name)
        leaf = self._portal.leaf(path) if path is not None and text else None
        kind = leaf.type.lower() if leaf is not None else "string"
        if text is None or kind not in ("boolean", "integer", "decimal"):
            return text
        if kind == "boolean":
            return True if text.lower() in _TRUE else False if text.lower() in _FALSE else text
        try:
            return int(text) if kind == "integer" else float(text)
        except ValueError:
            return text

    def _fit(self, body: Resource) -> Resource:
        """Leaves out what the portal's schemas or the options do not want to be sent."""
        known = self._portal.schemas.get(USER.lower(), {})
        fitted: Resource = {}
        for name, value in body.items():
            if name.startswith("urn:"):
                attributes = self._portal.schemas.get(name.lower(), {})
                fitted[name] = {key: _within(attributes.get(key.lower()), one) for key, one in value.items()}
            elif name == "schemas" or _writable(known.get(name.lower())):
                fitted[name] = _within(known.get(name.lower()), value)
        for steps in self._leave_out:
            _drop(fitted, steps)
        return fitted

    def _fitted(self, path: AttributePath, value: Json) -> Json:
        shell: Resource = {}
        set_key(shell, path.attribute, value)
        if path.schema:
            shell = {path.schema: shell}
        return path.whole(self._fit(shell)) if value is not None else None


def _filled(template: Template, values: Mapping[str, str | None]) -> str | None:
    text = template.fill({name: values.get(name) or "" for name in template.names})
    return " ".join(text.split()) or None


def without(body: Resource, leave_out: tuple[str, ...]) -> Resource:
    """Returns a body without the attributes that the options want left out."""
    body = copy.deepcopy(body)
    for text in leave_out:
        _drop(body, tuple(_steps(text)))
    return body


def _replace(path: str, value: Json) -> Resource:
    return {"op": "remove", "path": path} if value is None else {"op": "replace", "path": path, "value": value}


def _writable(attribute: Attribute | None) -> bool:
    return attribute is None or attribute.writable


def _within(attribute: Attribute | None, value: Json) -> Json:
    """Leaves the sub-attributes out that a published schema does not have, or that only the portal sets."""
    if attribute is None or not attribute.subs:
        return value
    if isinstance(value, list):
        return [_within(attribute, one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: one
        for name, one in value.items()
        if (sub := attribute.subs.get(name.lower())) is not None and sub.writable
    }


def _steps(text: str) -> Iterator[str]:
    """`emails.primary` and `urn:…:User:department`, step by step."""
    schema, colon, rest = text.rpartition(":")
    if colon:
        yield schema
    yield from rest.split(".")


def _drop(container: Json, steps: tuple[str, ...]) -> None:
    if isinstance(container, list):
        for one in container:
            _drop(one, steps)
    elif isinstance(container, dict):
        if len(steps) > 1:
            _drop(get_key(container, steps[0]), steps[1:])
        else:
            set_key(container, steps[0], None)


def _to_text(value: Json) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value if isinstance(value, str) and value else None
