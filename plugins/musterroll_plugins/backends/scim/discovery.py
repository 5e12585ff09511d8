"""What a portal says of itself: /ServiceProviderConfig and /Schemas (RFC 7643, 5 and 7).

Both are read as they come, without a model: what real portals publish is seldom quite what the RFC asks for, and
a portal must not be refused for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from musterroll_plugins.backends.scim.paths import CORE, AttributePath, Json, get_key, objects

USER = CORE + "User"
GROUP = CORE + "Group"
_MANAGER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a schema."""

    name: str
    type: str = "string"
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: str = "readWrite"
    uniqueness: str = "none"
    subs: Mapping[str, Attribute] = field(default_factory=dict)

    @property
    def writable(self) -> bool:
        """Whether it can be given when something is created."""
        return self.mutability.lower() != "readonly"


@dataclass(frozen=True, slots=True)
class BulkLimits:
    """What /Bulk takes in one request."""

    operations: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProvider:
    """What a portal can do; where it is silent, what the RFCs want of every portal.

    Attributes:
        patch: takes PATCH.
        filters: takes filters.
        sort: can sort.
        max_results: so many at once, at the most.
        bulk: the limits of /Bulk; None where it is not offered.
        change_password: the password of an existing user can be set.
        schemas: the attributes of each schema, by lower-case URN and name; empty where it publishes none.
    """

    patch: bool = True
    filters: bool = True
    sort: bool = False
    max_results: int | None = None
    bulk: BulkLimits | None = None
    change_password: bool = True
    schemas: Mapping[str, Mapping[str, Attribute]] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Json, schemas: Json) -> ServiceProvider:
        """Reads the two documents; either may be missing or odd."""
        bulk = None
        if _supported(config, "bulk", default=False):
            operations, size = _number(config, "bulk", "maxOperations"), _number(config, "bulk", "maxPayloadSize")
            if operations != 0 and size != 0:
                bulk = BulkLimits(operations or 100, size or 1_000_000)
        return cls(
            patch=_supported(config, "patch", default=True),
            filters=_supported(config, "filter", default=True),
            sort=_supported(config, "sort", default=False),
            max_results=_number(config, "filter", "maxResults") or None,
            bulk=bulk,
            change_password=_supported(config, "changePassword", default=True),
            schemas=dict(_schemas(schemas)),
        )

    @property
    def has_groups(self) -> bool:
        """Whether it has groups; a portal that publishes no schemas is taken to have them."""
        return USER.lower() not in self.schemas or GROUP.lower() in self.schemas

    def attribute(self, path: AttributePath, resource: str = USER) -> Attribute | None:
        """Returns the definition of a path's attribute; None where the portal publishes none."""
        return self.schemas.get((path.schema or resource).lower(), {}).get(path.attribute.lower())

    def leaf(self, path: AttributePath) -> Attribute | None:
        """Returns the definition of the value itself: of the sub-attribute where the path has one."""
        whole = self.attribute(path)
        if whole is None or not path.sub:
            return whole
        return whole.subs.get(path.sub.lower())

    def reference(self, path: AttributePath) -> AttributePath:
        """Returns where a reference to another user is: the attribute may have been named without its `value`."""
        whole = self.attribute(path)
        has_value = "value" in whole.subs if whole is not None else path.plain.lower() == _MANAGER
        return replace(path, sub="value") if has_value and not path.sub else path

    def takes(self, path: AttributePath) -> bool:
        """Whether a user's attribute can be stored, as far as the portal tells."""
        if USER.lower() not in self.schemas:
            return True
        leaf = self.leaf(path)
        return leaf is not None and leaf.writable

    def user_attribute(self, name: str) -> Attribute | None:
        """Returns the definition of one of the user's core attributes."""
        return self.schemas.get(USER.lower(), {}).get(name.lower())


def _supported(config: Json, name: str, *, default: bool) -> bool:
    part = get_key(config, name)
    if not isinstance(part, Mapping):
        return default if part is None else part is True
    value = get_key(part, "supported")
    return default if value is None else str(value).lower() == "true"


def _number(config: Json, name: str, key: str) -> int | None:
    value = get_key(get_key(config, name), key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _schemas(document: Json) -> Iterator[tuple[str, Mapping[str, Attribute]]]:
    for schema in objects(document, "" if isinstance(document, list) else "Resources"):
        urn = get_key(schema, "id")
        attributes = dict(_attributes(get_key(schema, "attributes"))) if isinstance(urn, str) else {}
        if attributes:
            yield str(urn).lower(), attributes


def _attributes(listed: Json) -> Iterator[tuple[str, Attribute]]:
    for one in objects(listed):
        name = get_key(one, "name")
        if isinstance(name, str):
            yield (
                name.lower(),
                Attribute(
                    name=name,
                    type=str(get_key(one, "type") or "string"),
                    multi_valued=get_key(one, "multiValued") is True,
                    required=get_key(one, "required") is True,
                    case_exact=get_key(one, "caseExact") is True,
                    mutability=str(get_key(one, "mutability") or "readWrite"),
                    uniqueness=str(get_key(one, "uniqueness") or "none"),
                    subs=dict(_attributes(get_key(one, "subAttributes"))),
                ),
            )
