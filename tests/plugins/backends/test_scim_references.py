"""Whoever is named by a field of the type `user` is known to a SCIM portal by the id, as a manager is (RFC 7643)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tomli_w

from support.canaille import CANAILLE_TOKEN, canaille, needs_canaille
from support.mock_portal import mock_portal
from support.rosters import write_csv
from support.scim_backends import ENTERPRISE
from support.scim_servers import Portal, provider
from support.workplace import Ended, Inside, asks_for_nothing

MANAGER = f"{ENTERPRISE}:manager.value"
HEADINGS = ("Username", "Forename", "Staff number", "Manager")
STAFF = [["ana", "Ana", "1", "cy"], ["bo", "Bo", "2", "ANA"], ["cy", "Cy", "3", "ana"], ["dee", "Dee", "4", ""]]


class Firm:
    """A folder with a pipeline and sheets, and a portal that keeps managers by their ids."""

    def __init__(self, place: Inside, portal: Portal) -> None:
        self.place, self.portal = place, portal
        self.point()

    def point(self, *, url: str = "", sheet: str = "", path: str = MANAGER, **options: object) -> None:
        """Writes the pipeline file."""
        fields = {"staff_number": f"{ENTERPRISE}:employeeNumber", "manager": path}
        backend = {"use": "scim", "options": {"url": url or self.portal.url, "fields": fields, **options}}
        self.place.write(
            "musterroll.toml",
            f"""
            name = "firm"
            match = ["staff_number", "username"]
            password.required = "never"
            undo.created = "delete"
            [sheet]
            {sheet}
            omit = ["email", "surname", "password", "calling_code", "phone", "groups"]
            [[sheet.fields]]
            name = "staff_number"
            heading = "Staff number"
            [[sheet.fields]]
            name = "manager"
            heading = "Manager"
            type = "user"
            [invites]
            send_to = "none"
            [limits]
            update = "100%"
            """
            + tomli_w.dumps({"backend": backend}),
        )

    def run(self, rows: list[list[str]], command: str = "run") -> Ended:
        write_csv(self.place.folder / "staff.csv", rows, headings=HEADINGS, guidance=("",) * 4)
        return self.place.json(command, "staff.csv")

    def managers(self) -> dict[str, str | None]:
        """Whose id each user has as the manager's."""
        users = {user.user_name: user for user in self.portal.users()}
        names = {user.id: name for name, user in users.items()}
        found = {name: self.enterprise(user).get("manager") or {} for name, user in users.items()}
        return {name: names.get(manager.get("value"), manager.get("value")) for name, manager in found.items()}

    def enterprise(self, user: Any) -> dict[str, Any]:
        return user.model_dump().get(ENTERPRISE) or {}

    def leave(self, name: str) -> None:
        """Somebody deletes a user there."""
        kind = next(kind for kind in self.portal.provider.resource_types if kind.name == "User")
        self.portal.storage.storage.delete(kind, self.user(name).id)

    def user(self, name: str) -> Any:
        return next(user for user in self.portal.users() if user.user_name == name)


@pytest.fixture
def firm(inside: Inside, portal: Portal) -> Firm:
    return Firm(inside, portal)


ALL = {"ana": "cy", "bo": "ana", "cy": "ana", "dee": None}


@pytest.mark.parametrize("update", ["patch", "put"])
def test_managers_are_kept_by_their_ids_and_the_second_run_only_looks(firm: Firm, update: str) -> None:
    firm.point(update=update)
    assert firm.run(STAFF).document["job"]["counts"]["created"] == 4
    assert firm.managers() == ALL
    firm.portal.faults.seen.clear()
    again = firm.run(STAFF)
    assert (again.status, again.document["job"]["counts"]["unchanged"]) == (0, 4)
    assert not firm.portal.faults.writes()
    assert firm.place.json("export", "-o", "out.csv").status == 0
    asks_for_nothing(firm.place, "out.csv", 4)
    assert "dee" not in firm.place.json("plan", "out.csv").document["groups_to_create"]


@pytest.mark.parametrize("update", ["patch", "put"])
def test_another_manager_and_none_and_all_of_it_taken_back(firm: Firm, update: str) -> None:
    firm.run(STAFF)
    bo = firm.user("bo")
    stored = firm.enterprise(bo)
    firm.point(update=update, sheet='on_blank_cell = "clear"')
    changed = [["ana", "Ana", "1", ""], ["bo", "Bo", "2", "dee"], *STAFF[2:]]
    done = firm.run(changed)
    assert (done.status, done.document["job"]["counts"]["updated"]) == (0, 2)
    before = {change["username"]: change["fields"].get("manager") for change in done.document["changes"]}
    assert before["ana"] == {"before": "cy", "after": None}
    assert before["bo"] == {"before": "ana", "after": "dee"}
    assert firm.managers() == {"ana": None, "bo": "dee", "cy": "ana", "dee": None}
    assert "manager" not in firm.enterprise(firm.user("ana"))
    assert firm.run(changed).document["job"]["counts"]["unchanged"] == 4
    assert firm.place.json("jobs", "undo", done.document["job"]["id"], "--yes").status == 0
    assert firm.managers() == ALL
    assert firm.enterprise(firm.user("bo")) == stored


