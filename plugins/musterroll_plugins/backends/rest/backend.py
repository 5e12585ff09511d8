"""A portal that is described by options, on `RestBackend`."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any

from musterroll import Capabilities, Context, Desired, Existing, Group, Matching, Secret
from musterroll_http import HttpAnswer, RestBackend, id_in, value_at
from musterroll_plugins.backends.rest.calls import AnyWhen, Call, ListCall, When
from musterroll_plugins.backends.rest.mapping import RestMapping
from musterroll_plugins.backends.rest.options import RestPortalOptions
from musterroll_plugins.backends.rest.templates import PASSWORD, fill
from musterroll_simple import Busy, Gone, Refused, Taken, with_parents

_LONGEST = 65536


class RestPortal(RestBackend):
    """A portal that is described by options.

    Args:
        options: checked.
        context: of the instance.

    Raises:
        PipelineError: a secret cannot be read.
        BackendError: a file, an address, a token or a header cannot be used.
    """

    def __init__(self, options: RestPortalOptions, context: Context) -> None:
        super().__init__(options, context)
        self._portal, self._users, self._groups = options, options.users, options.groups
        self._mapping = RestMapping(options, context.fields)
        self._everywhere = {"url": options.url if isinstance(options.url, str) else "", "tenant": options.tenant}
        self.matching = Matching(options.matching)
        self.trusts_search = {"auto": None, "search": True, "index": False}[options.lookup]
        if self._users.all is None:
            self.trusts_search = True
        self.searches = frozenset(self._users.find.fields if self._users.find is not None else ())
        self.stores_key = bool(self._users.key) and (self._groups.create is None or bool(self._groups.key))
        self.passwords = self._users.create is not None and PASSWORD in self._users.create.names
        self.rename, self.unique_email = self._users.rename, options.unique_email
        self.fields = self._mapping.fields
        self.group_separator = self._groups.separator
        self.nested_groups = options.nests
        self._described: Mapping[str, object] = {
            "users": self._users.all,
            "get_user": self._users.get,
            "find_user": self._users.find,
            "create_user": self._users.create,
            "update_user": self._users.update,
            "set_password": self._users.set_password,
            "set_active": self._users.deactivate,
            "delete_user": self._users.delete,
            "invite": self._users.invite,
            "list_groups": self._groups.all,
            "list_members": self._groups.members if not self._users.groups else None,
            "create_group": self._groups.create,
            "add_member": self._groups.add,
            "remove_member": self._groups.remove,
            "delete_group": self._groups.delete,
        }

    def can(self, method: str) -> bool:
        """Whether the options say how something is done."""
        return self._described.get(method) is not None

    def capabilities(self) -> Capabilities:
        """What the options say how to do."""
        return super().capabilities()

    def canonical(self, desired: Desired) -> Desired:
        """Returns a user as it will be read again."""
        return self._mapping.canonical(desired)

    # -- users ----------------------------------------------------------------------------------------------

    async def users(self) -> AsyncGenerator[Existing]:
        """Yields all users."""
        async for document in self._list(self._users.all):
            if (user := self._mapping.user(document)) is not None:
                yield user

    async def get_user(self, ref: str) -> Existing | None:
        """Returns one user."""
        return self._mapping.user(await self._read(ref))

    async def find_user(self, field: str, value: str) -> list[Existing]:
        """Searches for a user."""
        call = self._users.find
        assert call is not None
        found = value_at((await self._send(call, {"value": value})).body, call.items)
        documents = found if isinstance(found, list) else [found]
        return [user for document in documents if (user := self._mapping.user(document)) is not None]

    async def create_user(self, user: Desired, password: Secret | None, key: str) -> str | None:
        """Creates a user."""
        call = self._users.create
        assert call is not None
        values = {name: text or "" for name, text in user.fields.items()}
        values |= {"username": user.username, "username_local": user.username.partition("@")[0], "key": key}
        body = self._mapping.new(self._body(call, values, password), user, key)
        return id_in(await self._send(call, values, body, hide=[password]), call.ref)

    async def update_user(self, ref: str, changes: Mapping[str, str | None]) -> None:
        """Changes a user."""
        call, mapping = self._users.update, self._mapping
        assert call is not None
        before: Mapping[str, Any] = {}
        if call.send == "whole" or mapping.is_half(changes):
            before = await self._read(ref)
            if (user := mapping.user(before)) is None:
                raise Gone("the user no longer exists")
            changes = mapping.whole(changes, user) if mapping.is_half(changes) else changes
        body = self._body(call, {"user": ref})
        await self._send(
            call, {"user": ref}, mapping.changed({**before, **body} if call.send == "whole" else body, changes)
        )

    async def set_password(self, ref: str, password: Secret) -> None:
        """Sets a password."""
        call = self._users.set_password
        assert call is not None
        await self._send(call, {"user": ref}, self._body(call, {"user": ref}, password), hide=[password])

    async def set_active(self, ref: str, active: bool) -> None:
        """Activates or deactivates a user."""
        call = self._users.activate if active else self._users.deactivate
        assert call is not None
        user = self._mapping.user(await self._read(ref)) if self.can("get_user") else None
        if user is None or user.active is not active:  # many portals refuse what is so already
            await self._send(call, {"user": ref})

    async def delete_user(self, ref: str) -> None:
        """Deletes a user."""
        await self._send(self._users.delete, {"user": ref})

    async def invite(self, ref: str) -> None:
        """Lets the portal invite a user."""
        await self._send(self._users.invite, {"user": ref})

    async def _read(self, ref: str) -> Any:
        return (await self._send(self._users.get, {"user": ref})).body

    # -- groups ---------------------------------------------------------------------------------------------

    async def list_groups(self) -> list[Group]:
        """Lists all groups with their whole paths."""
        found = [self._mapping.group(document) async for document in self._list(self._groups.all)]
        if self._groups.children is not None:
            level = [group for group, _ in found]
            while level:
                inside = [
                    (self._mapping.group(document)[0], group.ref)
                    for group in level
                    async for document in self._list(self._groups.children, {"group": group.ref})
                ]
                known = {group.ref for group, _ in found}
                inside = [(group, parent) for group, parent in inside if group.ref not in known]
                found += inside
                level = [group for group, _ in inside]
        return list(with_parents(found))

    async def list_members(self, group: str) -> AsyncGenerator[str]:
        """Yields the ids of a group's members."""
        async for document in self._list(self._groups.members, {"group": group}):
            if (ref := self._mapping.member(document)) is not None:
                yield ref

    async def create_group(self, name: str, parent: str | None, key: str) -> str | None:
        """Creates a group."""
        call = self._groups.create
        if parent is not None and self._groups.create_inside is not None:
            call = self._groups.create_inside
        assert call is not None
        return id_in(await self._send(call, {"name": name, "parent": parent or "", "key": key}), call.ref)

    async def add_member(self, group: str, user: str) -> None:
        """Adds a user to a group."""
        await self._send(self._groups.add, {"group": group, "user": user})

    async def remove_member(self, group: str, user: str) -> None:
        """Takes a user out of a group."""
        await self._send(self._groups.remove, {"group": group, "user": user})

    async def delete_group(self, ref: str) -> None:
        """Deletes a group."""
        await self._send(self._groups.delete, {"group": ref})

    # -- asking ---------------------------------------------------------------------------------------------

    async def _send(
        self, call: Call | None, values: Mapping[str, str], body: Any = None, *, hide: Iterable[Secret | None] = ()
    ) -> HttpAnswer:
        assert call is not None, "can() has said that it is described"
        line = call.line
        path, query = line.fill({**self._everywhere, **values})
        if body is None and line.method != "GET":
            body = self._body(call, values) or None
        return await self.answer(line.method, path, body, params=query, hide=hide)

    def _body(self, call: Call, values: Mapping[str, str], password: Secret | None = None) -> dict[str, Any]:
        secret = {} if password is None else {PASSWORD: password.reveal()}
        return fill(call.body, {**self._everywhere, **values, **secret})

    async def _list(self, call: ListCall | None, values: Mapping[str, str] | None = None) -> AsyncGenerator[Any]:
        assert call is not None, "can() has said that it is described"
        path, query = call.line.fill({**self._everywhere, **(values or {})})
        async for document in self.pages(path, query, call.paging()):
            yield document

    def refusal(self, answer: HttpAnswer) -> Exception:
        """Returns what the options say that an answer means."""
        said = value_at(answer.body, self._portal.error) if self._portal.error else None
        words = f"{said[:300]} ({answer.status})" if isinstance(said, str) and said else answer.reason
        for meant, kind in ((self._portal.taken, Taken), (self._portal.gone, Gone)):
            if _is_meant(answer, meant):
                return kind(words)
        if _is_meant(answer, self._portal.busy):
            return Busy(None, words)
        known = super().refusal(answer)
        return Refused(words) if type(known) in (Refused, Taken, Gone) else known


def _is_meant(answer: HttpAnswer, whens: Iterable[AnyWhen]) -> bool:
    said: str | None = None
    for one in whens:
        when = When(status=one) if isinstance(one, int) else one
        if answer.status != when.status:
            continue
        if not when.words:
            return True
        if said is None:
            said = f"{answer.said} {json.dumps(answer.body, ensure_ascii=False)[:_LONGEST]}".lower()
        if when.words.lower() in said:
            return True
    return False
