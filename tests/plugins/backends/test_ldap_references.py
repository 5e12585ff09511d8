"""Whoever is named by a field of the type `user` is known to a directory by the entry, as a `manager` is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import tomli_w

from support.ldap_servers import IMPORTER, OPENLDAP, PASSWORD, ROOT, SUFFIX, Slapd, dump, needs_slapd, slapd
from support.rosters import write_csv
from support.workplace import Ended, Inside, asks_for_nothing

pytestmark = needs_slapd

COUNTERPART = ("ldap", OPENLDAP)

HEADINGS = ("Username", "Forename", "Staff number", "Department", "Manager")
STAFF = [
    ["bo", "Bo", "2", "Sales", "ANA"],
    ["ana", "Ana", "1", "Sales", "cy"],
    ["cy", "Cy", "3", "", "ana"],
    ["dee", "Dee", "4", "", ""],
]
ALL = {"ana": "cy", "bo": "ana", "cy": "ana", "dee": None}

_numbers = count()
_OVERLAYS = ("overlay refint", "refint_attributes member manager")


@pytest.fixture(scope="module", params=[(), _OVERLAYS], ids=["plain", "refint"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd(tmp_path_factory.mktemp("slapd"), overlays=request.param) as server:
        yield server


class Firm:
    """A folder with a pipeline and sheets, and a part of a directory that keeps managers."""

    def __init__(self, place: Inside, server: Slapd) -> None:
        self.place, self.server = place, server
        self.unit = f"ou=firm{next(_numbers)},{SUFFIX}"
        for dn in (self.unit, f"ou=people,{self.unit}", f"ou=sales,{self.unit}", f"ou=away,{self.unit}"):
            server.add_unit(dn)
        self.point()

    def point(self, *, sheet: str = "", manager: str = "manager", **options: Any) -> None:
        """Writes the pipeline file."""
        backend = {
            "servers": [self.server.url],
            "security": "none",
            "user": IMPORTER,
            "password": {"env": "LDAP_PASSWORD"},
            "base": self.unit,
            "users": f"ou=people,{self.unit}",
            "containers": {"Sales": f"ou=sales,{self.unit}"},
            "attributes": {"staff_number": "employeeNumber", "department": "departmentNumber", "manager": manager},
            "inactive_container": f"ou=away,{self.unit}",
            **options,
        }
        fields = [
            {"name": "staff_number", "heading": "Staff number"},
            {"name": "department", "heading": "Department"},
            {"name": "manager", "heading": "Manager", "type": "user"},
        ]
        omit = ["email", "surname", "password", "calling_code", "phone", "groups"]
        document = {
            "name": "firm",
            "match": ["staff_number", "username"],
            "password": {"required": "never"},
            "undo": {"created": "delete"},
            "absent": "deactivate",
            "on_inactive": "reactivate",
            "invites": {"send_to": "none"},
            "limits": {"update": "100%", "deactivate": "100%"},
            "sheet": {"omit": omit, "fields": fields, **({"on_blank_cell": sheet} if sheet else {})},
            "backend": {"use": "ldap", "options": backend},
        }
        self.place.write("musterroll.toml", tomli_w.dumps(document))

    def run(self, rows: list[list[str]]) -> Ended:
        write_csv(self.place.folder / "staff.csv", rows, headings=HEADINGS, guidance=("",) * 5)
        return self.place.json("run", "staff.csv")

    def entries(self) -> dict[str, dict[str, Any]]:
        return dump(self.server.url, ROOT, PASSWORD, self.unit, "(uid=*)")

    def managers(self) -> dict[str, str | None]:
        """Who the entry is that each user has as the manager."""
        entries = self.entries()
        names = {dn.lower(): entry["uid"][0].decode() for dn, entry in entries.items()}
        managers = {entry["uid"][0].decode(): entry.get("manager", []) for entry in entries.values()}
        assert all(len(values) < 2 for values in managers.values())
        return {
            name: names.get(values[0].decode().lower(), values[0].decode()) if values else None
            for name, values in managers.items()
        }


@pytest.fixture
def firm(inside: Inside, server: Slapd, monkeypatch: pytest.MonkeyPatch) -> Firm:
    monkeypatch.setenv("LDAP_PASSWORD", PASSWORD)
    return Firm(inside, server)


def test_managers_are_kept_by_their_entries_and_the_second_run_writes_nothing(firm: Firm) -> None:
    assert firm.run(STAFF).document["job"]["counts"]["created"] == 4
    assert firm.managers() == ALL
    before = dump(firm.server.url, ROOT, PASSWORD, firm.unit, "(modifyTimestamp=*)")
    again = firm.run(STAFF)
    assert (again.status, again.document["job"]["counts"]["unchanged"]) == (0, 4)
    assert dump(firm.server.url, ROOT, PASSWORD, firm.unit, "(modifyTimestamp=*)") == before
    assert firm.place.json("export", "-o", "out.csv").status == 0
    asks_for_nothing(firm.place, "out.csv", 4)


def test_another_manager_and_none_and_all_of_it_taken_back(firm: Firm) -> None:
    firm.run(STAFF)
    before = firm.entries()
    firm.point(sheet="clear")
    changed = [["bo", "Bo", "2", "Sales", "dee"], ["ana", "Ana", "1", "Sales", ""], *STAFF[2:]]
    done = firm.run(changed)
    assert (done.status, done.document["job"]["counts"]["updated"]) == (0, 2)
    fields = {change["username"]: change["fields"].get("manager") for change in done.document["changes"]}
    assert fields["ana"] == {"before": "cy", "after": None}
    assert fields["bo"] == {"before": "ana", "after": "dee"}
    assert firm.managers() == {"ana": None, "bo": "dee", "cy": "ana", "dee": None}
    assert firm.run(changed).document["job"]["counts"]["unchanged"] == 4
    assert firm.place.json("jobs", "undo", done.document["job"]["id"], "--yes").status == 0
    assert firm.entries() == before
    first = next(job["id"] for job in firm.place.json("jobs", "list").document["jobs"] if job["counts"]["created"])
    assert firm.place.json("jobs", "undo", first, "--yes").status == 0
    assert firm.entries() == {}


@pytest.mark.parametrize("in_flight", [1, 64])
def test_whoever_gets_another_name_stays_the_manager_and_back_again(firm: Firm, in_flight: int) -> None:
    """Of those, too, who are not in the sheet."""
    firm.point(in_flight=in_flight)
    firm.run(STAFF)
    before = firm.entries()
    renamed = [["bo", "Bo", "2", "Sales", "ana.silva"], ["ana.silva", "Ana", "1", "Sales", "cy"], *STAFF[3:]]
    firm.place.write(
        "musterroll.toml",
        firm.place.folder.joinpath("musterroll.toml").read_text().replace('absent = "deactivate"', 'absent = "keep"'),
    )
    done = firm.run(renamed)
    assert done.status == 0, done
    assert firm.managers() == {"ana.silva": "cy", "bo": "ana.silva", "cy": "ana.silva", "dee": None}
    assert firm.run(renamed).document["job"]["counts"]["unchanged"] == 3
    undone = firm.place.json("jobs", "undo", done.document["job"]["id"], "--yes")
    assert undone.status == 0, undone
    assert firm.managers() == ALL
    assert firm.entries() == before


def test_whoever_gets_another_place_stays_the_manager(firm: Firm) -> None:
    """Although those who name them are written at the same time."""
    firm.run(STAFF)
    moved = [["bo", "Bo", "2", "", "cy"], ["ana", "Ana", "1", "", "cy"], ["cy", "Cy", "3", "Sales", "bo"], STAFF[3]]
    assert firm.run(moved).status == 0
    assert firm.managers() == {"ana": "cy", "bo": "cy", "cy": "bo", "dee": None}
    assert firm.run(moved).document["job"]["counts"]["unchanged"] == 4
    gone = firm.run(moved[:2] + moved[3:])  # cy leaves, and is put below ou=away
    assert gone.document["job"]["counts"]["deactivated"] == 1
    assert firm.managers() == {"ana": "cy", "bo": "cy", "cy": "bo", "dee": None}
    assert any("ou=away" in dn for dn in firm.entries())
    assert firm.run(moved).status == 0
    assert firm.managers() == {"ana": "cy", "bo": "cy", "cy": "bo", "dee": None}


def test_a_manager_who_is_no_user_here_is_shown_by_the_entry_and_comes_back(firm: Firm) -> None:
    firm.run(STAFF)
    director = f"cn=importer,{SUFFIX}"
    bo = next(dn for dn in firm.entries() if dn.startswith("uid=bo"))
    with firm.server.as_root() as root:
        root.modify_s(bo, [(2, "manager", [director.encode()])])
    done = firm.run([["bo", "Bo", "2", "Sales", "dee"], *STAFF[1:]])
    assert done.document["changes"][0]["fields"]["manager"] == {"before": director, "after": "dee"}
    assert firm.place.json("jobs", "undo", done.document["job"]["id"], "--yes").status == 0
    assert firm.managers()["bo"] == director
    assert firm.place.json("export", "-o", "out.csv").status == 0
    planned = firm.place.json("plan", "out.csv")
    assert {change["action"] for change in planned.document["changes"]} == {"unchanged"}
    assert [(p["code"], p["severity"]) for p in planned.document["problems"]] == [("manager.unknown_user", "warning")]


def test_an_attribute_that_is_a_text_has_the_username(firm: Firm) -> None:
    firm.point(manager="title")
    assert firm.run(STAFF).status == 0
    assert next(entry for dn, entry in firm.entries().items() if "uid=bo" in dn)["title"] == [b"ana"]
    assert firm.run(STAFF).document["job"]["counts"]["unchanged"] == 4


def test_whoever_is_nowhere_is_a_problem_at_the_cell(firm: Firm) -> None:
    ended = firm.run([*STAFF[:2], ["cy", "Cy", "3", "", "deee"], STAFF[3]])
    (problem,) = [one for one in ended.document["problems"] if one["severity"] == "error"]
    assert (problem["code"], problem["cell"], problem["suggestion"]) == ("manager.unknown_user", "E5", "dee")
    assert firm.entries() == {}


def test_a_whole_department_moves_while_its_managers_change(firm: Firm) -> None:
    """Whoever is moved while somebody else is given them as manager is named by the new place."""

    def manager(n: int, step: int) -> str:
        return f"u{(n + step) % 40 if step else n % 4}"

    def staff(department: str, step: int) -> list[list[str]]:
        return [[f"u{n}", "Una", str(n), department, manager(n, step)] for n in range(40)]

    for department, step in (("", 1), ("Sales", 3), ("", 7), ("Sales", 7), ("", 0), ("Sales", 0), ("", 0)):
        assert firm.run(staff(department, step)).status == 0
        assert firm.managers() == {f"u{n}": manager(n, step) for n in range(40)}


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """One at which nobody may be named as a manager who is below ou=sales."""
    access = f'access to attrs=manager val.regex="^.*,ou=sales,.*$" by dn.exact="{IMPORTER}" read by * read'
    with slapd(tmp_path_factory.mktemp("strict"), access=[access]) as server:
        yield server


@pytest.fixture
def strict_firm(inside: Inside, strict_server: Slapd, monkeypatch: pytest.MonkeyPatch) -> Firm:
    monkeypatch.setenv("LDAP_PASSWORD", PASSWORD)
    return Firm(inside, strict_server)


def test_a_moved_manager_whom_it_refuses_to_name_again_is_told_and_the_rest_is_done(strict_firm: Firm) -> None:
    firm = strict_firm
    first = [["bo", "Bo", "2", "", ""], ["ana", "Ana", "1", "", ""], *STAFF[3:]]
    firm.run(first)
    before = firm.entries()
    done = firm.run([["bo", "Bo", "2", "Legal", "ana"], ["ana", "Ana", "1", "Sales", ""], *STAFF[3:]])
    job = done.document["job"]
    assert (done.status, job["counts"]["failed"] > 0, job["counts"]["unchanged"]) == (4, True, 1)
    details = {failure["detail"] for failure in job["failures"]}
    assert all("the account that musterroll signs in as may not do this" in detail for detail in details), details
    # Whichever comes first: bo is given her as manager, or she is moved and cannot be followed.
    failed = {failure["username"] for failure in job["failures"]}
    assert failed <= {"ana", "bo"}
    entries = {entry["uid"][0]: (dn, entry) for dn, entry in firm.entries().items()}
    # His change is refused as a whole where she was moved before.
    assert entries[b"bo"][1].get("departmentNumber") == [b"Legal"] or "bo" in failed
    assert "ou=sales" in entries[b"ana"][0]
    # It knows all that it did.
    undone = firm.place.json("jobs", "undo", job["id"], "--yes")
    if "bo" in failed:
        assert (undone.status, firm.entries()) == (0, before), undone
    else:  # he names her where she was, and so nobody: what is kept is told
        assert [(one["code"], one["row"]) for one in undone.document["problems"]] == [("undo.kept", 3)], undone


def test_who_is_new_is_not_left_without_a_word_with_a_manager_who_was_moved(strict_firm: Firm) -> None:
    """Who is new fails and is not there, who was moved could not be followed, or was moved first: that is a race."""
    firm = strict_firm
    firm.point(containers={})
    firm.run([["ana", "Ana", "1", "Sales", ""], *STAFF[3:]])
    firm.run([*STAFF[3:]])  # ana is put below ou=away
    firm.point()
    staff = [["bo", "Bo", "2", "", "ana"], ["ana", "Ana", "1", "Sales", ""], *STAFF[3:]]
    done = firm.run(staff)
    told = {(failure["username"], failure["operation"]) for failure in done.document["job"]["failures"]}
    # OpenLDAP does not ask its rules of values for a whole new entry: he may name her where she is by now.
    assert told or firm.managers()["bo"] == "ana", done
    assert told <= {("bo", "create the user"), ("ana", "reactivate the user")}, done
    assert ("bo" in firm.managers()) is (("bo", "create the user") not in told)
    with firm.server.as_root() as root:
        (ana,) = (dn for dn in firm.entries() if "uid=ana" in dn)
        root.rename_s(ana, ana.partition(",")[0], f"ou=people,{firm.unit}")
    if told:
        again = firm.place.json("jobs", "resume", "last")
        assert again.status == 0, again
    assert firm.run(staff).status == 0
    assert firm.managers() == {"ana": None, "bo": "ana", "dee": None}
