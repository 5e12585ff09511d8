"""The options of the backend `rest`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from musterroll import Surroundings, did_you_mean, known_field
from musterroll_http import RestOptions
from musterroll_plugins.backends.rest.calls import AnyWhen, GroupCalls, JsonPath, UserCalls
from musterroll_plugins.backends.rest.profiles import with_profile
from musterroll_plugins.backends.rest.remarks import remarks_on
from musterroll_plugins.backends.rest.templates import PASSWORD
from musterroll_simple import Spelling

_EVERYWHERE = frozenset({"url", "tenant"})
# What can stand in braces in each call; in that which creates a user, its fields as well.
_PLACEHOLDERS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "users": {
        "all": frozenset(),
        "find": frozenset({"value"}),
        "create": frozenset({"username", "username_local", "key", PASSWORD}),
        "set_password": frozenset({"user", PASSWORD}),
        **dict.fromkeys(("get", "update", "activate", "deactivate", "delete", "invite"), frozenset({"user"})),
    },
    "groups": {
        "all": frozenset(),
        **dict.fromkeys(("children", "members", "delete"), frozenset({"group"})),
        **dict.fromkeys(("create", "create_inside"), frozenset({"name", "parent", "key"})),
        **dict.fromkeys(("add", "remove"), frozenset({"group", "user"})),
    },
}


class RestPortalOptions(RestOptions):
    """Options of the backend `rest`.

    Attributes:
        profile: a portal that is described already; what else is said here goes over it.
        users: the calls for users, and where things are in them.
        groups: likewise for groups.
        taken: answers that say that something of that name exists; a status, or `{ status = 400, words = "exists" }`.
        gone: answers that say that the user or group does not exist.
        busy: answers that say that there were too many requests, besides the usual ones.
        error: where the words of an error are in an answer, besides the usual places.
        stored_as: fields whose spelling the portal changes when it stores them.
        matching: how the portal compares usernames.
        lookup: how users are looked up. `auto` reads all of them once, unless the portal compares names as we do;
            `search` asks for each.
        unique_email: an address may belong to one user only.
    """

    profile: str | None = None
    users: UserCalls = UserCalls()
    groups: GroupCalls = GroupCalls()
    taken: tuple[AnyWhen, ...] = (409,)
    gone: tuple[AnyWhen, ...] = (404, 410)
    busy: tuple[AnyWhen, ...] = ()
    error: tuple[JsonPath, ...] = ()
    stored_as: dict[str, Spelling] = Field({})
    matching: Literal["exact", "case", "folded"] = "exact"
    lookup: Literal["auto", "search", "index"] = "auto"
    unique_email: bool = False

    @model_validator(mode="before")
    @classmethod
    def _over_its_profile(cls, data: Any) -> Any:
        return with_profile(data) if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _as_a_whole(self, info: ValidationInfo) -> RestPortalOptions:
        if wrong := [*self._missing(), *self._unknown(info)]:
            raise ValueError("; ".join(wrong))
        return self

    def _missing(self) -> Iterator[str]:
        users, groups = self.users, self.groups
        if users.all is None and users.find is None:
            yield 'users.all is needed, e.g. users.all = "GET /users"; or users.find, or a profile'
        if users.all is None and self.lookup == "index":
            yield 'users.all is needed for lookup = "index"'
        if users.update is not None and users.update.send == "whole" and users.get is None:
            yield 'users.get is needed for users.update.send = "whole"'
        if (users.activate is None) != (users.deactivate is None) or (users.activate and not users.active):
            yield "users.activate, users.deactivate and users.active belong together"
        if groups.all is None and (groups.create or groups.add or groups.children):
            yield "groups.all is needed where anything else is said of groups"
        if groups.add is not None and not users.groups and groups.members is None:
            yield "users.groups or groups.members is needed: where it shows who is in a group"

    def _unknown(self, info: ValidationInfo) -> Iterator[str]:
        fields = info.context.fields if isinstance(info.context, Surroundings) else None
        for name in sorted(self.users.fields) if self.profile is None else ():
            try:
                known_field(name, info)
            except ValueError as error:
                yield f"users.fields: {error}"
        for table, calls in (("users", self.users), ("groups", self.groups)):
            for name, known in _PLACEHOLDERS[table].items():
                call = getattr(calls, name)
                if call is None or (call is self.users.create and fields is None):
                    continue
                every = {*known, *_EVERYWHERE, *(fields or () if call is self.users.create else ())}
                for word in sorted(call.names - every):
                    yield f"{table}.{name}: there is no {{{word}}} here{did_you_mean(word, every)}"

    def remarks(self) -> Iterable[str]:
        """Says what the portal cannot do as it is described, and for want of what."""
        return remarks_on(self)

    @property
    def nests(self) -> bool:
        """Whether there are groups inside groups, in whatever way they are kept."""
        groups = self.groups
        inside = groups.create_inside is not None or (groups.create is not None and "parent" in groups.create.names)
        return groups.separator is not None or inside
