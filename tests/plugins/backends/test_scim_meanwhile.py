"""Other people and programs change the portal at the same time; what they do is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from musterroll import (
    BackendUnavailableError,
    CreateUser,
    Desired,
    Status,
    UpdateUser,
    UserKey,
)
from support.scim_backends import Workbench, create, creation, find, perform
from support.scim_servers import attribute, provider

USER = "urn:ietf:params:scim:schemas:core:2.0:User"


class TestSomebodyElse:
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
        (result,) = perform(backend, UpdateUser(id="u1", user=ana, changes={"email": "b@example.com"}))
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
        (result,) = perform(backend, UpdateUser(id="u1", user=ana, changes={"surname": "x"}))
        assert result.status is Status.NOT_DONE
        assert bench.portal.faults.seen.count("PUT /Users") == 2

    def test_a_list_that_changes_while_it_is_read_is_read_again(self, bench: Workbench) -> None:
        backend = bench.open(page_size=5, concurrency=1)
        perform(backend, *(creation(f"user{n}") for n in range(20)))
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
        perform(backend, *(creation(f"user{n}") for n in range(9)))
        bench.portal.faults.ignore_paging = True
        with pytest.raises(BackendUnavailableError, match="speaks of 9 and shows 3"):
            find(backend, "user7")

    def test_user_created_meanwhile_by_another(self, bench: Workbench) -> None:
        backend, other = bench.open(), bench.open()
        create(other, "Ana")
        op = CreateUser(id="mine", user=Desired(username="ANA", fields={}))
        (result,) = perform(backend, op)
        assert result.status is Status.CONFLICT
        assert [found.status for found in backend.resolve([op])] == [Status.CONFLICT]

    @pytest.mark.slow
    def test_whoever_was_quicker_is_found_while_others_are_created(self, bench: Workbench) -> None:
        """Our own creations must not shift the pages of the list that is searched for them."""
        for n in range(200):
            bench.portal.register(userName=f"guest{n}")
        for n in range(0, 120, 10):
            bench.portal.register(userName=f"USER{n}")
        bench.portal.faults.ignore_filters = True
        bench.portal.faults.latency = 0.005
        backend = bench.open(bulk="never", page_size=20)
        results = perform(backend, *(creation(f"user{n}") for n in range(120)))
        expected = [Status.CONFLICT if n % 10 == 0 else Status.DONE for n in range(120)]
        assert [result.status for result in results] == expected

    def test_address_taken_meanwhile(self, bench: Workbench) -> None:
        def unique(config: Any, schemas: Any, kinds: Any) -> None:
            attribute(schemas[USER], "displayName")["uniqueness"] = "server"

        bench.kind = provider(unique)
        backend = bench.open(fields={"email": "displayName"}, unique_email=True)
        create(backend, "ana", email="a@example.com")
        bo = create(backend, "bo", email="b@example.com")
        taken = creation("cy", email="A@example.com")
        moved = UpdateUser(id="u1", user=bo, changes={"email": "a@example.com"})
        for result in perform(backend, taken, moved):
            assert result.status is Status.CONFLICT
            assert "ana" in str(result.detail)
        assert [found.status for found in backend.resolve([taken, moved])] == [Status.CONFLICT, Status.NOT_DONE]

    def test_doubt_where_the_portal_keeps_no_keys(self, bench: Workbench) -> None:
        backend = bench.open(leave_out=["externalId"], bulk="never")
        mine, theirs, none = (creation(name, surname="Silva") for name in ("ana", "bo", "cy"))
        create(bench.open(), "BO", surname="Berg")
        bench.portal.faults.reset_after = 1.0
        assert perform(backend, mine)[0].status is Status.UNKNOWN
        bench.portal.faults.reset_after = 0.0
        found = list(backend.resolve([mine, theirs, none]))
        assert [result.status for result in found] == [Status.DONE, Status.CONFLICT, Status.NOT_DONE]
