"""A directory as a user backend: what the engine calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import ldap

from musterroll import (
    AddMembers,
    BackendError,
    BackendUnavailableError,
    Capabilities,
    Context,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Desired,
    Existing,
    FieldType,
    Group,
    Matching,
    Objection,
    Op,
    Reactivate,
    RemoveMembers,
    Result,
    Secret,
    SendInvite,
    Status,
    UpdateUser,
    UserKey,
    gettext,
)
from musterroll_plugins.backends.ldap.active_directory import CAPABILITY, ActiveDirectory
from musterroll_plugins.backends.ldap.connection import Connection
from musterroll_plugins.backends.ldap.dialect import Dialect, ServerFacts
from musterroll_plugins.backends.ldap.entries import USERNAME, UserEntries
from musterroll_plugins.backends.ldap.errors import LOST, cannot
from musterroll_plugins.backends.ldap.exchange import Exchange
from musterroll_plugins.backends.ldap.group_index import GroupShape
from musterroll_plugins.backends.ldap.groups import GroupOperations
from musterroll_plugins.backends.ldap.index import UserIndex, watched
from musterroll_plugins.backends.ldap.links import Links
from musterroll_plugins.backends.ldap.names import comparable
from musterroll_plugins.backends.ldap.numbers import Numbers
from musterroll_plugins.backends.ldap.options import LdapOptions
from musterroll_plugins.backends.ldap.ranges import all_values
from musterroll_plugins.backends.ldap.references import References
from musterroll_plugins.backends.ldap.requests import Found, Work
from musterroll_plugins.backends.ldap.resolver import Resolver
from musterroll_plugins.backends.ldap.survey import Survey
from musterroll_plugins.backends.ldap.users import UserOperations

T = TypeVar("T")

_AT_ONCE = 500
_PAGED = "1.2.840.113556.1.4.319"


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is made once the server has said what it is."""

    dialect: Dialect
    entries: UserEntries
    shape: GroupShape
    index: UserIndex
    references: References
    users: UserOperations
    groups: GroupOperations
    resolver: Resolver
    exchange: Exchange


