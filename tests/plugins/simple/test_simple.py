"""What is derived from how one user and one group are read and written."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from musterroll import (
    AddMembers,
    BackendError,
    BackendUnavailableError,
    Busy,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Desired,
    Existing,
    Gone,
    Group,
    GroupRef,
    Matching,
    NoAnswer,
    Op,
    Options,
    Refused,
    RemoveMembers,
    Result,
    Secret,
    SendInvite,
    SimpleBackend,
    Status,
    Taken,
    UpdateUser,
    UserKey,
    UserRef,
    fold,
)
from musterroll.testing import make_context
from musterroll_simple import AsyncPages, Pages, with_parents


class Least(SimpleBackend):
    """The least that a portal can have: users can be read and created. Faults are given one after the other."""

    retry_wait = 0.01
    tries = 4

    def __init__(self, cancelled: threading.Event | None = None) -> None:
        context = make_context(read_only=False)
        super().__init__(Options(), context if cancelled is None else replace(context, cancelled=cancelled))
        self.stored: dict[str, Existing] = {}
        self.faults: list[Exception | None] = []
        self.late: list[Exception | None] = []
        self.called: list[str] = []

    def step(self, name: str) -> None:
        self.called.append(name)
        if self.faults and (fault := self.faults.pop(0)) is not None:
            raise fault

    def answer(self) -> None:
        """What goes wrong when it is done."""
        if self.late and (fault := self.late.pop(0)) is not None:
            raise fault

    def identity(self) -> str:
        return "least"

    def users(self) -> Iterable[Existing]:
        self.called.append("users")
        return list(self.stored.values())

    def create_user(self, user: Desired, password: Secret | None, key: str) -> str | None:
        self.step("create_user")
        if any(fold(one.username) == fold(user.username) for one in self.stored.values()):
            raise Taken("there is one")
        ref = f"u{len(self.stored)}"
        self.stored[ref] = Existing(ref=ref, username=user.username, fields=user.fields, key=key)
        self.answer()
        return ref


class Flat(Least):
    """Groups by names, which are refs as well; a group tells its members."""

    def __init__(self, cancelled: threading.Event | None = None) -> None:
        super().__init__(cancelled)
        self.teams: dict[str, set[str]] = {}

    def get_user(self, ref: str) -> Existing | None:
        self.called.append("get_user")
        return self.stored.get(ref)

    def update_user(self, ref: str, changes: Mapping[str, str | None]) -> None:
        self.step("update_user")
        if ref not in self.stored:
            raise Gone
        self.stored[ref] = replace(self.stored[ref], fields={**self.stored[ref].fields, **changes})

    def list_groups(self) -> Iterator[Group]:
        self.called.append("list_groups")
        for name in list(self.teams):
            yield Group(ref=name, path=(name,))

    def list_members(self, group: str) -> Iterable[str]:
        self.called.append("list_members")
        return self._team(group)

    def create_group(self, name: str, parent: str | None, key: str) -> None:
        self.step("create_group")
        if name in self.teams:
            raise Taken
        self.teams[name] = set()
        self.answer()

    def add_member(self, group: str, user: str) -> None:
        self.step("add_member")
        if user not in self.stored:
            raise Gone
        self._team(group).add(user)

    def remove_member(self, group: str, user: str) -> None:
        self._team(group).discard(user)

    def delete_user(self, ref: str) -> None:
        if self.stored.pop(ref, None) is None:
            raise Gone

    def delete_group(self, ref: str) -> None:
        del self.teams[ref]

    def invite(self, ref: str) -> None:
        self.step("invite")

    def _team(self, name: str) -> set[str]:
        if name not in self.teams:
            raise Gone
        return self.teams[name]


@pytest.fixture
def opened() -> Iterator[Callable[[Any], Any]]:
    """Closes at the end what it is given."""
    backends: list[SimpleBackend] = []

    def opened(backend: SimpleBackend) -> SimpleBackend:
        backends.append(backend)
        return backend

    yield opened
    for backend in backends:
        backend.close()


@pytest.fixture
def least(opened: Callable[[Any], Any]) -> Least:
    made: Least = opened(Least())
    return made


@pytest.fixture
def flat(opened: Callable[[Any], Any]) -> Flat:
    made: Flat = opened(Flat())
    return made


def creation(name: str, **fields: str | None) -> CreateUser:
    return CreateUser(id=f"op-{name}", user=Desired(username=name, fields={"surname": "Silva", **fields}))


def perform(backend: SimpleBackend, op: Op) -> Result:
    (result,) = backend.execute(iter([op]))
    return result


ANA = UserRef("u0", "ana")


# -- capabilities -----------------------------------------------------------------------------------------------


def test_what_is_not_written_is_what_the_portal_cannot_do(least: Least, flat: Flat) -> None:
    can = least.capabilities()
    parts = (can.groups, can.nested_groups, can.deactivate, can.delete, can.invite, can.reset_passwords, can.rename)
    assert not any(parts)
    can = flat.capabilities()
    assert (can.groups, can.nested_groups, can.deactivate, can.delete, can.invite) == (True, False, False, True, True)
    flat.group_separator = "|"
    assert flat.capabilities().nested_groups


@pytest.mark.parametrize(
    "op",
    [
        Deactivate(id="1", user=ANA),
        UpdateUser(id="1", user=ANA, changes={"surname": "X"}),
        UpdateUser(id="1", user=ANA, changes={}, password=Secret("Sesame-1")),
        DeleteUser(id="1", user=ANA),
        CreateGroup(id="1", path=("A",), parent=None),
        AddMembers(id="1", group=GroupRef("g", ("A",)), members=(ANA,)),
        SendInvite(id="1", user=ANA),
    ],
    ids=lambda op: type(op).__name__,
)
def test_what_it_cannot_do_fails_in_words(least: Least, op: Op) -> None:
    result = perform(least, op)
    assert result.status is Status.FAILED
    assert "cannot" in (result.detail or "")


def test_a_class_that_forgets_super_is_told(opened: Callable[[Any], Any]) -> None:
    class Forgets(Least):
        def __init__(self) -> None:
            pass

    with pytest.raises(TypeError, match=r"Forgets.__init__ must call super\(\).__init__\(options, context\)"):
        Forgets().count_users()


# -- busy, and no answer ----------------------------------------------------------------------------------------


def test_a_busy_portal_is_tried_again(least: Least) -> None:
    least.faults = [Busy(), Busy(0.01)]
    assert perform(least, creation("ana")).status is Status.DONE
    assert least.called.count("create_user") == 3


def test_what_was_busy_is_looked_for_before_it_is_tried_again(least: Least) -> None:
    least.late = [Busy()]  # it was done
    result = perform(least, creation("ana"))
    assert (result.status, result.ref, len(least.stored)) == (Status.DONE, "u0", 1)
    assert least.called == ["create_user", "users"]


def test_so_is_a_group(flat: Flat) -> None:
    flat.late = [Busy()]
    result = perform(flat, CreateGroup(id="1", path=("Sales",), parent=None))
    assert (result.status, result.ref) == (Status.DONE, "Sales")
    assert flat.called.count("create_group") == 1


def test_somebody_else_of_that_name_is_a_conflict_all_the_same(least: Least) -> None:
    least.faults = [Busy()]
    least.stored["u9"] = Existing(ref="u9", username="ANA", fields={"surname": "Berg"})
    result = perform(least, creation("ana"))
    assert (result.status, result.ref) == (Status.CONFLICT, "u9")


def test_who_was_there_before_is_not_ours_however_alike(least: Least) -> None:
    least.stored["u9"] = Existing(ref="u9", username="ana", fields={"surname": "Silva"})
    op = creation("ana")
    assert perform(least, op).status is Status.CONFLICT
    assert [result.status for result in least.resolve([op])] == [Status.CONFLICT]


def test_no_answer_is_settled_by_looking(least: Least) -> None:
    least.late = [NoAnswer("the line broke")]
    ana, bo = creation("ana"), creation("bo")
    result = perform(least, ana)
    assert (result.status, result.detail) == (Status.UNKNOWN, "the line broke")
    assert [(one.status, one.ref) for one in least.resolve([ana, bo])] == [(Status.DONE, "u0"), (Status.NOT_DONE, None)]


def test_what_the_portal_does_after_it_was_looked_for_is_ours_all_the_same(least: Least) -> None:
    """It went out, whoever sent it died, the next one looks too early, and then it is there."""
    op = creation("ana")
    assert [result.status for result in least.resolve([op])] == [Status.NOT_DONE]
    least.stored["u9"] = Existing(ref="u9", username="ana", fields={"surname": "Silva"})
    result = perform(least, op)
    assert (result.status, result.ref) == (Status.DONE, "u9")
    bo = creation("bo")
    least.stored["u10"] = Existing(ref="u10", username="bo", fields={"surname": "Somebody else"})
    assert [result.status for result in least.resolve([bo])] == [Status.CONFLICT]
    assert perform(least, bo).status is Status.CONFLICT


def test_users_are_looked_for_by_the_name_that_the_portal_gives_them(opened: Callable[[Any], Any]) -> None:
    class Lower(Least):
        def canonical(self, desired: Desired) -> Desired:
            return replace(desired, username=desired.username.lower())

        def find_user(self, field: str, value: str) -> list[Existing]:
            return [user for user in self.stored.values() if user.username == value]

    lower = opened(Lower())
    lower.late = [Busy()]
    op = creation("ANA")
    assert perform(lower, op).ref == "u0"
    assert lower.stored["u0"].username == "ana"
    assert [result.ref for result in lower.resolve([op])] == ["u0"]


def test_errors_of_the_network_are_no_answer_and_their_text_is_not_shown(least: Least) -> None:
    least.faults = [ConnectionResetError("https://portal.example/users?secret=Sesame")]
    result = perform(least, creation("ana"))
    assert (result.status, result.detail) == (Status.UNKNOWN, "the portal did not answer (ConnectionResetError)")


@pytest.mark.parametrize("mistake", [KeyError("name"), FileNotFoundError("users.json"), StopIteration()])
def test_a_mistake_in_the_plugin_is_none_of_the_portals_faults(least: Least, mistake: Exception) -> None:
    least.faults = [mistake]
    with pytest.raises((KeyError, FileNotFoundError, RuntimeError)):
        perform(least, creation("ana"))


def test_a_portal_that_stays_busy_pauses_the_job(least: Least) -> None:
    least.faults = [Busy(text="we are closed")] * 99
    results = least.execute(iter([creation("ana"), creation("bo")]))
    assert next(results).status is Status.UNKNOWN
    with pytest.raises(BackendUnavailableError, match="we are closed"):
        next(results)
    assert least.called.count("create_user") == least.tries
    least.faults.clear()
    assert perform(least, creation("ana")).status is Status.DONE  # a job that goes on tries anew


def test_one_operation_after_another_that_comes_to_nothing_pauses_the_job(least: Least) -> None:
    least.faults = [NoAnswer()] * 99
    with pytest.raises(BackendUnavailableError, match="one operation after another"):
        list(least.execute(iter([creation(f"user{number}") for number in range(99)])))
    assert least.called.count("create_user") == 20


def test_a_portal_that_wants_an_hour_gets_it(least: Least) -> None:
    least.faults = [Busy(3600)]
    started = time.monotonic()
    with pytest.raises(BackendUnavailableError, match="left alone until"):
        list(least.execute(iter([creation("ana")])))
    assert time.monotonic() - started < 5


def test_whoever_interrupts_does_not_wait_for_a_busy_portal(opened: Callable[[Any], Any]) -> None:
    cancelled = threading.Event()
    least = opened(Least(cancelled))
    least.faults = [Busy(200)]
    threading.Timer(0.3, cancelled.set).start()
    started = time.monotonic()
    assert perform(least, creation("ana")).status is Status.UNKNOWN
    assert time.monotonic() - started < 5


def test_an_invite_is_never_tried_twice(flat: Flat) -> None:
    flat.faults = [Busy()]
    assert perform(flat, SendInvite(id="1", user=ANA)).status is Status.UNKNOWN
    assert flat.called == ["invite"]


def test_reading_is_tried_again_whatever_happened(opened: Callable[[Any], Any]) -> None:
    class Reluctant(Least):
        def users(self) -> Iterator[Existing]:
            yield from self.stored.values()
            self.step("users")  # in the middle

    portal = opened(Reluctant())
    portal.stored["u0"] = Existing(ref="u0", username="ana", fields={})
    portal.faults = [Busy(), NoAnswer(), TimeoutError()]
    assert portal.count_users() == 1
    portal.faults = [Refused("you may not see them")]
    portal.stored["u1"] = Existing(ref="u1", username="bo", fields={})
    with pytest.raises(BackendError, match="you may not see them"):
        opened(_also(portal)).count_users()


class Paged(Least):
    """Shows three users a page, and fails in turn."""

    asynchronous = False

    def users(self) -> Any:
        return AsyncPages(self._later, _user) if self.asynchronous else Pages(self._page, _user)

    def _page(self, first: int) -> tuple[Iterable[int], int | None]:
        self.step(f"page {first}")
        return list(range(first, first + 3)), first + 3 if first < 1200 else None

    async def _later(self, first: int) -> tuple[Iterable[int], int | None]:
        return self._page(first)


class Detailed(Paged):
    """Asks for each user of a page."""

    def users(self) -> Any:
        return AsyncPages(self._later, self._detail) if self.asynchronous else Pages(self._page, self._detail)

    def _detail(self, number: int) -> Existing:
        self.step(f"user {number}")
        return _user(number)

    def _page(self, first: int) -> tuple[Iterator[int], int | None]:
        return iter(range(first, first + 3)), first + 3 if first < 6 else None


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_user_that_is_busy_is_not_left_out(opened: Callable[[Any], Any], asynchronous: bool) -> None:
    portal = opened(Detailed())
    portal.asynchronous = asynchronous
    portal.faults = [None, None, None, None, Busy(), None, NoAnswer()]
    assert portal.count_users() == 9


def _user(number: int) -> Existing:
    return Existing(ref=f"u{number}", username=f"user{number}", fields={})


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_page_that_is_busy_is_asked_for_again_and_it_alone(opened: Callable[[Any], Any], asynchronous: bool) -> None:
    portal = opened(Paged())
    portal.asynchronous = asynchronous
    portal.faults = [None, Busy(), None, NoAnswer(), TimeoutError(), *[None] * 300, Busy(0.01), Busy()]
    assert portal.count_users() == 1203
    asked = Counter(portal.called)
    assert {page for page, times in asked.items() if times > 1} == {"page 3", "page 6", "page 906"}
    assert len(portal.called) == 401 + 5


def test_a_page_that_stays_busy_ends_the_list(opened: Callable[[Any], Any]) -> None:
    portal = opened(Paged())
    portal.faults = [None, *[Busy(text="we are closed")] * 99]
    with pytest.raises(BackendError, match="we are closed"):
        portal.count_users()
    assert Counter(portal.called) == {"page 0": 1, "page 3": 4}
    portal = opened(Paged())
    portal.faults = [None, Refused("you may not see them")]
    with pytest.raises(BackendError, match="you may not see them"):
        portal.count_users()
    assert portal.called == ["page 0", "page 3"]


def _also(portal: Least) -> SimpleBackend:
    again = type(portal)()
    again.stored, again.faults = portal.stored, portal.faults
    return again


# -- look-ups ---------------------------------------------------------------------------------------------------


def test_users_are_read_once_for_a_plan(least: Least) -> None:
    assert least.count_users() == least.count_users() == 0
    assert least.called == ["users"]  # even where there is nobody
    perform(least, creation("ana"))
    least.called.clear()
    least.stored = {f"u{n}": Existing(ref=f"u{n}", username=f"User{n}", fields={"badge": str(n)}) for n in range(1200)}
    for start in range(0, 1200, 400):
        keys = [UserKey.of("username", f"USER{n}") for n in range(start, start + 400)]
        assert len(least.lookup(keys)) == 400
    badge = UserKey.of("badge", "700")
    assert [user.ref for user in least.lookup([badge])[badge]] == ["u700"]
    assert least.called == ["users"]
    assert least.count_users() == 1200


def test_the_index_stays_fresh(least: Least) -> None:
    perform(least, creation("bo"))
    key = UserKey.of("username", "ana")
    assert not least.lookup([key])
    perform(least, creation("ana"))
    assert [user.ref for user in least.lookup([key])[key]] == ["u1"]


def test_search_is_trusted_where_the_portal_compares_names_as_we_do(opened: Callable[[Any], Any]) -> None:
    class Searches(Least):
        matching = Matching.FOLDED

        def find_user(self, field: str, value: str) -> Existing | None:
            self.called.append(f"find {field} {value}")
            return next((user for user in self.stored.values() if fold(user.username) == fold(value)), None)

    portal = opened(Searches())
    portal.stored["u0"] = Existing(ref="u0", username="Straße", fields={"badge": "7"})
    key = UserKey.of("username", "STRASSE")
    assert [user.ref for user in portal.lookup([key])[key]] == ["u0"]
    assert portal.called == ["find username STRASSE"]
    assert portal.count_users() is None
    badge = UserKey.of("badge", "7")  # by what it cannot search all are read
    assert portal.lookup([badge])[badge]
    assert portal.called[1:] == ["users"]
    portal.called.clear()
    weaker = opened(_also(portal))
    weaker.matching = Matching.EXACT
    assert weaker.lookup([key])[key]
    assert weaker.called == ["users"]


def test_a_portal_that_tells_no_id_is_asked_for_it(opened: Callable[[Any], Any]) -> None:
    class Silent(Least):
        def create_user(self, user: Desired, password: Secret | None, key: str) -> None:
            super().create_user(user, password, key)

    result = perform(opened(Silent()), creation("ana"))
    assert (result.status, result.ref) == (Status.DONE, "u0")


def test_nothing_is_changed_while_a_list_is_read(opened: Callable[[Any], Any]) -> None:
    """What is created or deleted meanwhile shifts the pages, and somebody is missed."""

    class Pages(Least):
        concurrency = 4

        def __init__(self) -> None:
            super().__init__()
            self.reading = self.writing = self.both = 0

        def users(self) -> Iterator[Existing]:
            self.reading += 1
            for user in list(self.stored.values()):
                time.sleep(0.005)
                self.both += self.writing
                yield user
            self.reading -= 1

        def create_user(self, user: Desired, password: Secret | None, key: str) -> str | None:
            self.writing += 1
            self.both += self.reading
            time.sleep(0.01)
            try:
                return super().create_user(user, password, key)
            finally:
                self.writing -= 1

    portal = opened(Pages())
    portal.late = [None, Busy(), None, Busy(), None, None, Busy()]
    assert {one.status for one in portal.execute(creation(f"user{n}") for n in range(12))} == {Status.DONE}
    assert portal.both == 0


# -- groups -----------------------------------------------------------------------------------------------------


def test_members_that_groups_tell(flat: Flat) -> None:
    perform(flat, creation("ana"))
    flat.teams = {"Sales": {"u0"}, "Staff": {"u0", "elsewhere"}}
    key = UserKey.of("username", "ana")
    (ana,) = flat.lookup([key])[key]
    assert ana.groups == {"Sales", "Staff"}
    group = GroupRef("Sales", ("Sales",))
    assert perform(flat, DeleteGroup(id="1", group=group)).detail == "the group still has members"
    add = AddMembers(id="2", group=group, members=(ANA,))
    assert [result.status for result in flat.resolve([add])] == [Status.DONE]
    remove = RemoveMembers(id="3", group=group, members=(ANA,))
    assert [result.status for result in flat.resolve([remove])] == [Status.NOT_DONE]


def test_levels_in_the_name_of_a_group(flat: Flat) -> None:
    flat.group_separator = "/"
    outer = perform(flat, CreateGroup(id="1", path=("R/D",), parent=None))
    inner = CreateGroup(id="2", path=("R/D", "North"), parent=GroupRef(outer.ref or "", ("R/D",)))
    assert perform(flat, inner).status is Status.DONE
    assert list(flat.teams) == [r"R\/D", r"R\/D/North"]
    assert [group.path for group in flat.groups()] == [("R/D",), ("R/D", "North")]
    assert perform(flat, DeleteGroup(id="3", group=GroupRef(r"R\/D", ("R/D",)))).detail == (
        "the group still has subgroups"
    )


def test_one_group_asked_for_twice_at_once_is_made_once(flat: Flat) -> None:
    flat.concurrency = 8
    ops = [CreateGroup(id=str(number), path=("SALES" if number % 2 else "Sales",), parent=None) for number in range(8)]
    results = list(flat.execute(iter(ops)))
    assert sorted(result.status for result in results) == [Status.DONE, *[Status.NOOP] * 7]
    assert len(flat.teams) == 1


def test_a_user_created_just_now_may_be_unknown_for_a_while(flat: Flat) -> None:
    flat.lag = 5.0
    flat.teams["Sales"] = set()
    perform(flat, creation("ana"))
    flat.faults = [Gone(), Gone()]
    add = AddMembers(id="2", group=GroupRef("Sales", ("Sales",)), members=(ANA,))
    result = perform(flat, add)
    assert (result.status, result.refused, flat.teams) == (Status.DONE, {}, {"Sales": {"u0"}})


def test_with_parents_survives_circles_and_strangers() -> None:
    group = {name: Group(ref=name, path=(name.upper(),)) for name in "abcd"}
    pairs = [
        (group["a"], None),
        (group["b"], "a"),
        (group["c"], "d"),
        (group["d"], "c"),
        (Group(ref="e", path=("E",)), "x"),
    ]
    found = {one.ref: one.path for one in with_parents(pairs)}
    assert (found["a"], found["b"], found["e"]) == (("A",), ("A", "B"), ("E",))
    assert {found["c"][-1], found["d"][-1]} == {"C", "D"}


# -- threads ----------------------------------------------------------------------------------------------------


class Slow(Least):
    concurrency = 8

    def __init__(self) -> None:
        super().__init__()
        self.go_on, self.inside, self.most = threading.Event(), 0, 0
        self.lock = threading.Lock()

    def create_user(self, user: Desired, password: Secret | None, key: str) -> str:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.most == self.concurrency:
                self.go_on.set()
            late = self.inside > 1
        self.go_on.wait(10)
        time.sleep(0.3 * late)
        with self.lock:
            self.inside -= 1
        return key


def test_plain_methods_are_called_so_many_at_once(opened: Callable[[Any], Any]) -> None:
    slow = opened(Slow())
    assert len(list(slow.execute(creation(f"user{n}") for n in range(40)))) == 40
    assert slow.most == 8


def test_what_is_under_way_is_waited_for_when_nobody_wants_more(opened: Callable[[Any], Any]) -> None:
    slow = opened(Slow())
    slow.concurrency = 3
    results = slow.execute(creation(f"user{n}") for n in range(40))
    next(results)
    results.close()
    assert slow.inside == 0


@pytest.mark.slow
def test_a_method_that_hangs_keeps_nothing_from_ending() -> None:
    hanging = threading.Event()

    class Hangs(Least):
        def users(self) -> Iterable[Existing]:
            hanging.set()
            threading.Event().wait()
            return ()

    portal = Hangs()
    threading.Thread(target=_quietly, args=(portal.count_users,), daemon=True).start()
    assert hanging.wait(10)
    started = time.monotonic()
    portal.close()
    assert time.monotonic() - started < 15
    assert all(one.daemon for one in threading.enumerate() if one.name.startswith("musterroll-simple"))


def _quietly(work: Callable[[], object]) -> None:
    try:
        work()
    except BaseException:
        return
