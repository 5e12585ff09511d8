"""Attribute paths of RFC 7644, 3.10, as far as they can be written as well as read.

userName    name.givenName    emails[type eq "work"].value
urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = Any
Resource: TypeAlias = dict[str, Json]

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
# Those of the core schema that hold several values, for portals that do not publish their schemas.
_MULTI_VALUED = frozenset(
    {"emails", "phonenumbers", "ims", "photos", "addresses", "entitlements", "roles", "x509certificates", "members"}
)
_PATH = re.compile(r"(?:(urn:\S+):)?([A-Za-z$][\w$-]*)(?:\[(.+)\])?(?:\.([A-Za-z$][\w$-]*))?", re.DOTALL)
_CONDITION = re.compile(r'\s*([A-Za-z$][\w$-]*)\s+eq\s+("(?:[^"\\]|\\.)*"|true|false|-?\d+)\s*(and\s|$)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AttributePath:
    """Where a value is in a user.

    Attributes:
        schema: the extension that has it; empty for the core.
        attribute: the attribute's name.
        conditions: which one of several values is meant, by sub-attribute.
        sub: the sub-attribute's name; empty where there is none.
    """

    schema: str
    attribute: str
    conditions: tuple[tuple[str, Json], ...] = ()
    sub: str = ""

    @classmethod
    def parse(cls, text: str) -> AttributePath:
        """Reads a path.

        Raises:
            ValueError: it is none, or its filter is more than `x eq "y"` joined by `and`.
        """
        match = _PATH.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f'"{text}" is no SCIM attribute; write as in: name.givenName, emails[type eq "work"].value'
            )
        schema, attribute, condition, sub = (part or "" for part in match.groups())
        if schema.lower().startswith(CORE.lower()):
            schema = ""
        conditions: list[tuple[str, Json]] = []
        while condition:
            found = _CONDITION.match(condition)
            if found is None:
                raise ValueError(f'the filter in "{text}" cannot be used; write as in: emails[type eq "work"].value')
            value = found[2] if found[2].startswith('"') else found[2].lower()
            conditions.append((found[1], json.loads(value)))
            condition = condition[found.end() :]
            if found[3].strip() and not condition.strip():
                raise ValueError(f'the filter in "{text}" ends in the middle')
        several = bool(conditions) or attribute.lower() in _MULTI_VALUED
        return cls(schema, attribute, tuple(conditions), sub or ("value" if several else ""))

    @property
    def multi_valued(self) -> bool:
        """Whether the attribute holds several values, as far as the path tells."""
        return bool(self.conditions) or (not self.schema and self.attribute.lower() in _MULTI_VALUED)

    @property
    def is_single_value(self) -> bool:
        """Whether it is the `value` of an attribute that there is one of."""
        return self.sub.lower() == "value" and not self.multi_valued

    @property
    def top(self) -> str:
        """The attribute as a whole, as PATCH names it."""
        return f"{self.schema}:{self.attribute}" if self.schema else self.attribute

    @property
    def plain(self) -> str:
        """The path without conditions, as PATCH and filters name it."""
        return f"{self.top}.{self.sub}" if self.sub else self.top

    def get(self, resource: Mapping[str, Json]) -> Json:
        """Returns the value in a resource; None where there is none."""
        value = self.whole(resource)
        if isinstance(value, list):
            value = self._pick(value)
        if not self.sub:
            return value
        return get_key(value, self.sub)

    def whole(self, resource: Mapping[str, Json]) -> Json:
        """Returns the attribute as a whole, with all its values."""
        container = get_key(resource, self.schema) if self.schema else resource
        return get_key(container, self.attribute)

    def put(self, resource: Resource, value: Json) -> None:
        """Puts a value into a resource; None takes it out."""
        container: Json = resource
        if self.schema:
            container = _child(resource, self.schema)
        present = get_key(container, self.attribute)
        if self.multi_valued or isinstance(present, list):
            values = list(present) if isinstance(present, list) else []
            set_key(container, self.attribute, self._with(values, value) or None)
        elif self.sub:
            set_key(_child(container, self.attribute), self.sub, value)
            if not get_key(container, self.attribute):
                set_key(container, self.attribute, None)
        else:
            set_key(container, self.attribute, value)
        if self.schema and not container:
            set_key(resource, self.schema, None)

    def _with(self, values: list[Json], value: Json) -> list[Json]:
        old = self._pick(values)
        at = next((i for i, one in enumerate(values) if one is old), None) if old is not None else None
        if value is None:
            return [one for i, one in enumerate(values) if i != at]
        new = dict(old) if isinstance(old, Mapping) else dict(self.conditions)
        set_key(new, self.sub, value)
        return [*values, new] if at is None else [*values[:at], new, *values[at + 1 :]]

    def _pick(self, values: list[Json]) -> Json:
        """Chooses among several values: the one of which all conditions hold; without conditions the primary one.

        A portal that does not keep a sub-attribute of the conditions at all is not asked for it.
        """
        maps = [value for value in values if isinstance(value, Mapping)]
        if not self.conditions:
            primary = [value for value in maps if get_key(value, "primary") is True]
            return next(iter(primary or maps), None)
        exact = [value for value in maps if all(_same(get_key(value, sub), want) for sub, want in self.conditions)]
        loose = [
            value
            for value in maps
            if all(get_key(value, sub) is None or _same(get_key(value, sub), want) for sub, want in self.conditions)
        ]
        return next(iter(exact or loose), None)


def _same(value: Json, wanted: Json) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return value.lower() == wanted.lower()
    return bool(value == wanted)


def get_key(container: Json, name: str) -> Json:
    """Returns what a JSON object has under a name, which SCIM compares regardless of case; None where nothing."""
    if not isinstance(container, dict):
        return None
    if name in container:
        return container[name]
    length, folded = len(name), name.lower()
    return next((value for key, value in container.items() if len(key) == length and key.lower() == folded), None)


def objects(container: Json, name: str = "") -> list[Resource]:
    """Returns the objects in a list: the one that an object has under a name, or one itself; none where nothing."""
    listed = get_key(container, name) if name else container
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def set_key(container: MutableMapping[str, Json], name: str, value: Json) -> None:
    """Sets what a JSON object has under a name, regardless of case; None takes it out."""
    key = name
    if name not in container:
        length, folded = len(name), name.lower()
        key = next((key for key in container if len(key) == length and key.lower() == folded), name)
    if value is None:
        container.pop(key, None)
    else:
        container[key] = value


def _child(container: MutableMapping[str, Json], name: str) -> Resource:
    child = get_key(container, name)
    child = dict(child) if isinstance(child, Mapping) else {}
    set_key(container, name, child)
    return child
