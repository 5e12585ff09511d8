"""SCIM users as rows of the directory, and back."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("scim2_server", reason="the extra musterroll[portal] is not installed")

from scim2_server.utils import load_json_resource

from musterroll_plugins.portal.contacts import joined_phone, split_phone
from musterroll_plugins.portal.mapping import REST, USER, UserMapping, own_field

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
digits = st.text("0123456789", min_size=1, max_size=11)
numbers = st.one_of(
    texts,
    st.builds("+{}{}".format, st.sampled_from(["44", "1", "39", "420"]), digits),
    st.builds("+{} {}".format, digits, texts),
    st.sampled_from(["+44 7712 345678", "tel:+44-7712-345678", "07712345678", "+390612345", "+", "+44"]),
)


def entries(values: st.SearchStrategy[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    entry = st.fixed_dictionaries(
        {}, optional={"value": values, "type": st.sampled_from(["work", "home"]), "primary": st.booleans()}
    )
    return st.lists(entry.filter(bool), min_size=1, max_size=3)


users = st.fixed_dictionaries(
    {"userName": texts, "active": st.booleans()},
    optional={
        "externalId": texts,
        "name": st.dictionaries(
            st.sampled_from(["givenName", "familyName", "formatted", "middleName"]), texts, min_size=1
        ),
        "title": texts,
        "displayName": texts,
        "emails": entries(texts),
        "phoneNumbers": entries(numbers),
        "addresses": st.just([{"locality": "Łódź", "primary": True}]),
        ENTERPRISE: st.fixed_dictionaries(
            {"department": texts}, optional={"employeeNumber": texts, "manager": st.just({"value": "7"})}
        ),
    },
)


@cache
def mapping() -> UserMapping:
    schemas = {schema["id"]: schema for schema in load_json_resource("default-schemas.json")}
    return UserMapping([schemas[USER], schemas[ENTERPRISE]])


@given(users)
def test_what_is_stored_is_what_was_sent(user: dict[str, Any]) -> None:
    before = json.dumps(user)
    assert mapping().to_scim(mapping().to_row(user)) == user
    assert json.dumps(user) == before


@given(users)
def test_own_fields_are_texts_and_those_that_scim_does_not_know_stay(user: dict[str, Any]) -> None:
    row = mapping().to_row(user, {"staff_number": "7", "title": "old"})
    assert row.attributes["staff_number"] == "7"
    assert row.attributes.get("title") == user.get("title")
    assert all(isinstance(value, str) for value in row.attributes.values())


@given(digits.filter(lambda code: len(code) <= 4), digits)
def test_a_phone_of_the_directory_comes_back(code: str, phone: str) -> None:
    joined = joined_phone(code, phone)
    assert joined is not None
    assert split_phone(joined) == (code, phone)


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        ("+447712345678", ("44", "7712345678")),
        ("+44 (0)7712-345678", ("44", "(0)7712-345678")),
        ("tel:+44-7712-345678", ("44", "7712345678")),
        ("+390612345678", ("39", "0612345678")),
        ("07712 345678", (None, "07712 345678")),
        ("extension 12", (None, "extension 12")),
        ("+999", (None, "+999")),
    ],
)
def test_international_numbers_are_split(number: str, parts: tuple[str | None, str]) -> None:
    assert split_phone(number) == parts


def test_what_the_import_sends_needs_nothing_but_columns_and_own_fields() -> None:
    row = mapping().to_row(
        {
            "userName": "ana",
            "emails": [{"type": "work", "value": "ana@acme.example"}],
            "phoneNumbers": [{"type": "work", "value": "+44 7712345678"}],
            "name": {"givenName": "Ana", "familyName": "Li"},
            ENTERPRISE: {"department": "IT"},
        }
    )
    assert row.attributes == {"department": "IT"}
    assert (row.email, row.forename, row.surname) == ("ana@acme.example", "Ana", "Li")
    assert (row.calling_code, row.phone, row.active) == ("44", "7712345678", True)


def test_a_change_in_the_directory_keeps_the_rest_of_an_entry() -> None:
    addresses = [{"value": "b@home.example", "type": "home"}, {"value": "a@acme.example", "primary": True}]
    row = mapping().to_row({"userName": "ana", "emails": addresses, "phoneNumbers": [{"value": "tel:+44-77"}]})
    assert row.email == "a@acme.example"
    changed = mapping().to_scim(row._replace(email="new@acme.example", phone="99"))
    assert changed["emails"] == [addresses[0], {"value": "new@acme.example", "primary": True}]
    assert changed["phoneNumbers"] == [{"value": "+44 99"}]
    cleared = mapping().to_scim(row._replace(email=None, phone=None))
    assert cleared["emails"] == [addresses[0]]
    assert "phoneNumbers" not in cleared


def test_taking_active_away_is_remembered() -> None:
    row = mapping().to_row({"userName": "ana"}, {})
    assert row.active
    assert "active" not in mapping().to_scim(row)
    assert mapping().to_scim(row._replace(active=False))["active"] is False
    assert mapping().to_row({"userName": "ana"}).active
    assert REST not in mapping().to_row({"userName": "ana"}).attributes


def test_own_fields_are_named_as_in_a_sheet() -> None:
    assert own_field("employeeNumber") == "employee_number"
    assert own_field("costCenter-2") == "cost_center_2"


def test_an_attribute_with_the_name_of_a_column_is_kept_apart() -> None:
    schema = {"id": "urn:acme:User", "attributes": [{"name": n, "type": "string"} for n in ("email", "badge")]}
    acme = UserMapping([*load_json_resource("default-schemas.json")[:1], schema])
    user = {"userName": "ana", "active": True, "urn:acme:User": {"email": "x", "badge": "7"}}
    row = acme.to_row(user)
    assert row.email is None
    assert row.attributes["badge"] == "7"
    assert "email" not in row.attributes
    assert acme.to_scim(row) == user
