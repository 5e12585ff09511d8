"""How the backend adapts to what a portal offers: what is sent, and what can be done."""

from __future__ import annotations

from typing import Any

from musterroll import (
    Capabilities,
    Desired,
    Matching,
    Secret,
    Status,
    UpdateUser,
    UserKey,
    UserRef,
)
from support.scim_backends import ENTERPRISE, Workbench, create, creation, find, open_scim, perform
from support.scim_servers import attribute, provider

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


class TestWhatIsSent:
    def test_a_new_user(self, bench: Workbench) -> None:
        fields = {"forename": "Ana", "surname": "Silva", "email": "a@example.com", "calling_code": "44", "phone": "771"}
        op = creation("ana", "Sesame-1", **fields, department="Sales", vip="yes", unmapped="x", title=None)
        backend = bench.open(
            fields={"department": f"{ENTERPRISE}:department", "title": "title", "vip": "roles[primary eq true].value"},
            required={"displayName": "{forename} {surname} {nothing}", "nickName": "{nothing}", "locale": "en"},
            bulk="never",
        )
        assert perform(backend, op)[0].status is Status.DONE
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
        perform(backend, creation("ana", surname="Silva", email="a@example.com", department="x"))
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
        assert perform(backend, UpdateUser(id="u1", user=ana, changes=changes))[0].status is Status.DONE
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
        perform(backend, UpdateUser(id="u1", user=ana, changes={"phone": "7787654321"}))
        assert bench.portal.users()[0].phone_numbers[0].value == "+44 7787654321"
        perform(backend, UpdateUser(id="u2", user=ana, changes={"calling_code": "420"}))
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
            reset_passwords=False,
            deactivate=False,
            delete=True,
            rename=False,
            unique_email=True,
            fields=frozenset({"email", "forename", "surname", "title"}),
        )

    def test_what_the_options_say_counts(self, bench: Workbench) -> None:
        can = bench.open(matching="folded", unique_email=True, nesting="none").capabilities()
        assert (can.matching, can.unique_email, can.nested_groups) == (Matching.FOLDED, True, False)

    def test_fields_that_are_left_out_ask_for_nothing(self, bench: Workbench) -> None:
        backend = bench.open(fields={"phone": "", "department": ""})
        given = {"surname": "Silva", "calling_code": "44", "phone": "7712345678", "department": "Sales"}
        assert backend.canonical(Desired(username="ana", fields=given)).fields == {"surname": "Silva"}

    def test_passwords_that_are_not_sent_cannot_be_reset(self, bench: Workbench) -> None:
        backend = bench.open(leave_out=["password"], bulk="never")
        can = backend.capabilities()
        assert (can.passwords, can.reset_passwords) == (True, False)
        perform(backend, creation("ana", "Sesame-1"))
        assert "password" not in bench.sent("POST /Users")[0]
        reset = UpdateUser(id="u1", user=UserRef(bench.portal.users()[0].id, "ana"), changes={}, password=Secret("x"))
        assert perform(backend, reset)[0].status is Status.FAILED

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
            backend = open_scim(url, tenant=tenant)
            backend.close()
            return backend.identity()

        assert identity("https://Portal.example:443/scim/v2/") == "scim:https://portal.example/scim/v2"
        assert identity("http://portal.example:8080", "acme") == "scim:http://portal.example:8080#acme"
