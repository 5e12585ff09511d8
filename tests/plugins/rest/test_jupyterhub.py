"""JupyterHub by `use = "rest"` and its profile: a real portal, which stores names and groups and nothing else."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from musterroll import (
    AddMembers,
    CreateGroup,
    CreateUser,
    DeleteGroup,
    DeleteUser,
    Desired,
    GroupRef,
    Op,
    RemoveMembers,
    Result,
    Status,
    UserBackend,
    UserKey,
    UserRef,
)
from musterroll_testing.crash import Killer, duration
from support.jupyterhub import HUB_TOKEN, Hub, jupyterhub, needs_jupyterhub
from support.rest_portals import open_rest
from support.workplace import COMMAND, Workplace

pytestmark = [needs_jupyterhub, pytest.mark.slow]

USERS, CLASSES, KILLS = 500, 16, 5


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with jupyterhub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def backend(hub: Hub) -> Iterator[UserBackend]:
    with closing(open_rest(hub.url, profile="jupyterhub", token=HUB_TOKEN)) as backend:
        yield backend


def perform(backend: UserBackend, op: Op) -> Result:
    (result,) = backend.execute(iter([op]))
    return result


def test_users_and_groups(hub: Hub, backend: UserBackend) -> None:
    desired = backend.canonical(Desired(username="Zoë.Müller", fields={"email": "zoe@example.com", "phone": None}))
    assert desired == Desired(username="zoë.müller", fields={})
    zoe = CreateUser(id="1", user=desired)
    result = perform(backend, zoe)
    assert (result.status, result.ref) == (Status.DONE, "zoë.müller")
    assert [one.status for one in backend.resolve([zoe])] == [Status.DONE]
    assert perform(backend, CreateUser(id="2", user=desired)).status is Status.CONFLICT
    odd = perform(backend, CreateUser(id="3", user=Desired(username="a/b", fields={})))
    assert (odd.status, "a/b" in (odd.detail or "")) == (Status.FAILED, True)

    group = CreateGroup(id="4", path=("R&D", "North / South"), parent=None)
    ref = perform(backend, group).ref or ""
    assert ref == "R&D|North / South"
    assert [one.path for one in backend.groups()] == [group.path]
    assert perform(backend, group).status in (Status.DONE, Status.NOOP)
    at, member = GroupRef(ref, group.path), UserRef("zoë.müller", "zoë.müller")
    added = perform(backend, AddMembers(id="5", group=at, members=(member, UserRef("ghost", "ghost"))))
    assert (added.status, set(added.refused)) == (Status.DONE, {"ghost"})
    gone = GroupRef("nowhere", ("nowhere",))
    assert perform(backend, AddMembers(id="6", group=gone, members=(member,))).status is Status.FAILED
    key = UserKey.of("username", "ZOË.MÜLLER")
    assert [user.groups for user in backend.lookup([key])[key]] == [{ref}]
    assert perform(backend, DeleteGroup(id="7", group=at)).detail == "the group still has members"
    assert perform(backend, RemoveMembers(id="8", group=at, members=(member,))).status is Status.DONE
    assert perform(backend, DeleteGroup(id="9", group=at)).status is Status.DONE
    assert perform(backend, DeleteUser(id="10", user=member)).status is Status.DONE
    assert perform(backend, DeleteUser(id="11", user=member)).status is Status.NOOP
    assert (hub.users(), hub.groups()) == ([], [])


def test_five_hundred_users_and_twenty_groups_with_five_kills(hub: Hub, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.write(
        "musterroll.toml",
        f"""
        name = "hub"
        password = {{ required = "never" }}
        [sheet]
        omit = ["forename", "surname", "password", "calling_code", "phone"]
        [backend]
        use = "rest"
        options = {{ profile = "jupyterhub", url = "{hub.url}", token = {{ env = "HUB_TOKEN" }} }}
        """,
    )
    rows = [f"user{n}@example.com,User{n},Class {n % CLASSES};Year {n % 2}|All" for n in range(USERS)]
    place.write("users.csv", "\n".join(["Email,Username,Groups", "guidance,,", *rows]))
    environment = {**os.environ, "HUB_TOKEN": HUB_TOKEN}
    run, resume = [str(COMMAND), "run", "users.csv"], [str(COMMAND), "jobs", "resume", "last"]
    start = duration([str(COMMAND), "jobs", "list"], tmp_path, environment)

    killer = Killer(tmp_path, random.Random(5), environment)
    command = run
    while killer.kills < KILLS:
        assert killer.run(command, earliest=start * 1.5, latest=start * 1.5 + 2.5) is None, "it was too quick"
        command = resume
    subprocess.run(resume, cwd=tmp_path, env=environment, check=False, capture_output=True, timeout=600)
    done = place.json("jobs", "show", "last", HUB_TOKEN=HUB_TOKEN)
    assert done.status == 0, done.document["job"]
    assert done.document["job"]["counts"]["created"] == USERS, done.document["job"]
    again = place.json("run", "users.csv", HUB_TOKEN=HUB_TOKEN)
    assert again.document["job"]["counts"]["unchanged"] == USERS, again.out

    users, groups = hub.users(), hub.groups()
    assert sorted(user["name"] for user in users) == sorted(f"user{n}" for n in range(USERS))
    assert len(groups) == CLASSES + 4 == 20
    assert {user["name"]: set(user["groups"]) for user in users} == {
        f"user{n}": {f"Class {n % CLASSES}", f"Year {n % 2}|All"} for n in range(USERS)
    }
    activity = [(user["name"], user["created"]) for user in users]
    assert place.json("run", "users.csv", HUB_TOKEN=HUB_TOKEN).status == 0
    assert [(user["name"], user["created"]) for user in hub.users()] == activity
