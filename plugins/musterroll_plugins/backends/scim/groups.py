"""Performing the operations on groups: creating them where they belong, filling and emptying them in batches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from weakref import WeakValueDictionary

from musterroll import AddMembers, CreateGroup, DeleteGroup, RemoveMembers, Status, UserRef, fold
from musterroll_http import HttpAnswer
from musterroll_plugins.backends.group_names import join_path
from musterroll_plugins.backends.scim.answers import id_of
from musterroll_plugins.backends.scim.client import ScimClient
from musterroll_plugins.backends.scim.directory import Directory, groups_of
from musterroll_plugins.backends.scim.discovery import GROUP, ServiceProvider
from musterroll_plugins.backends.scim.group_index import GroupIndex, ScimGroup, Slot, member_values
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.pages import GROUPS
from musterroll_plugins.backends.scim.paths import Json, Resource, get_key
from musterroll_plugins.backends.scim.schema_filter import without
from musterroll_plugins.backends.scim.users import PATCH, OpOutcome, UserOperations, if_match, path_of, refusal

_GONE = "the group no longer exists; run the sheet again"
_PARENT_GONE = "the parent group no longer exists; run the sheet again"
_NOBODY = "the user no longer exists; run the sheet again"
_CHANGING = "somebody else is changing the group at the same time"


class GroupOperations:
    """Creates and deletes groups, adds and removes members.

    Args:
        client: to send with.
        options: of the backend.
        portal: what it can do.
        directory: to look at what is there.
        users: knows which users are certain to be there, and whether the portal takes PATCH.
    """

    def __init__(
        self,
        client: ScimClient,
        options: ScimOptions,
        portal: ServiceProvider,
        directory: Directory,
        users: UserOperations,
    ) -> None:
        self._client, self._options = client, options
        self._directory, self._users = directory, users
        # Portals read, change and write a group without being asked to: two changes at once lose one of them.
        self._locks: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()
        self._book: asyncio.Task[GroupIndex] | None = None
        definitions = portal.schemas.get(GROUP.lower(), {})
        key = definitions.get("externalid")
        self._sends_keys = (key is None or key.writable) and "externalId" not in options.leave_out
        self._keeps_keys = self._sends_keys
        self._needs_members = (members := definitions.get("members")) is not None and members.required

    def begin(self) -> None:
        """To be called before operations are performed: what was known of the groups may be old."""
        self._book = None

    def _lock(self, of: object) -> asyncio.Lock:
        return self._locks.setdefault(of, asyncio.Lock())

    # -- creating and deleting ------------------------------------------------------------------------------

    async def create(self, op: CreateGroup) -> OpOutcome:
        """Creates a group, unless there is one of that name."""
        if self._book is None:
            self._book = asyncio.ensure_future(self._directory.fresh_book(members=False))
        book = await asyncio.shield(self._book)
        slot = book.slot(op)
        async with self._lock(slot):
            if (same := book.at(slot)) is not None:
                return OpOutcome(Status.DONE if same.key == op.id else Status.NOOP, same.ref)
            if op.parent is not None and not book.has(op.parent.ref):
                return OpOutcome(Status.FAILED, None, _PARENT_GONE)
            # One that was created and then not put where it belongs, as the portal or we broke off in between.
            made = book.by_key(op.id)
            if made is not None:
                return await self._put_in_its_place(book, slot, made)
            # Without keys, a new group of this name could be another one of ours, were there two at the same time.
            async with nullcontext() if self._keeps_keys else self._lock(("name", fold(op.path[-1]))):
                new = await self._client.once(lambda: self._create(op), lambda: self._made(op, book))
                return new if isinstance(new, OpOutcome) else await self._put_in_its_place(book, slot, new)

    async def _create(self, op: CreateGroup) -> ScimGroup | OpOutcome:
        answer = await self._client.ask("POST", GROUPS, body=self._new(op))
        if not answer.ok:
            return (
                await self._exists(op, answer) if answer.status in self._options.duplicate_status else refusal(answer)
            )
        if (ref := id_of(answer)) is None:
            return OpOutcome(Status.UNKNOWN, None, "the portal did not say the new group's id")
        if isinstance(answer.body, dict) and get_key(answer.body, "externalId") is None:
            self._keeps_keys = False
        return ScimGroup(ref, op.path[-1], op.id, ())

    async def _made(self, op: CreateGroup, before: GroupIndex) -> ScimGroup | OpOutcome | None:
        """Says whether a group was created after all, by a request whose answer proves nothing.

        Args:
            op: the operation.
            before: the groups as they were before it.
        """
        named = await self._directory.groups_named(self._name(op))
        new = [group for group in named if not before.has(group.ref)]
        for group in new:
            if group.key == op.id or (group.key is None and not self._keeps_keys):
                return group
        if new and (self._options.nesting != "members" or op.parent is None):
            return OpOutcome(Status.NOOP, new[0].ref)  # somebody else's
        return None

    def _new(self, op: CreateGroup) -> Resource:
        body: Resource = {"schemas": [GROUP], "displayName": self._name(op)}
        if self._sends_keys:
            body["externalId"] = op.id
        if self._needs_members:
            body["members"] = []
        return without(body, self._options.leave_out)

    def _name(self, op: CreateGroup) -> str:
        in_name = self._options.nesting == "path"
        return join_path(op.path, self._options.path_separator) if in_name else op.path[-1]

    async def _exists(self, op: CreateGroup, answer: HttpAnswer) -> OpOutcome:
        book = await self._directory.fresh_book(members=False)
        same = book.at(book.slot(op))
        if same is not None:
            return OpOutcome(Status.DONE if same.key == op.id else Status.NOOP, same.ref)
        if answer.status >= 500:
            return refusal(answer)
        detail = f"the portal says that a group of this name exists elsewhere: {answer.reason}"
        return OpOutcome(Status.FAILED, None, f'{detail}; if it wants names to differ, set nesting to "path"')

    async def _put_in_its_place(self, book: GroupIndex, slot: Slot, group: ScimGroup) -> OpOutcome:
        parent = slot[0]
        if parent is not None:
            member = without({"members": [{"value": group.ref, "type": "Group"}]}, self._options.leave_out)["members"]
            async with self._lock(parent):
                failed = await self._add(parent, member)
            if failed is not None and failed.status is Status.FAILED:
                await self._client.ask("DELETE", path_of(GROUPS, group.ref))
            if failed is not None:
                return failed
        book.add(group, slot)
        return OpOutcome(Status.DONE, group.ref)

    async def delete(self, op: DeleteGroup) -> OpOutcome:
        """Deletes a group that nobody and no group is in any more; one that is gone already is no failure."""
        async with self._lock(op.group.ref):
            read, _ = await self._directory.group(op.group.ref)
            if read is None:
                return OpOutcome(Status.NOOP)
            if self._options.nesting == "path" and (await self._directory.fresh_book()).is_outer(op.group.ref):
                return OpOutcome(Status.FAILED, None, "the group still has subgroups")
            inside = set(member_values(read))
            # What portals leave of members that they deleted does not count.
            if any([(await self._directory.group(ref))[0] is not None for ref in inside]):
                return OpOutcome(Status.FAILED, None, "the group still has subgroups")
            if inside and await self._directory.present(inside):
                return OpOutcome(Status.FAILED, None, "the group still has members")
            answer = await self._client.ask("DELETE", path_of(GROUPS, op.group.ref))
        done = answer.status == 404 or 200 <= answer.status < 300
        return OpOutcome(Status.DONE) if done else refusal(answer)

    # -- members --------------------------------------------------------------------------------------------

    async def add(self, op: AddMembers) -> OpOutcome:
        """Adds members, so many at once as the options say; those that are gone are refused one by one."""
        refused = dict.fromkeys(await self._missing([member.ref for member in op.members]), _NOBODY)
        members = [{"value": member.ref} for member in op.members if member.ref not in refused]
        async with self._lock(op.group.ref):
            for batch in _batches(members, self._options.member_batch):
                if (failed := await self._add(op.group.ref, batch)) is not None:
                    return failed
            if not members and (await self._directory.group(op.group.ref))[0] is None:
                return OpOutcome(Status.FAILED, None, _GONE)
        return OpOutcome(Status.DONE, None, None, refused)

    async def _missing(self, refs: Sequence[str]) -> set[str]:
        """Returns which users are no longer there: some portals add them all the same."""
        unsure = {ref for ref in refs if ref not in self._users.known}
        if not unsure:
            return set()
        there = await self._directory.present(unsure)
        self._users.known |= there
        return unsure - there

    async def _add(self, ref: str, members: Sequence[Json]) -> OpOutcome | None:
        """Adds members; returns what went wrong."""
        if self._users.patches:
            answer = await self._patch(ref, [{"op": "add", "path": "members", "value": list(members)}])
            if answer.status not in (405, 501):
                return self._failed(answer)
        there = {str(get_key(member, "value")) for member in members}
        return await self._rewrite(ref, lambda old: [*(one for one in old if _of(one) not in there), *members])

    async def remove(self, op: RemoveMembers) -> OpOutcome:
        """Takes members out; only those that are in, as portals refuse to take out others."""
        ref = op.group.ref
        async with self._lock(ref):
            inside = await self.inside(ref, op.members)
            if inside is None:
                return OpOutcome(Status.FAILED, None, _GONE)
            leaving = [member for member in op.members if member.ref in inside]
            if not leaving:
                return OpOutcome(Status.NOOP)
            for batch in _batches(leaving, self._options.member_batch):
                if (failed := await self._remove(ref, batch)) is not None:
                    return failed
        return OpOutcome(Status.DONE)

    async def _remove(self, ref: str, leaving: Sequence[UserRef]) -> OpOutcome | None:
        if self._users.patches and self._options.remove_members == "filter":
            paths = [f"members[value eq {json.dumps(member.ref)}]" for member in leaving]
            answer = await self._patch(ref, [{"op": "remove", "path": path} for path in paths])
            if answer.status not in (405, 501):
                return self._failed(answer)
        values_out = {text for member in leaving for text in self._values_of(member)}
        return await self._rewrite(ref, lambda old: [one for one in old if _of(one) not in values_out])

    def _values_of(self, member: UserRef) -> tuple[str, ...]:
        """What a group may show a member as: where only users tell their groups, some show usernames."""
        return (member.ref, member.username) if self._options.memberships == "users" else (member.ref,)

    async def inside(self, ref: str, members: Sequence[UserRef]) -> set[str] | None:
        """Returns the refs of those who are members of a group; None where there is no such group."""
        read, _ = await self._directory.group(ref)
        if read is None:
            return None
        if self._options.memberships == "groups":
            return {member.ref for member in members} & set(member_values(read))
        users = await asyncio.gather(*(self._directory.user(member.ref) for member in members))
        pairs = zip(members, users, strict=True)
        return {member.ref for member, (user, _) in pairs if ref in groups_of(user or {})}

    # -- sending --------------------------------------------------------------------------------------------

    async def _patch(self, ref: str, operations: Sequence[Resource]) -> HttpAnswer:
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return await self._client.ask("PATCH", path_of(GROUPS, ref), body=body)

    async def _rewrite(self, ref: str, change: Callable[[list[Json]], list[Json]]) -> OpOutcome | None:
        """Changes the whole list of members; where somebody else was quicker, once more."""
        answer = HttpAnswer(412)
        for _ in range(2):
            read, shown = await self._directory.group(ref)
            if read is None:
                return OpOutcome(Status.FAILED, None, _GONE)
            old = get_key(read, "members")
            members = change(list(old) if isinstance(old, list) else [])
            headers = if_match(shown)
            if self._users.patches:
                value = {"op": "replace", "path": "members", "value": members}
                body: Resource = {"schemas": [PATCH], "Operations": [value]}
                answer = await self._client.ask("PATCH", path_of(GROUPS, ref), body=body, headers=headers)
            else:
                body = {**{name: value for name, value in read.items() if name != "meta"}, "members": members}
                answer = await self._client.ask("PUT", path_of(GROUPS, ref), body=body, headers=headers)
            if answer.status != 412:
                break
        return self._failed(answer)

    def _failed(self, answer: HttpAnswer) -> OpOutcome | None:
        if answer.ok:
            return None
        if answer.status == 404:
            return OpOutcome(Status.FAILED, None, _GONE)
        return OpOutcome(Status.NOT_DONE, None, _CHANGING) if answer.status == 412 else refusal(answer)


def _of(member: Json) -> str:
    return str(get_key(member, "value"))


def _batches(items: Sequence[Json], size: int) -> list[Sequence[Json]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