def test_the_address_of_the_former_manager_goes_with_a_put(firm: Firm) -> None:
    firm.run(STAFF)
    extension = next(value for _, value in firm.user("bo") if type(value).__name__ == "EnterpriseUser")
    extension.manager.ref = "https://portal.example/Users/ana"
    firm.point(update="put")
    firm.run([STAFF[0], ["bo", "Bo", "2", "dee"], *STAFF[2:]])
    assert firm.managers()["bo"] == "dee"
    assert "portal.example" not in str(firm.enterprise(firm.user("bo")))


def test_whoever_gets_another_name_stays_the_manager_and_back_again(firm: Firm) -> None:
    firm.point(concurrency=1, bulk="never")
    firm.run(STAFF)
    renamed = [
        ["bo", "Bo", "2", "ana.silva"],
        ["cy", "Cy", "3", "ana.silva"],
        STAFF[3],
        ["ana.silva", "Ana", "1", "cy"],
    ]
    done = firm.run(renamed)
    assert done.status == 0, done
    assert firm.managers() == {"ana.silva": "cy", "bo": "ana.silva", "cy": "ana.silva", "dee": None}
    assert firm.run(renamed).document["job"]["counts"]["unchanged"] == 4
    undone = firm.place.json("jobs", "undo", done.document["job"]["id"], "--yes")
    assert (undone.status, firm.managers()) == (0, ALL), undone
    first = firm.place.json("jobs", "list").document["jobs"]
    created = next(job["id"] for job in first if job["counts"]["created"])
    assert firm.place.json("jobs", "undo", created, "--yes").status == 0
    assert firm.managers() == {}


@pytest.mark.parametrize("options", [{"lookup": "filter"}, {"bulk": "never"}, {"lookup": "index", "bulk": "never"}])
def test_however_users_are_looked_up(firm: Firm, options: dict[str, Any]) -> None:
    firm.point(**options)
    assert firm.run(STAFF).status == 0
    assert firm.managers() == ALL
    assert firm.run(STAFF).document["job"]["counts"]["unchanged"] == 4
    changed = [STAFF[0], ["bo", "Bo", "2", "dee"], *STAFF[2:], ["eve", "Eve", "5", "bo"]]
    counts = firm.run(changed).document["job"]["counts"]
    assert (counts["updated"], counts["created"], counts["unchanged"]) == (1, 1, 3)
    assert firm.managers() == {**ALL, "bo": "dee", "eve": "bo"}


def test_a_portal_that_ignores_filters_is_read_once_for_all_managers(firm: Firm) -> None:
    firm.portal.faults.ignore_filters = True
    names = [f"boss{n}" for n in range(30)]
    firm.point(bulk="never")
    firm.run([[name, name, str(n), ""] for n, name in enumerate(names)])
    firm.portal.faults.seen.clear()
    staff = [[f"user{n}", "Una", str(100 + n), name] for n, name in enumerate(names)]
    assert firm.run(staff).document["job"]["counts"]["created"] == 30
    assert firm.portal.faults.seen.count("GET /Users") <= 6
    assert {firm.managers()[f"user{n}"] for n in range(30)} == set(names)


def test_the_attribute_may_be_named_without_its_value(firm: Firm) -> None:
    firm.point(path=MANAGER.removesuffix(".value"))
    assert firm.run(STAFF).status == 0
    assert firm.managers() == ALL
    assert firm.run(STAFF).document["job"]["counts"]["unchanged"] == 4


def test_a_field_that_is_no_reference_in_the_portal_has_the_name(firm: Firm) -> None:
    firm.point(path="nickName")
    assert firm.run(STAFF).status == 0
    assert firm.user("bo").nick_name == "ana"


def test_a_portal_without_managers_says_so_at_the_cell(inside: Inside, new_portal: Callable[..., Portal]) -> None:
    def poor(config: Any, schemas: Any, kinds: Any) -> None:
        user = schemas[ENTERPRISE]
        user["attributes"] = [one for one in user["attributes"] if one["name"] != "manager"]

    ended = Firm(inside, new_portal(provider(poor))).run(STAFF)
    assert ("backend.unsupported", "D3") in ended.codes
    assert ended.status == 1


def test_whoever_goes_before_it_is_written_is_told_and_nobody_else_is_named(firm: Firm) -> None:
    firm.run([STAFF[3]])
    opened = 0

    def leave(method: str, path: str) -> None:
        nonlocal opened
        opened += path == "/ServiceProviderConfig"
        if opened == 2:  # by who writes
            opened += 1
            firm.leave("dee")

    firm.portal.faults.before = leave
    done = firm.run([["ana", "Ana", "1", ""], ["bo", "Bo", "2", "dee"]])
    assert (done.status, done.document["job"]["counts"]["failed"]) == (4, 1)
    shown = firm.place.run("jobs", "show", done.document["job"]["id"])
    assert 'the portal has no user "dee", who is named as manager; run the sheet again' in shown.out
    assert firm.managers() == {"ana": None}


