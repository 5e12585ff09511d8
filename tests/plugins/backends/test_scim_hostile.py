"""Portals that answer without end, without sense, or with what nobody can keep: one clear line each, and soon."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from musterroll import (
    AddMembers,
    BackendError,
    CreateGroup,
    DeleteGroup,
    GroupRef,
    Status,
    UpdateUser,
    UserBackend,
    UserKey,
    UserRef,
)
from support.hostile_servers import Talk, answer, hostile, routes
from support.scim_backends import Opened, creation, creations, perform
from support.workplace import Inside

USERS: list[Any] = [{"id": str(n), "userName": f"user{n}"} for n in range(5)]


def page(total: object, users: list[Any] = USERS) -> bytes:
    return answer(json.dumps({"totalResults": total, "Resources": users}).encode())


def portal(users: Any, **others: Any) -> Talk:
    """A portal whose list of users is this."""
    return routes({"GET /Users": users, "GET /Groups": page(0, []), **others})


def complaint(backend: UserBackend) -> str:
    """What somebody hears who looks for a user; it must come soon."""
    began = time.monotonic()
    with pytest.raises(BackendError) as caught:
        backend.lookup([UserKey.of("username", "ana")])
    assert time.monotonic() - began < 10
    message = caught.value.message
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize(
    ("total", "told"),
    [
        (2**31, "speaks of more than 2000000; if there are so many, raise max_users"),
        (10**4000, "speaks of more than 2000000"),
        (-1, "totalResults is no number of anything"),
        (2.5, "totalResults is no number of anything"),
        ("many", "totalResults is no number of anything"),
        (True, "totalResults is no number of anything"),
        ([5], "totalResults is no number of anything"),
        (1, "it speaks of 1 and shows 5"),
        (1_000_000, "speaks of 1000000 and shows 5"),
    ],
)
def test_a_total_that_is_none(opened: Opened, total: object, told: str) -> None:
    with hostile(portal(page(total))) as server:
        assert told in complaint(opened(server.url))


def test_pages_that_repeat_come_to_an_end(opened: Opened) -> None:
    with hostile(portal(page(100_000))) as server:
        assert "speaks of 100000 and shows 5" in complaint(opened(server.url))


@pytest.mark.parametrize(
    "body",
    [
        b'{"totalResults": 0, "Resources": [], "a": ' + b"1" * 1_000_000 + b"}",
        b'{"totalResults": NaN, "Resources": []}',
        b'{"totalResults": 0, "totalResults": 1, "Resources": []}',
        b'{"a":' * 50_000,
        b"[" * 500_000,
        b'{"totalResults": 0, "Resources": [',
        b"\xff\xfe\xfd",
    ],
    ids=["digits", "nan", "twice", "objects", "lists", "half", "bytes"],
)
def test_json_that_is_none(opened: Opened, body: bytes) -> None:
    with hostile(portal(answer(body))) as server:
        assert "something that is no JSON instead of SCIM" in complaint(opened(server.url))


def test_what_is_nested_deeply_is_said(opened: Opened) -> None:
    """Deep enough to be read, and too deep for what works with it."""
    deep: Any = []
    for _ in range(300):
        deep = {"name": "x", "subAttributes": [deep]}
    user = {"id": "urn:ietf:params:scim:schemas:core:2.0:User", "attributes": [deep]}
    schemas = answer(json.dumps({"Resources": [user]}).encode())
    with hostile(portal(page(0, []), **{"GET /Schemas": schemas})) as server:
        backend = opened(server.url)
        try:
            backend.capabilities()
        except BackendError as error:
            assert "nested too deeply" in error.message  # noqa: PT017 -- either is right


BAD_IDS = {"half a character": "a\ud800b", "control characters": "a\0b", "characters": "x" * 1_000_000}


@pytest.mark.parametrize("why", BAD_IDS)
def test_an_id_that_nothing_keeps(opened: Opened, why: str) -> None:
    ref = BAD_IDS[why]
    with hostile(portal(page(1, [{"id": ref, "userName": "eve"}]))) as server:
        told = complaint(opened(server.url))
        assert 'the user "eve" an id that cannot be kept' in told
        assert why in told
    made = answer(json.dumps({"id": ref}).encode(), status="201 Created")
    server_of = hostile(portal(page(0, []), **{"POST /Users": made}))
    with server_of as server, pytest.raises(BackendError, match="cannot be kept"):
        perform(opened(server.url, bulk="never"), *creations(1))


@pytest.mark.parametrize("why", BAD_IDS)
def test_a_job_with_such_an_id_can_go_on(scratch: Inside, why: str) -> None:
    heads = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\nx,x,x,x,x,x,x,x\n"
    scratch.write("staff.csv", heads + "ana@example.com,ana,Ana,Silva,Tr0ub4dor&30a,,,\n")
    users: list[Any] = []

    def listed(got: bytes) -> bytes:
        return page(len(users), users)

    def created(got: bytes) -> bytes:
        users.append({**json.loads(got.partition(b"\r\n\r\n")[2]), "id": BAD_IDS[why]})
        return answer(json.dumps(users[-1]).encode(), status="201 Created")

    with hostile(portal(listed, **{"POST /Users": created})) as server:
        scratch.write("musterroll.toml", f'name = "x"\nbackend.use = "scim"\nbackend.options.url = "{server.url}"\n')
        first = scratch.run("run", "staff.csv")
        assert first.status == 4
        assert "an id that cannot be kept" in first.err
        assert "jobs resume" in first.out + first.err
        assert scratch.run("jobs", "resume", "last").status == 4  # it is still as it was
        users[0]["id"] = "7"
        resumed = scratch.json("jobs", "resume", "last")
    assert resumed.status == 0, resumed.out
    assert resumed.document["job"]["counts"]["created"] == 1
    assert len(users) == 1


@pytest.mark.parametrize(
    "token",
    [
        {"access_token": "a\r\nX-Evil: 1"},
        {"access_token": "\ud800"},
        {"access_token": "good", "expires_in": 10**4000},
        {"access_token": "good", "expires_in": -5},
    ],
    ids=["line break", "half", "for ever", "ended"],
)
def test_a_token_service_that_gives_nonsense(opened: Opened, monkeypatch: pytest.MonkeyPatch, token: Any) -> None:
    monkeypatch.setenv("A_SECRET", "s")
    given = answer(json.dumps(token).encode())
    with hostile(portal(page(0, []), **{"POST /token": given})) as server:
        client = {"client_id": "c", "client_secret": {"env": "A_SECRET"}, "token_url": f"{server.url}/token"}
        backend = opened(server.url, **client)
        if token["access_token"] == "good":
            assert backend.count_users() == 0
        else:
            assert "no access_token that can be used" in complaint(backend)


def test_nonsense_in_an_answer_to_several_operations(opened: Opened) -> None:
    config = answer(b'{"bulk": {"supported": true, "maxOperations": 100, "maxPayloadSize": 100000}}')
    said = [
        {"bulkId": "b0", "status": "1" * 5000},
        {"bulkId": "b1", "status": -201},
        {"bulkId": "b2", "status": [201]},
        {"bulkId": ["b3"], "status": "201"},
        "b4",
    ]
    done = answer(json.dumps({"Operations": said}).encode())
    parts = {"GET /ServiceProviderConfig": config, "POST /Bulk": done}
    with hostile(portal(page(0, []), **parts)) as server:
        results = perform(opened(server.url), *creations(5))
    assert {result.status for result in results} == {Status.UNKNOWN}


def test_half_a_character_in_what_a_portal_says(opened: Opened) -> None:
    refused = answer(json.dumps({"detail": "no \ud800 way"}).encode(), status="400 Bad Request")
    users = [{"id": "1", "userName": "b\udc00", "name": {"familyName": "x\ud800"}}]
    with hostile(portal(page(1, users), **{"POST /Users": refused})) as server:
        backend = opened(server.url)
        (result,) = perform(backend, creation("ana"))
        assert result.status is Status.FAILED
        assert str(result.detail).encode()
        assert backend.lookup([UserKey.of("username", "ana")]) == {}


def test_members_that_nobody_can_be(opened: Opened) -> None:
    group = {"id": "g1", "displayName": "A", "members": [{"value": "\ud800"}, {"value": "\0"}]}
    shown = answer(json.dumps(group).encode())
    nobody = answer(b"{}", status="404 Not Found")
    parts = {
        "GET /Groups/g1": shown,
        "GET /Groups/%": nobody,
        "DELETE /Groups/g1": answer(b"", status="204 No Content"),
    }
    with hostile(portal(page(0, []), **parts)) as server:
        (result,) = perform(opened(server.url), DeleteGroup(id="d1", group=GroupRef("g1", ("A",))))
    assert result.status is Status.DONE


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_json_at_all(opened: Opened, seed: int) -> None:
    """Whatever shape an answer has: a result for each operation, or one clear line."""
    chance = Random(seed)
    odd: list[Any] = [None, True, -1, 0, 2**40, 1.5, "", "x", "\ud800", [], [None], [[]], {}, {"a": 1}, "a\0"]

    def spoilt(value: Any) -> Any:
        if chance.random() < 0.08:
            return chance.choice(odd)
        if isinstance(value, dict):
            return {name: spoilt(one) for name, one in value.items() if chance.random() > 0.04}
        return [spoilt(one) for one in value] if isinstance(value, list) else value

    user = {"id": "1", "userName": "user0", "externalId": "op-user0", "emails": [{"value": "a@b.example"}]}
    group = {"id": "g1", "displayName": "A", "externalId": "g", "members": [{"value": "1"}]}
    bulk = {"supported": True, "maxOperations": 10, "maxPayloadSize": 100_000}
    answers: dict[str, Any] = {
        "GET /ServiceProviderConfig": {"bulk": bulk, "filter": {"supported": True, "maxResults": 100}},
        "GET /Users": {"totalResults": 1, "Resources": [user]},
        "GET /Users/": user,
        "GET /Groups": {"totalResults": 1, "Resources": [group]},
        "GET /Groups/": group,
        "POST /Bulk": {"Operations": [{"bulkId": f"b{n}", "status": "201", "response": {"id": "5"}} for n in range(3)]},
        "POST /Users": user,
        "POST /Groups": group,
        "PATCH ": user,
    }

    def maker(value: Any) -> Any:
        return lambda got: answer(json.dumps(spoilt(value)).encode())

    a = GroupRef("g1", ("A",))
    ops = [
        *creations(3),
        UpdateUser(id="u1", user=UserRef("1", "user0"), changes={"surname": "z", "email": "q@r.example"}),
        CreateGroup(id="cg", path=("A", "D"), parent=a),
        AddMembers(id="am", group=a, members=(UserRef("1", "user0"),)),
        DeleteGroup(id="dg", group=a),
    ]
    for _ in range(15):
        with hostile(routes({start: maker(value) for start, value in answers.items()})) as server:
            backend = opened(server.url, retries=1, timeout=2)
            with suppress(BackendError):
                list(backend.groups())
            with suppress(BackendError):
                backend.lookup([UserKey.of("username", "user0")])
            with suppress(BackendError):
                list(backend.execute(iter(ops)))
            with suppress(BackendError):
                list(backend.resolve(ops))
