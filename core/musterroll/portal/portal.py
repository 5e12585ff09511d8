"""The user backend as the engine calls it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, replace
from functools import cached_property, partial
from types import NoneType

from musterroll.contract.batch import Batch
from musterroll.contract.fields import USERNAME
from musterroll.contract.frozen import FrozenDict
from musterroll.contract.operations import CreateGroup, CreateUser, Op, Result, Status, doing
from musterroll.contract.roles import ChecksUsers, ComparesUsers, ListsUsers, TellsState, UserBackend
from musterroll.contract.secret import Secret
from musterroll.contract.text import fold
from musterroll.contract.users import Capabilities, Desired, Existing, Group, Matching, Objection, UserKey, Wanted
from musterroll.errors import PluginError
from musterroll.registry.guards.guard import ClosingGuard, a, is_text, iterator, status_of
from musterroll.registry.guards.open_calls import Waiting
from musterroll.registry.guards.rules import places_of, proof_of
from musterroll.registry.masks import masked
from musterroll.registry.plugin_errors import AnswerError
from musterroll.registry.watch import Watch

_FLAGS = [field.name for field in fields(Capabilities) if field.type == "bool"]
_IS_SO = (Status.DONE, Status.NOOP)
_REF_OR_NONE = frozenset({str, NoneType})
_TEXT_OR_NONE = (str, NoneType)
_MOST_AT_ONCE = 10_000
_REPEATS = 10_000  # groups and users may come twice, where others change them meanwhile; not for ever


class Portal(ClosingGuard):
    """A user backend whose every call is named and watched, and whose answers are looked at. Closes itself in a `with`.

    Args:
        inner: the backend.
        label: the instance as the person knows it.
        watch: told of every call.
    """

    inner: UserBackend

    def __init__(self, inner: UserBackend, label: str, watch: Watch) -> None:
        super().__init__(inner, label, watch)
        self._identity: str | None = None
        self._capabilities: Capabilities | None = None

    def identity(self) -> str:
        """See `UserBackend`; asked once."""
        if self._identity is None:
            self._identity = self.call("saying which portal it is", self.inner.identity, _identity)
        return self._identity

    def capabilities(self) -> Capabilities:
        """See `UserBackend`; asked once."""
        if self._capabilities is None:
            self._capabilities = self.call("saying what it can do", self.inner.capabilities, _capabilities)
        return self._capabilities

    def count_users(self) -> int | None:
        """See `UserBackend`."""
        return self.call("counting its users", self.inner.count_users, _count)

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """See `UserBackend`. Every answer is compared with its key again.

        A portal that ignores its filter, or matches more than we asked for, must never get the wrong user changed.
        """
        wanted = tuple(keys)
        if not wanted:
            return {}
        return self.call("looking users up", self.inner.lookup, partial(_found, wanted), wanted)

    @cached_property
    def compares_users(self) -> bool:
        """Whether it can say of many users at once that they are as they are wanted."""
        return isinstance(self.inner, ComparesUsers)

    def as_wanted(self, fields: Sequence[str], users: Sequence[Wanted]) -> Sequence[str | None]:
        """See `ComparesUsers`. A wrong answer leaves a user as it is; nobody else is ever changed by it."""
        assert isinstance(self.inner, ComparesUsers)
        look = partial(_as_wanted, len(users))
        return self.call("comparing users", self.inner.as_wanted, look, tuple(fields), tuple(users))

    def state_of_users(self) -> str | None:
        """See `TellsState`; None from a portal that cannot tell."""
        if not isinstance(self.inner, TellsState):
            return None
        return self.call("saying in which state it is", self.inner.state_of_users, _state)

    @cached_property
    def lists_users(self) -> bool:
        """Whether it can show all its users."""
        return isinstance(self.inner, ListsUsers)

    def all_users(self) -> Iterator[Existing]:
        """See `ListsUsers`; each user once."""
        assert isinstance(self.inner, ListsUsers)
        stage, unit = "listing its users", ("user", "users")
        seen, repeats = set[int](), 0  # a user is known by a hash of the ref: a million of them take little room
        for user in self.stream(stage, self.inner.all_users, _listed, name="all_users", unit=unit):
            if (ref := hash(user.ref)) not in seen:
                seen.add(ref)
                yield user
                continue
            repeats += 1
            if repeats > max(_REPEATS, len(seen)):
                cause = f"it shows the same users again and again, e.g. {user.username}"
                raise PluginError(plugin=self.label, stage=stage, cause=cause)

    def groups(self) -> Iterator[Group]:
        """See `UserBackend`."""
        refs, repeats = set[str](), 0
        for group in self.stream(
            "reading its groups", self.inner.groups, _group, name="groups", unit=("group", "groups")
        ):
            repeats += group.ref in refs
            refs.add(group.ref)
            if repeats > max(_REPEATS, len(refs)):
                cause = f"it shows the same groups again and again, e.g. {'|'.join(group.path)}"
                raise PluginError(plugin=self.label, stage="reading its groups", cause=cause)
            yield group

    def canonical(self, desired: Desired) -> Desired:
        """See `UserBackend`."""
        if type(desired.fields) is not FrozenDict:
            desired = replace(desired, fields=FrozenDict(desired.fields))
        look = partial(_desired, needs_name=bool(desired.username))
        return self.call("saying how it stores a user", self.inner.canonical, look, desired)

    @cached_property
    def checks_users(self) -> bool:
        """Whether it says before the first write whom it will not take."""
        return self._check is not None

    @cached_property
    def _check(self) -> Callable[[Desired, str | None, Secret | None], Iterable[Objection]] | None:
        return self.inner.check if isinstance(self.inner, ChecksUsers) else None

    def check(self, user: Desired, ref: str | None, password: Secret | None) -> list[Objection]:
        """See `ChecksUsers`; the password is taken out of what it says."""
        assert self._check is not None
        secrets = () if password is None else (password.reveal(),)
        return self.call("checking a user", self._check, partial(_objections, secrets), user, ref, password)

    @cached_property
    def proves_users(self) -> bool:
        """Whether it knows many new users at once of whom nothing is to be said."""
        return self._proof is not None

    @cached_property
    def _proof(self) -> Callable[[Batch], Iterable[int]] | None:
        """None as well where it was written for another `check` or `canonical` than the backend has."""
        proofs = [proof_of(self.inner, "suspects", truth) for truth in ("check", "canonical")]
        return proofs[0] if all(proofs) else None

    def suspects(self, batch: Batch) -> Collection[int]:
        """See `ProvesUsers`. The batch must be without secrets."""
        assert self._proof is not None
        return self.call("checking users", self._proof, lambda answer: places_of(answer, len(batch)), batch)

    def execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        """See `UserBackend`."""
        return self._results("execute", "writing", "done", self.inner.execute, ops)

    def resolve(self, doubtful: Sequence[Op]) -> Iterator[Result]:
        """See `UserBackend`."""

        def resolve(handed: Iterator[Op]) -> Iterator[Result]:
            return self.inner.resolve(tuple(handed))

        return self._results("resolve", "asking what became of operations", "looked into", resolve, iter(doubtful))

    def _results(
        self, name: str, stage: str, done: str, method: Callable[[Iterator[Op]], Iterator[Result]], ops: Iterator[Op]
    ) -> Iterator[Result]:
        waiting = Waiting(ops, doing, self.watch)
        unit = (f"operation {done}", f"operations {done}")
        return self.stream(stage, method, partial(_result, waiting, name), iter(waiting), name=name, unit=unit)


def _identity(answer: object) -> str:
    if not is_text(answer):
        raise AnswerError(f"identity() must return a text that names the portal, not {_a_text(answer)}")
    assert isinstance(answer, str)
    if not answer.isprintable():
        raise AnswerError("identity() must return one line of text that can be printed")
    return answer


def _state(answer: object) -> str | None:
    if answer is not None and not is_text(answer):
        raise AnswerError(f"state_of_users() must return a text that names the state, or None, not {_a_text(answer)}")
    assert answer is None or isinstance(answer, str)
    return answer


def _capabilities(answer: object) -> Capabilities:
    if not isinstance(answer, Capabilities):
        raise AnswerError(f"capabilities() must return Capabilities(…), not {a(answer)}")
    for name in _FLAGS:
        if not isinstance(getattr(answer, name), bool):
            raise AnswerError(f"capabilities().{name} must be True or False, not {a(getattr(answer, name))}")
    if not isinstance(answer.matching, Matching):
        known = ", ".join(f"Matching.{one.name}" for one in Matching)
        raise AnswerError(f"capabilities().matching must be one of {known}, not {answer.matching!r}")
    chunk: object = answer.chunk
    if type(chunk) is not int or not 0 < chunk <= _MOST_AT_ONCE:
        raise AnswerError(f"capabilities().chunk must be a number from 1 to {_MOST_AT_ONCE:,}, not {chunk!r:.20}")
    names: object = answer.fields
    if names is not None and not (isinstance(names, Set) and all(map(is_text, names))):
        raise AnswerError(f"capabilities().fields must be a set of the fields' names, or None, not {a(names)}")
    return answer


def _count(answer: object) -> int | None:
    if answer is not None and (not isinstance(answer, int) or isinstance(answer, bool) or answer < 0):
        what = str(answer) if isinstance(answer, int) else a(answer)
        raise AnswerError(f"count_users() must return how many users there are, or None, not {what}")
    return answer


def _found(keys: Sequence[UserKey], answer: object) -> dict[UserKey, tuple[Existing, ...]]:
    """Returns the users whom keys mean; each is compared again with the key that it is said to fit."""
    if not isinstance(answer, Mapping):
        raise AnswerError(f"lookup() must return a mapping of keys to users, not {a(answer)}")
    return {key: users for key in keys if (users := _users(key, answer.get(key)))} if answer else {}


def _as_wanted(number: int, answer: object) -> Sequence[str | None]:
    if not isinstance(answer, list | tuple) or len(answer) != number or not _REF_OR_NONE.issuperset(map(type, answer)):
        raise AnswerError(f"as_wanted() must return a ref or None for each of the users, not {a(answer)}")
    return answer


def _users(key: UserKey, found: object) -> tuple[Existing, ...]:
    if found is None:
        return ()
    if isinstance(found, str | bytes | Mapping) or not isinstance(found, Iterable):
        raise AnswerError(f'lookup() must return the users (Existing) of each key, not {a(found)}, as for "{key.raw}"')
    users: dict[str, Existing] = {}
    for user in map(partial(_user, f'lookup() must return users (Existing), not {{}}, as for "{key.raw}"'), found):
        stored = user.username if key.field == USERNAME else user.fields.get(key.field)
        if stored is not None and fold(stored) == key.folded:
            users[user.ref] = user
    return tuple(users.values())


def _listed(user: object) -> Existing:
    return _user("all_users() must yield users (Existing), not {}", user)


def _user(must: str, user: object) -> Existing:
    if not isinstance(user, Existing):
        raise AnswerError(must.replace("{}", a(user), 1))
    if not is_text(user.ref):
        raise AnswerError(f'the ref of the user "{user.username}" must be a text, not {_a_text(user.ref)}')
    if not is_text(user.username):
        raise AnswerError(
            f'the username of the user of the ref "{user.ref}" must be a text, not {_a_text(user.username)}'
        )
    who = f'the user "{user.username}"'
    _look_at_fields(user.fields, who)
    groups: object = user.groups
    if not isinstance(groups, Set) or not all(map(is_text, groups)):
        raise AnswerError(f"the groups of {who} must be a set of refs, which are texts")
    if not isinstance(user.active, bool):
        raise AnswerError(f"whether {who} is active must be True or False, not {a(user.active)}")
    if user.key is not None and not isinstance(user.key, str):
        raise AnswerError(f"the key of {who} must be a text or None, not {a(user.key)}")
    return user


def _look_at_fields(values: object, who: str) -> None:
    if not isinstance(values, Mapping):
        raise AnswerError(f"the fields of {who} must be a mapping of names to texts, not {a(values)}")
    for name, value in values.items():
        if not isinstance(name, str) or (value is not None and not isinstance(value, str)):
            raise AnswerError(f'the field "{name}" of {who} must be a text or None, not {a(value)}')


def _group(group: object) -> Group:
    if not isinstance(group, Group):
        raise AnswerError(f"groups() must yield groups (Group), not {a(group)}")
    path: object = group.path
    if not isinstance(path, tuple) or not path or not all(map(is_text, path)):
        raise AnswerError(f"the path of a group must be a tuple of the names of its levels, not {path!r:.80}")
    if not is_text(group.ref):
        raise AnswerError(f"the ref of the group {'|'.join(path)} must be a text, not {_a_text(group.ref)}")
    if group.key is not None and not isinstance(group.key, str):
        raise AnswerError(f"the key of the group {'|'.join(path)} must be a text or None, not {a(group.key)}")
    return group


def _desired(answer: object, *, needs_name: bool) -> Desired:
    if not isinstance(answer, Desired):
        raise AnswerError(f"canonical() must return the user (Desired) as it would be stored, not {a(answer)}")
    name: object = answer.username
    if not is_text(name) and (needs_name or not isinstance(name, str)):
        raise AnswerError(f"canonical() must keep the username a text, not {_a_text(name)}")
    _look_at_fields(answer.fields, f'the user "{answer.username}" that canonical() returns')
    return answer


def _objections(secrets: Sequence[str], answer: object) -> list[Objection]:
    found: list[Objection] = []
    for objection in iterator(answer, "check"):
        if not isinstance(objection, Objection) or not all(
            map(is_text, (objection.field, objection.message, objection.code))
        ):
            raise AnswerError(f"check() must yield objections (Objection) with field and message, not {a(objection)}")
        found.append(replace(objection, message=masked(objection.message, secrets)))
    return found


def _result(waiting: Waiting[Op], name: str, answer: object) -> Result:
    """Returns the answer to one of the operations that wait for theirs; `name` is the method's."""
    if not isinstance(answer, Result):
        raise AnswerError(f"{name}() must yield results (Result), not {a(answer)}")
    result, op = answer, waiting.answered(answer.op)
    if type(result.status) is not Status:
        result = replace(result, status=status_of(Status, result.status, doing(op)))
    ref: object = result.ref
    detail: object = result.detail
    if not (isinstance(ref, _TEXT_OR_NONE) and isinstance(detail, _TEXT_OR_NONE)):
        part, value = ("detail", detail) if isinstance(ref, _TEXT_OR_NONE) else ("ref", ref)
        raise AnswerError(f"the {part} of the result of {doing(op)} must be a text or None, not {a(value)}")
    refused: object = result.refused
    if refused != {} and not _are_reasons(refused):
        what = "a mapping of members' refs, or of fields, to reasons"
        raise AnswerError(f"refused, in the result of {doing(op)}, must be {what}")
    if not result.ref and result.status in _IS_SO and isinstance(op, CreateUser | CreateGroup):
        raise AnswerError(f"it says that {doing(op)} is {result.status}, but not its id (ref)")
    return result


def _are_reasons(refused: object) -> bool:
    return isinstance(refused, Mapping) and all(isinstance(x, str) for pair in refused.items() for x in pair)


def _a_text(value: object) -> str:
    return "an empty one" if isinstance(value, str) else a(value)
