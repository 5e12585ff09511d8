"""The portal as the engine calls it: compared again, asked once, closed by itself."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import pytest

from musterroll import Capabilities, Desired, Existing, Objection, Secret, UserKey, Wanted
from musterroll.errors import PluginError
from musterroll.portal.portal import Portal
from musterroll.registry.watch import Watch
from musterroll.testing import MemoryBackend


def portal(**methods: Any) -> Portal:
    inner = MemoryBackend()
    for name, method in methods.items():
        setattr(inner, name, method)
    return Portal(inner, "backend", Watch())


def existing(ref: str, username: str, **fields: str | None) -> Existing:
    return Existing(ref=ref, username=username, fields=fields)


def test_only_users_whom_a_key_means_come_out_of_a_look_up_each_once() -> None:
    everybody = [
        existing("u1", "Ana", email="A@Example.com"),
        existing("u2", "bo", email="ana"),
        existing("u3", "cy"),
        existing("u1", "Ana", email="A@Example.com"),
    ]
    keys = [UserKey.of("username", "ana"), UserKey.of("email", "a@example.com"), UserKey.of("email", "x@example.com")]
    found = portal(lookup=lambda keys: dict.fromkeys(keys, everybody)).lookup(keys)
    assert {key.raw: [user.ref for user in users] for key, users in found.items()} == {
        "ana": ["u1"],
        "a@example.com": ["u1"],
    }


def test_a_look_up_of_nobody_asks_nothing() -> None:
    def lookup(keys: object) -> None:
        raise AssertionError("it was asked")

    assert portal(lookup=lookup).lookup([]) == {}


@pytest.mark.parametrize("answer", [None, ["u1"], ["u1", 2], "u1", {"u1": None, "u2": None}])
def test_users_are_compared_each_or_not_at_all(answer: object) -> None:
    users = [Wanted(name, name, (), ()) for name in ("ana", "bo")]
    assert not portal().compares_users
    good = portal(as_wanted=lambda fields, users: ["u1", None])
    assert good.compares_users
    assert list(good.as_wanted(["email"], users)) == ["u1", None]
    with pytest.raises(PluginError, match=r"comparing users: as_wanted\(\) must return a ref or None for each"):
        portal(as_wanted=lambda fields, users: answer).as_wanted(["email"], users)


def test_every_user_is_listed_once_and_a_list_without_end_is_broken_off() -> None:
    ana, bo = existing("u1", "ana"), existing("u2", "bo")
    assert list(portal(all_users=lambda: iter([ana, bo, ana])).all_users()) == [ana, bo]
    with pytest.raises(PluginError, match="it shows the same users again and again, e.g. ana"):
        list(portal(all_users=lambda: repeat(ana)).all_users())
    with pytest.raises(PluginError, match=r"all_users\(\) must yield users \(Existing\), not None"):
        list(portal(all_users=lambda: [None]).all_users())
    with pytest.raises(PluginError, match="must be a text"):
        list(portal(all_users=lambda: [existing("u1", "")]).all_users())


def test_who_it_is_and_what_it_can_do_is_asked_once() -> None:
    asked: list[str] = []

    def identity() -> str:
        asked.append("identity")
        return "acme"

    def capabilities() -> Capabilities:
        asked.append("capabilities")
        return Capabilities(delete=True)

    one = portal(identity=identity, capabilities=capabilities)
    assert {one.identity() for _ in range(3)} == {"acme"}
    assert all(one.capabilities().delete for _ in range(3))
    assert asked == ["identity", "capabilities"]


def test_it_closes_itself_and_what_goes_wrong_first_is_what_is_told() -> None:
    def close() -> None:
        raise OSError("the line is gone")

    with pytest.raises(PluginError, match=r"^backend broke while closing"), portal(close=close):
        pass
    with pytest.raises(ZeroDivisionError), portal(close=close):
        raise ZeroDivisionError


def test_what_a_backend_objects_to_is_looked_at_and_tells_no_password() -> None:
    ana, secret = Desired(username="ana", fields={}), Secret("Canary-7c1f-Sesame")
    assert not portal().checks_users
    asked = portal(check=lambda user, ref, password: [Objection("password", f"{password.reveal()} is too weak")])
    assert asked.checks_users
    (objection,) = asked.check(ana, None, secret)
    assert (objection.field, objection.code) == ("password", "backend.unsupported")
    assert "Canary" not in objection.message
    for answer in (["too weak"], None, [Objection("", "why")]):
        with pytest.raises(PluginError, match="check"):
            portal(check=lambda *_, answer=answer: answer).check(ana, None, None)
