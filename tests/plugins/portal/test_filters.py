"""A look-up that does not build every user finds the same as one that does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("scim2_server", reason="the extra musterroll[portal] is not installed")

from scim2_models import ScimFilter, ScimProvider, SearchRequest
from scim2_server.utils import parametrize

from musterroll_plugins.portal.filters import condition
from musterroll_plugins.portal.mapping import USER
from musterroll_plugins.portal.storage import DirectoryStorage
from support.mock_portal import Answer

if TYPE_CHECKING:
    from musterroll_plugins.portal.table import Table

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
USERS: list[dict[str, Any]] = [
    {"userName": "Straße", "externalId": "a", "emails": [{"value": "S@acme.example", "type": "work"}]},
    {"userName": "ana", "externalId": "A", "title": "Boss", ENTERPRISE: {"department": "IT"}},
    {"userName": "bo", "emails": [{"value": "ana"}, {"value": "BO@acme.example", "primary": True}]},
    {"userName": "cy", "title": "straße", "active": False, "emails": [{"type": "home"}]},
    {"userName": "it", "externalId": "ana", "displayName": "Ana", ENTERPRISE: {"department": "boss"}},
]
texts = ["userName", "externalId", "title", "displayName", "name.familyName", "nickName", "emails", "emails.value"]
attributes = st.sampled_from([*texts, f"{USER}:userName", f"{ENTERPRISE}:department"])
values = st.sampled_from(["ana", "ANA", "STRASSE", "straße", "a", "boss", "it", "bo@acme.example", "s@ACME.example"])
comparisons = st.one_of(
    st.builds(lambda a, v: f"{a} eq {json.dumps(v)}", attributes, values),
    st.builds(lambda a, v: f"{a} co {json.dumps(v)}", attributes, values),
    st.builds(lambda a, v: f"{a} ne {json.dumps(v)}", attributes, values),
    st.sampled_from(["active eq true", "title pr", 'emails[type eq "work"]']),
)
filters = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DirectoryStorage]:
    from musterroll_plugins.portal.application import make_provider

    provider = make_provider()
    storage = DirectoryStorage(tmp_path_factory.mktemp("portal") / "portal.db", provider)
    (users,) = (rt for rt in provider.resource_types if rt.name == "User")
    model = provider.model_for(users)
    assert model is not None
    for user in USERS:
        asyncio.run(storage.create(users, model.model_validate(user)))  # type: ignore[arg-type]
    yield storage
    storage.close()


def provider_of(storage: DirectoryStorage) -> ScimProvider:
    provider: ScimProvider = vars(storage)["_provider"]
    return provider


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(filters)
def test_a_filter_finds_what_it_matches(people: DirectoryStorage, text: str) -> None:
    provider = provider_of(people)
    (users,) = (rt for rt in provider.resource_types if rt.name == "User")
    model = provider.model_for(users)
    request = parametrize(SearchRequest, model)(filter=text)
    everybody = asyncio.run(people.search([users], parametrize(SearchRequest, model)())).resources
    found = asyncio.run(people.search([users], request)).resources
    assert request.filter is not None
    assert [user.id for user in found] == [user.id for user in everybody if request.filter.match(user)]


@pytest.mark.parametrize(
    ("text", "built"),
    [
        ('userName eq "ANA"', 1),
        ('externalId eq "A"', 1),
        ('title eq "boss"', 1),
        (f'{ENTERPRISE}:department eq "it"', 1),
        ('emails.value eq "s@acme.example"', 2),  # and the one with several addresses
        (" or ".join(f'userName eq "{name}"' for name in ("ana", "bo", "x")), 2),
        ('active eq true and userName eq "ana"', 1),
        ('active eq true or userName eq "ana"', None),
        ('userName co "a"', None),
        ('not (userName eq "ana")', None),
    ],
)
def test_look_ups_by_name_need_few_users(people: DirectoryStorage, text: str, built: int | None) -> None:
    table: Table = vars(people)["_tables"]["User"]
    (users,) = (rt for rt in provider_of(people).resource_types if rt.name == "User")
    scim_filter = parametrize(ScimFilter, provider_of(people).model_for(users))(text)
    where = condition(scim_filter, table.columns)
    assert (where is None) == (built is None)
    assert len(list(table.matching(where, brief=False))) == (len(USERS) if built is None else built)


def test_thousands_of_names_at_once(scim: Callable[..., Answer]) -> None:
    assert scim("POST", "/Users", {"userName": "user7"}).status == 201
    many = " or ".join(f'userName eq "user{number}"' for number in range(2_000))
    found = scim("POST", "/Users/.search", {"filter": many})
    assert found.status == 200, found.content
    assert [user["userName"] for user in found.body["Resources"]] == ["user7"]


def test_pages_are_cut_by_the_database(scim: Callable[..., Answer]) -> None:
    for number in range(5):
        scim("POST", "/Users", {"userName": f"user{number}"})
        scim("POST", "/Groups", {"displayName": f"group{number}"})
    page = scim("GET", "/Users?startIndex=4&count=3").body
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (5, 4, 2)
    assert [user["userName"] for user in page["Resources"]] == ["user3", "user4"]
    both = scim("GET", "/?startIndex=5&count=2").body
    assert both["totalResults"] == 10
    assert [found.get("userName", found.get("displayName")) for found in both["Resources"]] == ["user4", "group0"]
    assert scim("GET", "/Users?count=0").body["totalResults"] == 5


def test_filters_can_be_ignored(directory: Path, provider: ScimProvider) -> None:
    storage = DirectoryStorage(directory, provider, ignore_filters=True)
    (users,) = (rt for rt in provider.resource_types if rt.name == "User")
    model = provider.model_for(users)
    assert model is not None
    for name in ("ana", "bo"):
        asyncio.run(storage.create(users, model.model_validate({"userName": name})))  # type: ignore[arg-type]
    request = parametrize(SearchRequest, model)(filter='userName eq "ana"')
    assert asyncio.run(storage.search([users], request)).total == 2
    storage.close()
