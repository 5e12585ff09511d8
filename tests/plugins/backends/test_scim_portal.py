"""How the backend adapts to what a portal offers, and leaves alone what is not its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from musterroll import (
    AddMembers,
    BackendUnavailableError,
    Capabilities,
    Context,
    CreateGroup,
    CreateUser,
    Deactivate,
    Desired,
    FieldSet,
    GroupRef,
    Matching,
    Op,
    Result,
    Secret,
    Status,
    UpdateUser,
    UserBackend,
    UserKey,
    UserRef,
)
from musterroll_plugins.backends.scim import ScimOptions, build
from support.scim_servers import Portal, Server, attribute, provider

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


class Workbench:
    """A portal, and backends on it that are closed at the end."""

    def __init__(self, server: Server, name: str) -> None:
        self._server, self._name = server, name
        self._opened: list[UserBackend] = []
        self.kind: Any = None

    @property
    def portal(self) -> Portal:
        return self._server.portal(self._name, self.kind)

    def open(self, **options: Any) -> UserBackend:
        context = Context(instance="backend", fields=FieldSet([]), read_only=False)
        backend = build(ScimOptions.model_validate({"url": self.portal.url, **options}), context)
        self._opened.append(backend)
        return backend

    def close(self) -> None:
        for backend in self._opened:
            backend.close()

    def sent(self, start: str) -> list[Any]:
        """What was sent to an endpoint, by the beginning of `POST /Users`."""
        pairs = zip(self.portal.faults.seen, self.portal.faults.bodies, strict=True)
        return [json.loads(body) for request, body in pairs if request == start]


@pytest.fixture
def bench(server: Server, request: pytest.FixtureRequest) -> Iterator[Workbench]:
    bench = Workbench(server, request.node.name.encode().hex())
    yield bench
    bench.close()


def creation(name: str, password: str | None = None, **fields: str | None) -> CreateUser:
    secret = None if password is None else Secret(password)
    return CreateUser(id=f"op-{name}", user=Desired(username=name, fields=fields), password=secret)


def run(backend: UserBackend, *ops: Op) -> list[Result]:
    results = {result.op: result for result in backend.execute(iter(ops))}
    return [results[op.id] for op in ops]


def create(backend: UserBackend, name: str, **fields: str | None) -> UserRef:
    (result,) = run(backend, creation(name, **fields))
    assert result.status is Status.DONE, result
    return UserRef(str(result.ref), name)


def find(backend: UserBackend, name: str) -> Any:
    key = UserKey.of("username", name)
    return backend.lookup([key]).get(key, [None])[0]


class TestWhatIsSent:
    def test_a_new_user(self, bench: Workbench) -> None:
        fields = {"forename": "Ana", "surname": "Silva", "email": "a@example.com", "calling_code": "44", "phone": "771"}
        op = creation("ana", "Sesame-1", **fields, department="Sales", vip="yes", unmapped="x", title=None)
        backend = bench.open(
            fields={"department": f"{ENTERPRISE}:department", "title": "title", "vip": "roles[primary eq true].value"},
            required={"displayName": "{forename} {surname} {nothing}", "nickName": "{nothing}", "locale": "en"},
            bulk="never",
        )
        assert run(backend, op)[0].status is Status.DONE
        assert bench.sent("POST /Users") == [
            {
                "schemas": [USER, ENTERPRISE],
                "userName": "ana",
                "externalId": "op-ana",
                "active": True,
                "name": {"givenName": "Ana", "familyName": "Silva"},
                "emails": [{"type": "work", "value": "a@example.com"}],
                "phoneNumbers": [{"type": "work", "value": "+44 771"}],
                ENTERPRISE: {"department": "Sales"},
                "roles": [{"primary": True, "value": "yes"}],
                "displayName": "Ana Silva",
                "locale": "en",
                "password": "Sesame-1",
            }
        ]

    def test_leave_out(self, bench: Workbench) -> None:
        backend = bench.open(
            leave_out=["externalId", "active", "emails.type", f"{ENTERPRISE}:department", "name"],
            fields={"department": f"{ENTERPRISE}:department"},
            bulk="never",
        )
        run(backend, creation("ana", surname="Silva", email="a@example.com", department="x"))
        (sent,) = bench.sent("POST /Users")
        assert sent == {
            "schemas": [USER, ENTERPRISE],
            "userName": "ana",
            "emails": [{"value": "a@example.com"}],
            ENTERPRISE: {},
        }
        assert not backend.capabilities().stores_key

    def test_a_patch_names_only_what_changes(self, bench: Workbench) -> None:
        backend = bench.open(bulk="never")
        ana = create(backend, "ana", forename="Ana", surname="Silva", email="a@example.com")
        stored = bench.portal.users()[0]
        home = type(stored.emails[0])(value="home@example.com", type="home")
        stored.emails.append(home)
        changes = {"surname": None, "forename": "Anna", "email": "b@example.com", "username": "anna"}
        assert run(backend, UpdateUser(id="u1", user=ana, changes=changes))[0].status is Status.DONE
        (sent,) = bench.sent("PATCH /Users")
        emails = [{"value": "b@example.com", "type": "work"}, {"value": "home@example.com", "type": "home"}]
        assert sent["Operations"] == [
            {"op": "remove", "path": "name.familyName"},
            {"op": "replace", "path": "name.givenName", "value": "Anna"},
            {"op": "replace", "path": "emails", "value": emails},
            {"op": "replace", "path": "userName", "value": "anna"},
        ]

    def test_half_a_telephone_number_keeps_the_other_half(self, bench: Workbench) -> None:
        backend = bench.open()
        ana = create(backend, "ana", calling_code="44", phone="7712345678")
        run(backend, UpdateUser(id="u1", user=ana, changes={"phone": "7787654321"}))
        assert bench.portal.users()[0].phone_numbers[0].value == "+44 7787654321"
        run(backend, UpdateUser(id="u2", user=ana, changes={"calling_code": "420"}))
        found = find(backend, "ana")
        assert (found.fields["calling_code"], found.fields["phone"]) == ("420", "7787654321")

    def test_an_address_may_be_found_in_any_field_that_is_mapped(self, bench: Workbench) -> None:
        backend = bench.open(fields={"staff": f"{ENTERPRISE}:employeeNumber"}, lookup="filter")
        create(backend, "ana", staff="A-17")
        create(backend, "bo", staff="A-18")
        key = UserKey.of("staff", "a-17")
        assert [user.username for user in backend.lookup([key])[key]] == ["ana"]
        assert backend.lookup([UserKey.of("unheard", "of")]) == {}


class TestCapabilities:
    def capabilities(self, bench: Workbench, change: Any, **options: Any) -> Capabilities:
        bench.kind = provider(change)
        return bench.open(**options).capabilities()

    def test_of_a_full_portal(self, bench: Workbench) -> None:
        assert bench.open().capabilities() == Capabilities(
            delete=True,
            matching=Matching.CASE,
            fields=frozenset({"email", "forename", "surname", "calling_code", "phone"}),
        )

    def test_of_a_poor_portal(self, bench: Workbench) -> None:
        def poor(config: Any, schemas: Any, kinds: Any) -> None:
            user = schemas[USER]
            gone = ("password", "phoneNumbers", "active")
            user["attributes"] = [one for one in user["attributes"] if one["name"] not in gone]
            attribute(user, "userName").update(mutability="immutable", caseExact=True)
            value = next(sub for sub in attribute(user, "emails")["subAttributes"] if sub["name"] == "value")
            value["uniqueness"] = "server"
            del schemas[GROUP], kinds["Group"]

        can = self.capabilities(bench, poor, fields={"badge": "urn:acme:User:badge", "title": "title"})
        assert can == Capabilities(
            groups=False,
            passwords=False,
            deactivate=False,
            delete=True,
            rename=False,
            unique_email=True,
            fields=frozenset({"email", "forename", "surname", "title"}),
        )

    def test_what_the_options_say_counts(self, bench: Workbench) -> None:
        can = bench.open(matching="folded", unique_email=True, nesting="none").capabilities()
        assert (can.matching, can.unique_email, can.nested_groups) == (Matching.FOLDED, True, False)

    def test_a_portal_that_says_nothing(self, bench: Workbench) -> None:
        bench.portal.faults.statuses = {("GET", "/ServiceProviderConfig"): 404, ("GET", "/Schemas"): 501}
        backend = bench.open(fields={"anything": "urn:acme:User:anything"})
        can = backend.capabilities()
        assert can.groups
        assert "anything" in (can.fields or ())
        create(backend, "ana", surname="Silva")
        assert find(backend, "ANA").fields["surname"] == "Silva"

    def test_own_types(self, bench: Workbench) -> None:
        def typed(config: Any, schemas: Any, kinds: Any) -> None:
            number = {**attribute(schemas[ENTERPRISE], "costCenter"), "type": "integer", "name": "floor"}
            truth = {**attribute(schemas[ENTERPRISE], "costCenter"), "type": "boolean", "name": "vip"}
            schemas[ENTERPRISE]["attributes"] += [number, truth]

        bench.kind = provider(typed)
        backend = bench.open(fields={"floor": f"{ENTERPRISE}:floor", "vip": f"{ENTERPRISE}:vip"}, bulk="never")
        desired = backend.canonical(Desired(username="ana", fields={"floor": "03", "vip": "Yes"}))
        assert desired.fields == {"floor": "3", "vip": "true"}
        create(backend, "ana", **desired.fields)
        assert bench.sent("POST /Users")[0][ENTERPRISE] == {"floor": 3, "vip": True}
        assert find(backend, "ana").fields.items() >= desired.fields.items()

    def test_identity(self) -> None:
        def identity(url: str, tenant: str = "") -> str:
            backend = build(ScimOptions(url=url, tenant=tenant), Context(instance="backend", fields=FieldSet([])))
            backend.close()
            return backend.identity()

        assert identity("https://Portal.example:443/scim/v2/") == "scim:https://portal.example/scim/v2"
        assert identity("http://portal.example:8080", "acme") == "scim:http://portal.example:8080#acme"


class TestSomebodyElse:
    """Other people and programs change the portal at the same time."""

    @pytest.mark.parametrize("update", ["patch", "put"])
    def test_a_change_in_between_is_kept(self, bench: Workbench, update: str) -> None:
        backend = bench.open(update=update)
        ana = create(backend, "ana", email="a@example.com")
        times = 0

        def interfere(method: str, path: str) -> None:
            nonlocal times
            if method in ("PATCH", "PUT") and times == 0:
                times += 1
                stored = bench.portal.users()[0]
                stored.title = "Director"
                stored.emails.append(type(stored.emails[0])(value="home@example.com", type="home"))
                stored.meta.version = 'W/"other"'

        bench.portal.faults.before = interfere
        (result,) = run(backend, UpdateUser(id="u1", user=ana, changes={"email": "b@example.com"}))
        assert result.status is Status.DONE
        stored = bench.portal.users()[0]
        assert stored.title == "Director"
        assert {email.value for email in stored.emails} == {"b@example.com", "home@example.com"}

    def test_one_who_never_stops_is_given_way_to(self, bench: Workbench) -> None:
        backend = bench.open(update="put")
        ana = create(backend, "ana")

        def interfere(method: str, path: str) -> None:
            if method == "PUT":
                bench.portal.users()[0].meta.version = f'W/"{len(bench.portal.faults.seen)}"'

        bench.portal.faults.before = interfere
        (result,) = run(backend, UpdateUser(id="u1", user=ana, changes={"surname": "x"}))
        assert result.status is Status.NOT_DONE
        assert bench.portal.faults.seen.count("PUT /Users") == 2

    def test_a_list_that_changes_while_it_is_read_is_read_again(self, bench: Workbench) -> None:
        backend = bench.open(page_size=5, concurrency=1)
        run(backend, *(creation(f"user{n}") for n in range(20)))
        pages = 0

        def interfere(method: str, path: str) -> None:
            nonlocal pages
            pages += path == "/Users"
            if pages == 2:  # whoever comes later moves up a place
                pages += 1
                storage = bench.portal.storage.storage
                kind = next(kind for kind in bench.portal.provider.resource_types if kind.name == "User")
                storage.delete(kind, str(bench.portal.users()[0].id))

        bench.portal.faults.before = interfere
        keys = [UserKey.of("username", f"user{n}") for n in range(20)]
        found = backend.lookup(keys)
        assert {users[0].username for users in found.values()} >= {user.user_name for user in bench.portal.users()}

    def test_a_portal_that_hides_users_is_not_believed(self, bench: Workbench) -> None:
        backend = bench.open(page_size=3)
        run(backend, *(creation(f"user{n}") for n in range(9)))
        bench.portal.faults.ignore_paging = True
        with pytest.raises(BackendUnavailableError, match="speaks of 9 and shows 3"):
            find(backend, "user7")

    def test_user_created_meanwhile_by_another(self, bench: Workbench) -> None:
        backend, other = bench.open(), bench.open()
        create(other, "Ana")
        op = CreateUser(id="mine", user=Desired(username="ANA", fields={}))
        (result,) = run(backend, op)
        assert result.status is Status.CONFLICT
        assert [found.status for found in backend.resolve([op])] == [Status.CONFLICT]

    def test_address_taken_meanwhile(self, bench: Workbench) -> None:
        def unique(config: Any, schemas: Any, kinds: Any) -> None:
            attribute(schemas[USER], "displayName")["uniqueness"] = "server"

        bench.kind = provider(unique)
        backend = bench.open(fields={"email": "displayName"}, unique_email=True)
        create(backend, "ana", email="a@example.com")
        bo = create(backend, "bo", email="b@example.com")
        taken = creation("cy", email="A@example.com")
        moved = UpdateUser(id="u1", user=bo, changes={"email": "a@example.com"})
        for result in run(backend, taken, moved):
            assert result.status is Status.CONFLICT
            assert "ana" in str(result.detail)
        assert [found.status for found in backend.resolve([taken, moved])] == [Status.CONFLICT, Status.NOT_DONE]

    def test_doubt_where_the_portal_keeps_no_keys(self, bench: Workbench) -> None:
        backend = bench.open(leave_out=["externalId"], bulk="never")
        mine, theirs, none = (creation(name, surname="Silva") for name in ("ana", "bo", "cy"))
        create(bench.open(), "BO", surname="Berg")
        bench.portal.faults.reset_after = 1.0
        assert run(backend, mine)[0].status is Status.UNKNOWN
        bench.portal.faults.reset_after = 0.0
        found = list(backend.resolve([mine, theirs, none]))
        assert [result.status for result in found] == [Status.DONE, Status.CONFLICT, Status.NOT_DONE]


class TestBulk:
    def test_within_the_limits_and_every_status_counts(self, bench: Workbench) -> None:
        def small(config: Any, schemas: Any, kinds: Any) -> None:
            config["bulk"] = {"supported": True, "maxOperations": 7, "maxPayloadSize": 3000}

        bench.kind = provider(small)
        backend = bench.open()
        ana = create(backend, "ana")
        ops: list[Op] = [creation(f"user{n}", surname="x" * (n * 40)) for n in range(40)]
        ops += [CreateUser(id="again", user=Desired(username="ANA", fields={})), Deactivate(id="off", user=ana)]
        ops.append(Deactivate(id="ghost", user=UserRef("nobody", "ghost")))
        results = run(backend, *ops)
        assert {result.status for result in results[:40]} == {Status.DONE}
        assert [result.status for result in results[40:]] == [Status.CONFLICT, Status.DONE, Status.FAILED]
        by_name = {user.user_name: user.id for user in bench.portal.users()}
        assert [result.ref for result in results[:40]] == [by_name[f"user{n}"] for n in range(40)]
        sizes = [len(body["Operations"]) for body in bench.sent("POST /Bulk")]
        assert max(sizes) <= 7
        assert max(map(len, bench.portal.faults.bodies)) <= 3000
        assert len(sizes) > 5

    @pytest.mark.parametrize("status", [404, 413, 501])
    def test_a_portal_that_does_not_keep_its_promise(self, bench: Workbench, status: int) -> None:
        bench.portal.faults.statuses = {("POST", "/Bulk"): status}
        results = run(bench.open(), *(creation(f"user{n}") for n in range(20)))
        assert {result.status for result in results} == {Status.DONE}
        assert len(bench.portal.users()) == 20

    def test_a_bulk_that_breaks_leaves_all_in_doubt(self, bench: Workbench) -> None:
        backend = bench.open()
        ops = [creation(f"user{n}") for n in range(20)]
        bench.portal.faults.statuses = {("POST", "/Bulk"): 500}
        results = run(backend, *ops)
        assert {result.status for result in results} <= {Status.UNKNOWN, Status.DONE}
        assert Status.UNKNOWN in {result.status for result in results}


class TestLookups:
    def test_one_reading_for_many_questions(self, bench: Workbench) -> None:
        backend = bench.open(page_size=10)
        run(backend, *(creation(f"user{n}") for n in range(45)))
        bench.portal.faults.seen.clear()
        for start in range(0, 60, 20):
            backend.lookup([UserKey.of("username", f"USER{n}") for n in range(start, start + 20)])
        assert bench.portal.faults.seen == ["GET /Users"] * 5 + ["GET /Groups"]

    def test_filters_ask_for_several_at_once_within_the_address(self, bench: Workbench) -> None:
        backend = bench.open(lookup="filter", max_url=600)
        names = [f"Üser {n} \"quoted\" & 'co'" for n in range(25)]
        run(backend, *(creation(name) for name in names))
        bench.portal.faults.seen.clear()
        keys = [UserKey.of("username", name.upper()) for name in names]
        found = backend.lookup([*keys, UserKey.of("username", "\ud800")])
        assert [found[key][0].username for key in keys] == names
        asked = bench.portal.faults.seen.count("GET /Users")
        assert 8 <= asked < 50
        assert bench.portal.longest_url <= 600

    def test_a_filter_that_is_refused_or_not_obeyed_is_not_used_again(self, bench: Workbench) -> None:
        create(bench.open(), "Straße")
        for number in range(3):
            create(bench.open(), f"user{number}")
        bench.portal.faults.ignore_filters = True
        backend = bench.open(lookup="filter")
        assert find(backend, "STRASSE").username == "Straße"
        bench.portal.faults.seen.clear()
        assert find(backend, "user1").username == "user1"
        assert bench.portal.faults.seen == []

    def test_a_weaker_comparison_misses_nobody(self, bench: Workbench) -> None:
        backend = bench.open()
        for name in ("straße", "ﬁona", "ana\u200b"):
            create(backend, name)
        for asked, stored in (("STRASSE", "straße"), ("Fiona", "ﬁona"), ("Ana", "ana\u200b")):
            assert find(backend, asked).username == stored


class TestGroups:
    def test_half_a_nested_group_is_put_in_its_place(self, bench: Workbench) -> None:
        backend = bench.open()
        (made,) = run(backend, CreateGroup(id="g1", path=("Region",), parent=None))
        region = GroupRef(str(made.ref), ("Region",))
        op = CreateGroup(id="g2", path=("Region", "North"), parent=region)
        bench.portal.faults.statuses = {("PATCH", "/Groups"): 500}
        assert run(backend, op)[0].status is Status.UNKNOWN
        bench.portal.faults.statuses = {}
        assert [found.status for found in backend.resolve([op])] == [Status.NOT_DONE]
        assert run(backend, op)[0].status is Status.DONE
        assert sorted(group.path for group in backend.groups()) == [("Region",), ("Region", "North")]

    def test_groups_in_a_ring_and_in_two_others(self, bench: Workbench) -> None:
        backend = bench.open()
        ops = [CreateGroup(id=name, path=(name,), parent=None) for name in "abcd"]
        refs = {op.path[0]: str(result.ref) for op, result in zip(ops, run(backend, *ops), strict=True)}
        stored = {group.display_name: group for group in bench.portal.groups()}
        member = type(stored["a"]).Members

        def put(inner: str, outer: str) -> None:
            stored[outer].members = [*(stored[outer].members or ()), member(value=refs[inner])]

        put("a", "b")
        put("b", "a")
        put("d", "c")
        put("d", "b")
        paths = {group.path for group in bench.open().groups()}
        assert {("c",), ("c", "d"), ("a", "b", "d")} <= paths
        assert all(len(path) <= 3 for path in paths)
        assert {path[-1] for path in paths} == set("abcd")

    @pytest.mark.parametrize("update", ["patch", "put"])
    def test_several_changes_of_one_group_at_once_lose_nobody(self, bench: Workbench, update: str) -> None:
        backend = bench.open(update=update)
        (made,) = run(backend, CreateGroup(id="g1", path=("All",), parent=None))
        group = GroupRef(str(made.ref), ("All",))
        users = [UserRef(str(one.ref), "x") for one in run(backend, *(creation(f"user{n}") for n in range(8)))]
        bench.portal.faults.latency = 0.01
        results = run(backend, *(AddMembers(id=f"m{n}", group=group, members=(user,)) for n, user in enumerate(users)))
        assert {result.status for result in results} == {Status.DONE}
        assert {member.value for member in bench.portal.groups()[0].members} == {user.ref for user in users}

    def test_large_groups_are_filled_in_batches(self, bench: Workbench) -> None:
        backend = bench.open(member_batch=10)
        (group,) = run(backend, CreateGroup(id="g1", path=("All",), parent=None))
        made = run(backend, *(creation(f"user{n}") for n in range(25)))
        members = tuple(UserRef(str(result.ref), "x") for result in made)
        (result,) = run(backend, AddMembers(id="m1", group=GroupRef(str(group.ref), ("All",)), members=members))
        assert result.status is Status.DONE
        sizes = [len(body["Operations"][0]["value"]) for body in bench.sent("PATCH /Groups")]
        assert sizes == [10, 10, 5]
