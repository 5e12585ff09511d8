"""Performing the operations on users."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import ldap

from musterroll import CreateUser, Deactivate, DeleteUser, Reactivate, Result, Status, UpdateUser
from musterroll_plugins.backends.ldap.dialect import Dialect
from musterroll_plugins.backends.ldap.entries import USERNAME, UserEntries
from musterroll_plugins.backends.ldap.errors import status_of
from musterroll_plugins.backends.ldap.index import UserIndex
from musterroll_plugins.backends.ldap.links import Links
from musterroll_plugins.backends.ldap.names import both, child, comparable, equals, split
from musterroll_plugins.backends.ldap.numbers import Numbers
from musterroll_plugins.backends.ldap.options import LdapOptions
from musterroll_plugins.backends.ldap.references import References
from musterroll_plugins.backends.ldap.requests import (
    ANY,
    Add,
    Answer,
    Delete,
    Found,
    Modify,
    Move,
    Request,
    Search,
    Work,
    find_one,
)

GONE = "the user no longer exists; run the sheet again"
# So many users are looked for by their ids before all of them are read: not every directory has an index of ids.
_FEW = 20
_TAKEN = (ldap.ALREADY_EXISTS, ldap.CONSTRAINT_VIOLATION)


class UserOperations:
    """Creates and changes users.

    Args:
        options: of the backend.
        dialect: what kind of directory it is.
        entries: makes entries of users.
        index: knows where users are.
        links: keeps memberships.
        numbers: gives free numbers.
        references: knows whom users name.
    """

    def __init__(
        self,
        options: LdapOptions,
        dialect: Dialect,
        entries: UserEntries,
        index: UserIndex,
        links: Links,
        numbers: Numbers,
        references: References,
    ) -> None:
        self._options, self._dialect, self._entries = options, dialect, entries
        self._index, self._links, self._numbers, self._references = index, links, numbers, references
        self._looked_for = 0
        self.unfinished: dict[str, str] = {}
        """Creations that were cut off before the password was set, by operation, and the ids of the users."""
        self.doubted: set[str] = set()
        """Creations of which it was not known what became of them."""
        self.refused: dict[str, str] = {}
        """Creations that the directory took for duplicates, and why; who is found cannot be theirs."""

    # -- looking --------------------------------------------------------------------------------------------

    def locate(self, ref: str) -> Generator[Request, Answer, Found | None]:
        """Finds a user by id, as it is now."""
        dn = self._index.dn(ref)
        if dn is None and not self._dialect.finds_at_once:
            self._looked_for += 1
            if self._looked_for > _FEW:
                self._index.load()
                dn = self._index.dn(ref)
        if dn is not None:
            found = yield from find_one(Search(dn, ANY, self._entries.asked))
            if found is not None and self._dialect.ref_of(found.entry) == ref:
                return found
        request = self._dialect.find(ref, self._options.base, self._entries.asked)
        found = None if request is None else (yield from find_one(request))
        if found is not None:
            self.note(ref, found)
        return found

    def note(self, ref: str, found: Found) -> None:
        """Notes where a user is, and who it is."""
        self._index.note(ref, found.dn, self._entries.values(found.entry))

    def member_value(self, ref: str) -> str | None:
        """Returns what a user is called among the members of a group; None where that is not known yet."""
        dn = self._index.dn(ref)
        return None if dn is None else self._links.value(dn, {USERNAME: self._index.username(ref)})

    def named(self, username: str) -> Generator[Request, Answer, list[Found]]:
        """Finds the users of a name, as they are now and as the directory compares names."""
        wanted = both(self._index.filter, equals(self._dialect.username, username))
        answer = yield Search(self._options.base, wanted, self._entries.asked, ldap.SCOPE_SUBTREE)
        return list(answer.entries)

    # -- creating -------------------------------------------------------------------------------------------

    def create(self, op: CreateUser) -> Work:
        """Creates a user."""
        if op.id in self.unfinished:
            return (yield from self._finish(op, self.unfinished.pop(op.id)))
        if not (self._dialect.names_are_unique or self._entries.username_names):
            taken = yield from self._taken(op)
            if taken is not None:
                return taken
        if self._options.unique_email and (other := (yield from self._holder_of_address(op.user.fields, None))):
            return self._address_taken(op, other)
        stored: Mapping[str, str | None] = op.user.fields
        if self._entries.references:
            stored, lacking = yield from self._references.with_entries(stored)
            if lacking:
                return Result(op.id, Status.FAILED, detail="; ".join(lacking.values()))
        fields = {**stored, USERNAME: op.user.username}
        dn = self._entries.dn(fields)
        held = {**self._entries.new(op, fields), **self._dialect.for_new_user(op.password)}
        for attribute, first in self._options.numbers.items():
            held[attribute] = [self._numbers.take(attribute, first)]
        try:
            answer = yield Add(dn, held, self._dialect.told)
        except _TAKEN as error:
            return (yield from self._exists(op, error))
        ref = self._dialect.ref_in(answer)
        if ref is None:
            found = yield from find_one(Search(dn, ANY, [self._dialect.id_attribute]))
            ref = None if found is None else self._dialect.ref_of(found.entry)
        if ref is None:
            return Result(op.id, Status.UNKNOWN, detail="the directory did not show the new user's id")
        self._index.note(ref, dn, fields)
        if op.password is not None and self._dialect.password_is_apart:
            try:
                yield self._dialect.set_password(dn, op.password)
            except ldap.LDAPError as error:
                why = f"the password: {self._dialect.explain(error)}"
                return (yield from self._taken_out(op, dn, ref, status_of(error), why))
        if self._entries.references:
            self._references.note(op.user.username, ref)
            refused = yield from self._references.write_again(dn, op.user.fields, stored, {})
            if refused:
                why = "; ".join(refused.values())
                try:
                    return (yield from self._taken_out(op, dn, ref, Status.FAILED, why))
                except ldap.LDAPError:  # nor may it be deleted: it is there, and the next run names them again
                    return Result(op.id, Status.DONE, ref, why)
        return Result(op.id, Status.DONE, ref)

    def _taken_out(self, op: CreateUser, dn: str, ref: str, status: Status, why: str) -> Work:
        """Deletes a new user who lacks something.

        Half a user is worse than none: whoever reads that it failed will try again.
        """
        yield Delete(dn)
        self._index.drop(ref)
        return Result(op.id, status, detail=why)

    def _finish(self, op: CreateUser, ref: str) -> Work:
        """Sets the password of a user who was created without its being certain that it got through."""
        if op.password is not None and self._dialect.password_is_apart:
            found = yield from self.locate(ref)
            if found is None:
                return Result(op.id, Status.NOT_DONE, detail=GONE)
            yield self._dialect.set_password(found.dn, op.password)
        return Result(op.id, Status.DONE, ref)

    def _taken(self, op: CreateUser) -> Generator[Request, Answer, Result | None]:
        for found in (yield from self.named(op.user.username)):
            ref = self._dialect.ref_of(found.entry)
            if ref is not None and self.is_ours(op, found):
                self.note(ref, found)
                return (yield from self._finish(op, ref))
            return self._conflict(op, found)
        return None

    def _exists(self, op: CreateUser, error: ldap.LDAPError) -> Work:
        """Looks again before a conflict counts: it may be our own user, created by a request without an answer."""
        taken = yield from self._taken(op)
        if taken is not None:
            return taken
        other = yield from self._holder_of_address(op.user.fields, None)
        if other is not None:
            return self._address_taken(op, other)
        if isinstance(error, ldap.ALREADY_EXISTS):
            dn = self._entries.dn({**op.user.fields, USERNAME: op.user.username})
            found = yield from find_one(Search(dn, ANY, [self._dialect.id_attribute]))
            if found is not None:
                return Result(op.id, Status.FAILED, detail=f"there is another entry {found.dn}; see the option rdn")
        return Result(op.id, Status.FAILED, detail=self._dialect.explain(error))

    def is_ours(self, op: CreateUser, found: Found) -> bool:
        """Whether a user was created by this operation: by our mark, or by the looks where there is no place for it.

        The plan found nobody of this name. Where we never heard what became of the creation, a user that now is
        exactly as we asked for is the one that we asked for.
        """
        if key := self._options.key_attribute:
            return op.id.encode() in found.entry.get(key.lower(), ())
        if op.id in self.refused or op.id not in self.doubted:
            return False
        wanted = self._entries.canonical(op.user)
        return self.is_so({**wanted.fields, USERNAME: wanted.username}, found)

    def is_so(self, wanted: Mapping[str, str | None], found: Found) -> bool:
        """Whether a user is as the fields want it."""
        return self._entries.is_so(wanted, self._references.with_usernames(self._entries.values(found.entry)))

    def _conflict(self, op: CreateUser, found: Found) -> Result:
        name = self._entries.values(found.entry).get(USERNAME)
        self.refused[op.id] = f'the username is taken by "{name}"'
        return Result(op.id, Status.CONFLICT, self._dialect.ref_of(found.entry), self.refused[op.id])

    def _address_taken(self, op: CreateUser, other: str) -> Result:
        self.refused[op.id] = other
        return Result(op.id, Status.CONFLICT, detail=other)

    def _holder_of_address(
        self, fields: Mapping[str, str | None], ref: str | None
    ) -> Generator[Request, Answer, str | None]:
        attribute, email = self._entries.attributes.get("email"), fields.get("email")
        if not self._options.unique_email or not email or attribute is None:
            return None
        wanted = both(self._index.filter, equals(attribute, email))
        answer = yield Search(self._options.base, wanted, self._entries.asked, ldap.SCOPE_SUBTREE)
        for found in answer.entries:
            if self._dialect.ref_of(found.entry) != ref:
                return f'the e-mail address is in use by "{self._entries.values(found.entry).get(USERNAME)}"'
        return None

    # -- changing -------------------------------------------------------------------------------------------

    def update(self, op: UpdateUser) -> Work:
        """Changes a user, and nothing but what is named and what is made of it."""
        found = yield from self.locate(op.user.ref)
        if found is None:
            return Result(op.id, Status.FAILED, detail=GONE)
        before = self._entries.values(found.entry)
        known = {name: text for name, text in op.changes.items() if name == USERNAME or name in self._entries.fields}
        stored: Mapping[str, str | None] = known
        refused: dict[str, str] = {}
        if self._entries.references:
            stored, refused = yield from self._references.with_entries(known)
            if refused and not (stored or op.password):
                return Result(op.id, Status.FAILED, detail="; ".join(refused.values()))
        after = {**before, **stored}
        conflict = yield from self._in_the_way(op, known)
        if conflict is not None:
            return conflict
        changes = self._entries.changes(found.entry, stored)
        name, parent = self._entries.moved(found.dn, before, after)
        moves = comparable(child(name, parent)) != comparable(found.dn)
        dn = found.dn
        if op.password is not None:
            # First, because it is the most likely to be refused, and then nothing else is changed.
            try:
                yield self._dialect.set_password(dn, op.password)
            except ldap.LDAPError as error:
                return Result(op.id, status_of(error), detail=f"the password: {self._dialect.explain(error)}")
        if moves:
            try:
                dn = yield from self._move(op.user.ref, dn, name, parent)
            except _TAKEN as error:
                return self._name_taken(op, error)
        if changes:
            try:
                yield Modify(dn, changes)
            except ldap.LDAPError as error:
                if moves:  # all of it or nothing
                    yield from self._move(op.user.ref, dn, *split(found.dn))
                status = Status.CONFLICT if isinstance(error, _TAKEN) and USERNAME in known else status_of(error)
                return Result(op.id, status, detail=self._dialect.explain(error))
        self._index.note(op.user.ref, dn, after)
        if self._entries.references:
            self._references.note(known.get(USERNAME), op.user.ref)
            refused |= yield from self._references.write_again(dn, known, stored, found.entry)
        if moves or known.get(USERNAME):
            refused |= yield from self._followed((found.dn, before), (dn, after))
        done = moves or changes or op.password is not None
        return Result(op.id, Status.DONE if done else Status.NOOP, op.user.ref, refused=refused)

    def _in_the_way(
        self, op: UpdateUser, changes: Mapping[str, str | None]
    ) -> Generator[Request, Answer, Result | None]:
        if username := changes.get(USERNAME):
            for found in (yield from self.named(username)):
                if self._dialect.ref_of(found.entry) != op.user.ref:
                    name = self._entries.values(found.entry).get(USERNAME)
                    ref = self._dialect.ref_of(found.entry)
                    return Result(op.id, Status.CONFLICT, ref, f'the username is taken by "{name}"')
        other = yield from self._holder_of_address(changes, op.user.ref)
        return None if other is None else Result(op.id, Status.CONFLICT, detail=other)

    def _name_taken(self, op: UpdateUser, error: ldap.LDAPError) -> Result:
        if isinstance(error, ldap.ALREADY_EXISTS):
            detail = "another entry has the name that the user's entry would get; see the option rdn"
            return Result(op.id, Status.FAILED, detail=detail)
        return Result(op.id, Status.FAILED, detail=self._dialect.explain(error))

    def _move(self, ref: str, dn: str, name: str, parent: str) -> Generator[Request, Answer, str]:
        """Gives a user's entry another name or place; returns where it is then."""
        elsewhere = comparable(split(dn)[1]) != comparable(parent)
        yield Move(dn, name, parent if elsewhere else None)
        self._index.note(ref, child(name, parent), {})
        return child(name, parent)

    def _follow(
        self, before: tuple[str, Mapping[str, str | None]], after: tuple[str, Mapping[str, str | None]]
    ) -> Generator[Request, Answer, None]:
        """Lets groups, and those who name a user, follow one who has another name or place (the entry, its fields)."""
        yield from self._links.follow(self._links.value(*before), self._links.value(*after))
        yield from self._references.follow(before[0], after[0])

    def _followed(
        self, before: tuple[str, Mapping[str, str | None]], after: tuple[str, Mapping[str, str | None]]
    ) -> Generator[Request, Answer, dict[str, str]]:
        """As `_follow`; says why where that was refused. The user is renamed or moved all the same."""
        try:
            yield from self._follow(before, after)
        except ldap.LDAPError as error:
            text = "the groups of the user, or others who name the user, could not follow to the new name or place"
            return {USERNAME: f"{text}: {self._dialect.explain(error)}"}
        return {}

    def move_below(self, ref: str, parent: str) -> Generator[Request, Answer, None]:
        """Puts a user below another entry, with its memberships."""
        found = yield from self.locate(ref)
        if found is None or comparable(split(found.dn)[1]) == comparable(parent):
            return
        dn = yield from self._move(ref, found.dn, split(found.dn)[0], parent)
        values = self._entries.values(found.entry)
        yield from self._follow((found.dn, values), (dn, values))

    def set_active(self, op: Deactivate | Reactivate) -> Work:
        """Makes a user active or inactive: by a mark, by another place, or by both."""
        active = isinstance(op, Reactivate)
        found = yield from self.locate(op.user.ref)
        if found is None:
            return Result(op.id, Status.FAILED, detail=GONE)
        if self._entries.is_active(found) == active:
            return Result(op.id, Status.NOOP, op.user.ref)
        dn, values = found.dn, self._entries.values(found.entry)
        refused: dict[str, str] = {}
        if self._options.inactive_container is not None:
            parent = self._entries.place(values) if active else self._options.inactive_container
            if comparable(split(dn)[1]) != comparable(parent):
                dn = yield from self._move(op.user.ref, dn, split(dn)[0], parent)
                refused = yield from self._followed((found.dn, values), (dn, values))
        if self._dialect.is_marked_inactive(found.entry) == active:
            changes = self._dialect.mark(found.entry, active=active)
            if changes:
                yield Modify(dn, changes)
        return Result(op.id, Status.DONE, op.user.ref, refused=refused)

    def delete(self, op: DeleteUser) -> Work:
        """Deletes a user, and takes the memberships along; one that is gone already is no failure."""
        found = yield from self.locate(op.user.ref)
        self._index.drop(op.user.ref)
        if found is None:
            return Result(op.id, Status.NOOP)
        yield Delete(found.dn)
        yield from self._links.follow(self._links.value(found.dn, self._entries.values(found.entry)), None)
        return Result(op.id, Status.DONE)