def test_whoever_has_gone_is_shown_by_the_id_and_stays(firm: Firm) -> None:
    firm.run(STAFF)
    gone = firm.user("ana").id
    firm.leave("ana")
    assert firm.place.json("export", "-o", "out.csv").status == 0
    planned = firm.place.json("plan", "out.csv")
    assert {change["action"] for change in planned.document["changes"]} == {"unchanged"}
    assert [(p["code"], p["severity"], p["value"]) for p in planned.document["problems"]] == [
        ("manager.unknown_user", "warning", f"id:{gone}")
    ] * 2


@pytest.mark.parametrize("filters", [True, False])
def test_a_manager_whom_the_portal_does_not_show_is_named_again_by_an_undo(firm: Firm, filters: bool) -> None:
    firm.run(STAFF)
    firm.portal.faults.ignore_filters, firm.portal.faults.hidden = not filters, {"ana"}
    shown = f"id:{firm.user('ana').id}"
    staff = [["bo", "Robert", "2", "dee"], ["cy", "Cy", "3", "dee"], STAFF[3]]
    done = firm.run(staff)
    assert done.status == 0
    assert [change["fields"].get("manager") for change in done.document["changes"]] == [
        {"before": shown, "after": "dee"},
        {"before": shown, "after": "dee"},
        None,
    ]
    undone = firm.place.json("jobs", "undo", done.document["job"]["id"], "--yes")
    assert (undone.status, firm.managers()) == (0, ALL), undone


def test_an_undo_says_whom_it_cannot_name_again_and_takes_the_rest_back(firm: Firm) -> None:
    firm.run(STAFF)
    done = firm.run([["bo", "Robert", "2", "dee"], ["cy", "Cy", "3", "dee"], STAFF[3]])
    assert done.status == 0
    firm.portal.faults.hidden = {"ana"}
    undone = firm.place.json("jobs", "undo", done.document["job"]["id"], "--yes")
    counts = undone.document["job"]["counts"]
    assert (undone.status, counts["failed"], counts["updated"]) == (4, 2, 0)
    assert [(p["code"], p["severity"], p["row"]) for p in undone.document["problems"]] == [
        ("manager.unknown_user", "warning", 3),
        ("manager.unknown_user", "warning", 4),
    ]
    assert "ana" in undone.document["problems"][0]["message"]
    assert {failure["detail"] for failure in undone.document["job"]["failures"]} == {
        'the portal has no user "ana", who is named as manager; run the sheet again'
    }
    assert (firm.user("bo").name.given_name, firm.managers()["bo"]) == ("Bo", "dee")
    firm.portal.faults.hidden = set()
    again = firm.place.json("jobs", "resume", "last")
    assert (again.status, firm.managers()) == (0, ALL), again


def test_a_line_that_breaks_over_managers_makes_nothing_twice(firm: Firm) -> None:
    firm.point(bulk="never", retries=1)
    count = 0

    def die(method: str, path: str) -> None:
        nonlocal count
        count += method == "PATCH"
        firm.portal.faults.dead = count >= 2

    firm.portal.faults.before = die
    done = firm.run(STAFF)
    assert done.status == 4
    firm.portal.faults = type(firm.portal.faults)()
    assert firm.place.json("jobs", "resume", done.document["job"]["id"]).status == 0
    assert firm.managers() == ALL


@pytest.mark.slow
def test_the_mock_portal_keeps_managers_by_their_ids(firm: Firm) -> None:
    with mock_portal(firm.place.folder / "portal.db", "--passwords", "none") as mock:
        firm.point(url=mock.url, token={"env": "MUSTERROLL_PORTAL_TOKEN"})
        assert firm.run(STAFF).status == 0
        found = mock.ask("GET", "/Users").body["Resources"]
        ids = {user["userName"]: user["id"] for user in found}
        managers = {user["userName"]: user[ENTERPRISE].get("manager", {}).get("value") for user in found}
        assert managers == {name: manager and ids[manager] for name, manager in ALL.items()}
        assert firm.run(STAFF).document["job"]["counts"]["unchanged"] == 4


@needs_canaille
@pytest.mark.slow
def test_canaille_says_at_the_cell_that_it_keeps_no_managers(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANAILLE_TOKEN", CANAILLE_TOKEN)
    with canaille(firm.place.folder) as url:
        firm.point(url=url, token={"env": "CANAILLE_TOKEN"})
        ended = firm.run(STAFF)
    assert [code for code in ended.codes if code[1] and code[1].startswith("D")] == [
        ("backend.unsupported", f"D{row}") for row in (3, 4, 5)
    ]
