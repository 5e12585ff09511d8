"""What of a resource the portal wants to be sent: its published schemas and the options decide."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from musterroll_plugins.backends.scim.discovery import USER, Attribute, ServiceProvider
from musterroll_plugins.backends.scim.paths import AttributePath, Json, Resource, get_key, set_key

_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


class SchemaFilter:
    """Brings users into the form that the portal takes.

    Args:
        portal: what it says of itself.
        leave_out: the attributes that the options want left out.
    """

    def __init__(self, portal: ServiceProvider, leave_out: tuple[str, ...]) -> None:
        self._portal, self._leave_out = portal, leave_out

    def value(self, path: AttributePath, text: str) -> Json:
        """Brings a text to the type that the schema names; what does not fit is for the portal to refuse."""
        leaf = self._portal.leaf(path)
        match leaf.type.lower() if leaf is not None else "string":
            case "boolean":
                return True if text.lower() in _TRUE else False if text.lower() in _FALSE else text
            case "integer" | "decimal" as kind:
                try:
                    return int(text) if kind == "integer" else float(text)
                except ValueError:
                    return text
        return text

    def user(self, body: Resource) -> Resource:
        """Leaves out what the portal does not want to be sent."""
        known = self._portal.schemas.get(USER.lower(), {})
        fitted: Resource = {}
        for name, value in body.items():
            if name.startswith("urn:"):
                attributes = self._portal.schemas.get(name.lower(), {})
                fitted[name] = {key: _within(attributes.get(key.lower()), one) for key, one in value.items()}
            elif name == "schemas" or _is_writable(known.get(name.lower())):
                fitted[name] = _within(known.get(name.lower()), value)
        return without(fitted, self._leave_out)

    def attribute(self, path: AttributePath, value: Json) -> Json:
        """Does the same with all values of one attribute."""
        if value is None:
            return None
        alone: Resource = {path.attribute: value}
        return path.whole(self.user({path.schema: alone} if path.schema else alone))


def without(body: Resource, leave_out: tuple[str, ...]) -> Resource:
    """Returns a resource without the attributes that the options want left out."""
    if leave_out:
        body = copy.deepcopy(body)
    for text in leave_out:
        _drop(body, tuple(_steps(text)))
    return body


def _is_writable(attribute: Attribute | None) -> bool:
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