class LdapBackend:
    """A directory. For one thread at a time.

    Args:
        options: checked.
        context: of the instance.

    Raises:
        PipelineError: the password cannot be read.
    """

    def __init__(self, options: LdapOptions, context: Context) -> None:
        self._options, self._context = options, context
        self._connection = Connection(options, context, options.retries)
        self._parts: _Parts | None = None
        self._learned = False

    # -- what it is -----------------------------------------------------------------------------------------

    def examine(self) -> str:
        """Asks the directory what it is and how many users it has, once.

        Raises:
            BackendError: it does not answer, does not let us in, or lacks something.
        """
        self._connection.close()
        self._connection, self._parts = Connection(self._options, self._context, 0), None
        users = self.count_users()
        return f"{self._ready().dialect.product} at {self._connection.server}, {users:,} users"

    def identity(self) -> str:
        """`ldap:` with the base, and the id of its entry, which all servers of a directory have in common."""

        def read() -> str:
            dialect = self._ready().dialect
            found = self._connection.read(self._options.base, [dialect.id_attribute])
            ref = None if found is None else dialect.ref_of(found.entry)
            return f"ldap:{comparable(self._options.base)}#{ref or self._options.servers[0]}"

        return self._reading("show its base", read)

    def capabilities(self) -> Capabilities:
        """What the server says that it can do, and what the options add to that.

        Raises:
            BackendError: there is no such directory, or it lacks something that the options name.
        """
        parts = self._ready()
        passwords = self._options.passwords and parts.dialect.sets_passwords
        return Capabilities(
            groups=self._options.groups is not None,
            nested_groups=parts.shape.nesting != "none",
            passwords=passwords,
            reset_passwords=passwords,
            deactivate=parts.dialect.deactivates,
            delete=True,
            stores_key=bool(self._options.key_attribute),
            unique_email=self._options.unique_email,
            matching=Matching.CASE,
            fields=parts.entries.fields,
        )

    # -- reading --------------------------------------------------------------------------------------------

    def count_users(self) -> int:
        """How many users there are, deactivated ones included."""
        return self._reading("read its users", self._ready().index.count)

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Finds users by any field.

        Names of all users are read once. What this instance writes is seen; whom others create meanwhile may not be.

        Raises:
            BackendError: the directory cannot answer.
        """
        return self._reading("read its users", lambda: self._lookup(keys)) if keys else {}

    def _lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        parts = self._ready()
        candidates = parts.index.candidates(keys)
        users = self._users(dict.fromkeys(ref for refs in candidates.values() for ref in refs))
        return {key: [users[ref] for ref in refs if ref in users] for key, refs in candidates.items()}

    def all_users(self) -> Iterator[Existing]:
        """Streams all users. Their ids are read first, and then each of them, many at once.

        Raises:
            BackendError: the directory cannot answer.
        """
        refs = self._reading("read its users", self._ready().index.refs)
        while batch := refs[:_AT_ONCE]:
            del refs[:_AT_ONCE]
            yield from self._reading("read its users", partial(self._users, batch)).values()

    def _users(self, refs: Iterable[str]) -> dict[str, Existing]:
        parts = self._ready()
        found = parts.index.read(refs)
        users = {ref: user for ref, one in found.items() if (user := parts.entries.read(one, self._groups_of(one)))}
        if not parts.entries.references:
            return users
        return {ref: replace(user, fields=parts.references.with_usernames(user.fields)) for ref, user in users.items()}

    def _groups_of(self, found: Found) -> frozenset[str]:
        """Returns the ids of the groups that a user is a direct member of."""
        if self._options.groups is None:
            return frozenset()
        parts = self._ready()
        groups = parts.groups.index
        if not parts.dialect.shows_groups:
            member = str(parts.entries.values(found.entry)[USERNAME]) if parts.shape.by_username else None
            return groups.of_member(member or comparable(found.dn))
        above = (value.decode("utf-8", "replace") for value in all_values(self._connection, found, "memberOf"))
        refs = [groups.by_dn(dn) for dn in above]
        refs += [groups.by_number(value) for value in found.entry.get("primarygroupid", ())]
        return frozenset(ref for ref in refs if ref is not None)

    def groups(self) -> Iterable[Group]:
        """Yields all groups.

        Raises:
            BackendError: the directory cannot answer.
        """
        if self._options.groups is None:
            return ()
        return self._reading("read its groups", lambda: list(self._ready().groups.index.listed()))

    def canonical(self, desired: Desired) -> Desired:
        """Returns a user as the directory will show it again."""
        return self._ready().entries.canonical(desired)

    def check(self, user: Desired, ref: str | None, password: Secret | None) -> Iterator[Objection]:
        """Says what the directory will not take of a user: lengths, characters, names that are taken, weak passwords.

        Raises:
            BackendError: the directory cannot answer.
        """
        yield from self._reading("say what it takes", lambda: list(self._objections(user, ref, password)))

    def _objections(self, user: Desired, ref: str | None, password: Secret | None) -> Iterator[Objection]:
        parts = self._ready()
        if not self._learned:
            parts.dialect.learn(self._connection, parts.entries.new_attributes())
            self._learned = True
        before: Mapping[str, str | None] = {}
        dn = None
        if ref is not None:
            for found in parts.index.read([ref]).values():
                before, dn = parts.references.with_usernames(parts.entries.values(found.entry)), found.dn
        changes = {**user.fields, USERNAME: user.username}
        after = {**before, **changes}
        changed = {name: text for name, text in changes.items() if (before.get(name) or None) != (text or None)}
        for name in parts.entries.references:  # they are looked up, and are no values that could be wrong
            changed.pop(name, None)
        made = {name: text for name, text in parts.entries.attribute_values(changed, after).items() if text}
        target = parts.entries.dn(after) if dn is None else ",".join(parts.entries.moved(dn, before, after))
        name = parts.entries.naming_attribute
        if dn is None or comparable(target) != comparable(dn):
            made.setdefault(name, parts.entries.naming_value(after))
        for objection in parts.dialect.objections(user, made, ref, password):
            yield Objection(parts.entries.field_of(objection.field), objection.message, objection.code)
        if parts.index.holder(comparable(target)) not in (None, ref) and not self._is_name_of(user, target):
            message = "There is another entry {dn} already; change what its name is made of, or see the option rdn"
            yield Objection(parts.entries.field_of(name), gettext(message, dn=target))
        for attribute, text in made.items():
            if parts.index.holder(watched(attribute, text)) not in (None, ref):
                message = "Another user has {attribute} {text} already; give another one"
                field = parts.entries.field_of(attribute)
                yield Objection(field, gettext(message, attribute=attribute, text=text), f"{field}.taken")

    def _is_name_of(self, user: Desired, target: str) -> bool:
        """Whether the entry that is in the way is a user of that very name: that is said by others."""
        holder = self._ready().index.holder(comparable(target))
        return bool(holder) and (self._ready().index.username(str(holder)) or "").lower() == user.username.lower()

    # -- writing --------------------------------------------------------------------------------------------

    def execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        """Performs operations, many at once; answers as they come.

        Raises:
            BackendUnavailableError: no server can be reached any more.
            BackendError: none lets us in, or nothing can be written.
        """
        if self._context.read_only:
            raise BackendError("the directory was opened for reading only")
        return self._execute(ops)

    def _execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        parts = self._ready()
        parts.groups.forget()
        parts.references.forget()
        try:
            yield from parts.exchange.run(ops, self._begin, writes=True)
        finally:
            parts.groups.forget()

    def _begin(self, op: Op) -> Work:
        parts = self._ready()
        match op:
            case CreateUser():
                return parts.users.create(op)
            case UpdateUser():
                return parts.users.update(op)
            case Deactivate() | Reactivate():
                return parts.users.set_active(op)
            case DeleteUser():
                return parts.users.delete(op)
            case CreateGroup():
                return parts.groups.create(op)
            case DeleteGroup():
                return parts.groups.delete(op)
            case AddMembers():
                return parts.groups.add(op)
            case RemoveMembers():
                return parts.groups.remove(op)
            case SendInvite():
                return _invited(op)

    def resolve(self, doubtful: Sequence[Op]) -> Iterator[Result]:
        """Says what became of operations: creations by our mark where there is one, else by username and looks.

        Raises:
            BackendError: the directory cannot answer.
        """
        if not doubtful:
            return
        parts = self._ready()
        parts.groups.forget()
        yield from parts.exchange.run(iter(doubtful), parts.resolver.outcome, writes=False)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    # -- getting ready --------------------------------------------------------------------------------------

    def _ready(self) -> _Parts:
        if self._parts is None:
            self._parts = self._reading("say what it is", self._made)
        return self._parts

    def _made(self) -> _Parts:
        options, connection = self._options, self._connection
        facts = ServerFacts.ask(connection)
        connection.pages = facts.has("supportedControl", _PAGED)
        windows = options.kind == "active-directory" or (
            options.kind == "auto" and facts.has("supportedCapabilities", CAPABILITY)
        )
        dialect = ActiveDirectory(options, facts) if windows else Dialect(options, facts)
        dialect.insist()
        truths, people = map(self._context.fields.of_type, (FieldType.BOOLEAN, FieldType.USER))
        if people:
            dialect.read_schema(connection)
        entries, shape = UserEntries(options, dialect, truths, people), GroupShape(options, dialect)
        if self._context.read_only:  # who writes comes after who has looked
            Survey(connection, options, dialect, entries, shape).look()
        match = [name for name in (*self._context.match, "email") if name in {USERNAME, *entries.fields}]
        links, numbers = Links(options, dialect, shape), Numbers(connection, options.base)
        index = UserIndex(connection, options, dialect, entries, match)
        references = References(options, dialect, entries, index)
        users = UserOperations(options, dialect, entries, index, links, numbers, references)
        groups = GroupOperations(connection, options, dialect, shape, users, entries, links, numbers)
        resolver = Resolver(options, dialect, entries, users, groups)
        exchange = Exchange(connection, self._context, options.in_flight, dialect.explain)
        return _Parts(dialect, entries, shape, index, references, users, groups, resolver, exchange)

    def _reading(self, doing: str, read: Callable[[], T]) -> T:
        """Reads something; once more where the line is lost meanwhile, as servers hang up on who is silent.

        Raises:
            BackendUnavailableError: no server can be reached.
            BackendError: the directory cannot answer.
        """
        for last in (False, True):
            try:
                return read()
            except LOST as error:
                self._connection.lose()
                if last:
                    raise BackendUnavailableError(f"the directory cannot {doing}: it does not answer") from error
            except ldap.LDAPError as error:
                raise cannot(doing, error) from None
        raise AssertionError("not reached")


def _invited(op: Op) -> Work:
    """Answers what a directory cannot do."""
    yield from ()
    return Result(op.id, Status.FAILED, detail="a directory cannot send invites; name a notifier in the pipeline")
