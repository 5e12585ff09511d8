"""Describing a portal: what is checked before anything runs, and what each missing part costs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Desired, Field, FieldSet, FieldType
from musterroll_plugins.backends.rest.mapping import RestMapping
from musterroll_plugins.backends.rest.options import RestPortalOptions
from musterroll_plugins.backends.rest.templates import RequestLine, fill
from support.workplace import Inside

HEAD = """name = "x"
[backend]
use = "rest"
[backend.options]
url = "https://portal.example/api/"
"""
WHOLE = """
[backend.options.users]
all = "GET /users"
get = "GET /users/{user}"
find = "GET /users?name={value}"
create = { request = "POST /users", body = { secret = "{password}" } }
update = "PUT /users/{user}"
set_password = { request = "PUT /users/{user}", body = { secret = "{password}" } }
activate = "PUT /users/{user}/on"
deactivate = "PUT /users/{user}/off"
active = "active"
delete = "DELETE /users/{user}"
invite = "POST /users/{user}/mail"
key = "key"
groups = "groups"
[backend.options.groups]
all = "GET /groups"
create = { request = "POST /groups", body = { name = "{name}", parent = "{parent}" } }
add = "PUT /groups/{group}/{user}"
remove = "DELETE /groups/{group}/{user}"
delete = "DELETE /groups/{group}"
"""


@pytest.fixture
def place(scratch: Inside) -> Inside:
    return scratch


def check(place: Inside, text: str) -> Any:
    (place.folder / "musterroll.toml").write_text(HEAD + text, encoding="utf-8")
    return place.json("pipeline", "check").document


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "users.all is needed"),
        ('users.all = "GIVE /users"', 'write a method and a path, as "GET /users"'),
        ('users.all = "GET users"', "write a method and a path"),
        ('users.all = "POST /users"', "a list is read by GET"),
        ('users.all = { request = "GET /users", by = "cursor" }', "next says where the cursor is"),
        ('users.all = { request = "GET /users", by = "pages" }', 'must be "none", "offset"'),
        ('users.all = { request = "GET /users", body = { a = 1 } }', "a GET has no body"),
        ('users.all = "GET /users"\nusers.create = "POST /u?p={password}"', "a password cannot stand in an address"),
        ('users.all = "GET /users"\nusers.get = "GET /users/{usr}"', 'there is no {usr} here, did you mean "user"?'),
        ('users.all = "GET /users/{user}"', "users.all there is no {user} here"),
        ('users.all = "GET /u"\nusers.create = { request = "POST /u", body = { a = "{fornam}" } }', "forename"),
        ('users.all = "GET /u"\nusers.create = { request = "POST /u", body = { a = "{" } }', 'a single "{"'),
        ('users.all = "GET /u"\nusers.update = { request = "PUT /u/{user}", send = "whole" }', "users.get is needed"),
        ('users.all = "GET /u"\nusers.activate = "PUT /u/{user}"', "belong together"),
        ('users.all = "GET /u"\nusers.fields = { emial = "mail" }', 'there is no field "emial", did you mean "email"?'),
        ('users.all = "GET /u"\ngroups.create = "POST /g"', "groups.all is needed"),
        (
            'users.all = "GET /u"\ngroups.all = "GET /g"\ngroups.add = "PUT /g/{group}/{user}"',
            "shows who is in a group",
        ),
        ('users.all = "GET /u"\ntaken = [{ words = "exists" }]', "taken"),
        ('profile = "keycloack"', 'there is no profile "keycloack", did you mean "keycloak"?'),
        ('profile = "ldap"', "there are entra, jupyterhub, keycloak, okta"),
        ('profile = "keycloak"\nusers.delete = "DELETE /users/{usr}"', "users.delete there is no {usr} here"),
    ],
)
def test_mistakes_are_found_before_anything_runs(place: Inside, text: str, words: str) -> None:
    document = check(place, text)
    assert not document["valid"]
    assert words in " ".join(f"{one['path']} {one['message']}" for one in document["mistakes"])


def test_all_mistakes_at_once(place: Inside) -> None:
    text = 'users.find = "GET /u/{x}"\nusers.get = "GET /u/{y}"\nlookup = "index"\nusers.fields = { emial = "mail" }'
    (mistake,) = check(place, text)["mistakes"]
    assert all(words in mistake["message"] for words in ("{x}", "{y}", "users.all is needed", '"emial"'))


def remarks(place: Inside, text: str) -> list[str]:
    document = check(place, text)
    assert document["valid"], document
    return [one.removeprefix("backend: ") for one in document["remarks"]]


def test_whoever_describes_everything_hears_nothing(place: Inside) -> None:
    assert remarks(place, WHOLE) == ["users have a username, and no other fields (users.fields)"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("create = { request", "cannot create users (users.create)"),
        ("update", "cannot change users"),
        ("set_password", "cannot reset passwords"),
        ("activate", "cannot deactivate users"),
        ("delete", "cannot delete users"),
        ("invite", "cannot invite users"),
        ("find", "show all users where it is in doubt"),
        ("get", "show all users to show one"),
        ("key", "does not keep who created"),
        ("add", "cannot add members"),
        ("remove", "cannot take members out"),
    ],
)
def test_each_missing_part_is_said_with_what_it_costs(place: Inside, line: str, words: str) -> None:
    left = [
        one for one in WHOLE.splitlines() if not one.startswith((line, "deactivate" if line == "activate" else line))
    ]
    assert any(words in one for one in remarks(place, "\n".join(left))), line


def test_remarks_are_told_to_a_person_too(place: Inside) -> None:
    check(place, 'users.all = "GET /users"')
    assert "  backend: has no groups (groups.all)" in place.run("pipeline", "check").out


@given(st.text(max_size=60))
def test_what_is_filled_into_an_address_stays_in_its_place(text: str) -> None:
    line = RequestLine.parse("GET /users/{user}/groups?name={value}&brief=true")
    text = text.encode("utf-8", "replace").decode()
    path, query = line.fill({"user": text, "value": text})
    assert path.count("/") == 3
    assert "?" not in path
    assert "#" not in path
    assert query == {"name": text, "brief": "true"}


def test_bodies() -> None:
    template = {
        "name": {"first": "{forename}", "last": "{surname}"},
        "display": "{forename} {surname}",
        "secret": {"value": "{password}", "temporary": False},
        "credentials": [{"value": "{password}", "n": 1}],
        "on": True,
        "tags": ["{badge}", "all"],
        "fixed": "",
    }
    without = fill(template, {"forename": "Zoë", "surname": ""})
    assert without == {"name": {"first": "Zoë"}, "display": "Zoë", "on": True, "tags": ["all"], "fixed": ""}
    values = {"forename": "Zoë", "surname": "M", "password": " a  {b} ", "badge": "7"}
    assert fill(template, values) == {
        "name": {"first": "Zoë", "last": "M"},
        "display": "Zoë M",
        "secret": {"value": " a  {b} ", "temporary": False},
        "credentials": [{"value": " a  {b} ", "n": 1}],
        "on": True,
        "tags": ["7", "all"],
        "fixed": "",
    }


def test_numbers_and_truth_values_are_no_texts_in_a_document() -> None:
    options = RestPortalOptions.model_validate(
        {
            "url": "https://portal.example/api/",
            "users": {"all": "GET /users", "fields": {"beds": "work.beds", "permanent": "permanent", "badge": "badge"}},
            "groups": {},
        }
    )
    fields = FieldSet(
        [
            Field(name="beds", heading="Beds", type=FieldType.INTEGER),
            Field(name="permanent", heading="Permanent", type=FieldType.BOOLEAN),
            Field(name="badge", heading="Badge"),
        ]
    )
    mapping = RestMapping(options, fields)
    user = Desired(username="ana", fields={"beds": "7", "permanent": "false", "badge": "7"})
    made = mapping.new({"id": 1}, user, "key")
    assert (made["work"], made["permanent"], made["badge"]) == ({"beds": 7}, False, "7")
    read = mapping.user(made)
    assert read is not None
    assert read.fields == user.fields
