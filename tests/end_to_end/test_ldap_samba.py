"""Whole jobs into Samba as a domain controller of Active Directory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.evidence import Counterpart
from support.rosters import write_csv
from support.samba_servers import (
    ADMINISTRATOR,
    DOMAIN_CONTROLLER,
    PASSWORD,
    REALM,
    SUFFIX,
    Samba,
    needs_samba,
    provisioned,
    samba,
)
from support.workplace import Ended, Inside

pytestmark = [needs_samba, pytest.mark.slow]

COUNTERPART = ("ldap", DOMAIN_CONTROLLER)
SEEN = Counterpart(*COUNTERPART)

_numbers = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    domain = provisioned(tmp_path_factory.getbasetemp().parent)
    with samba(tmp_path_factory.mktemp("samba"), domain) as server:
        with server.as_administrator() as root:
            held = [("objectClass", [b"user"]), ("sAMAccountName", [b"reader"]), ("userAccountControl", [b"512"])]
            quoted = f'"{PASSWORD}"'.encode("utf-16-le")
            root.add_s(f"CN=reader,CN=Users,{SUFFIX}", [*held, ("unicodePwd", [quoted])])
        yield server


class Company:
    """A folder with a pipeline and sheets, and an organisational unit."""

    def __init__(self, place: Inside, server: Samba) -> None:
        self.place, self.server = place, server
        self.unit = f"OU=company{next(_numbers)},{SUFFIX}"
        self.people, self.groups = f"OU=people,{self.unit}", f"OU=groups,{self.unit}"
        for dn in (self.unit, self.people, self.groups, f"OU=sales,{self.people}", f"OU=leavers,{self.unit}"):
            server.add_unit(dn)
        self.point()

    def point(self, more: str = "", *, url: str = "", user: str = ADMINISTRATOR, top: str = "") -> None:
        """Writes the pipeline file."""
        self.place.write(
            "musterroll.toml",
            f"""
            name = "company"
            match = ["staff_number", "username"]
            membership.mode = "replace"
            on_inactive = "reactivate"
            absent = "deactivate"
            password.required = "new"
            undo.created = "delete"
            {top}
            [[sheet.fields]]
            name = "staff_number"
            heading = "Staff number"
            [[sheet.fields]]
            name = "department"
            heading = "Department"
            [limits]
            deactivate = 50
            [invites]
            send_to = "none"
            [backend]
            use = "ldap"
            [backend.options]
            servers = ["{url or self.server.url}"]
            ca = "{self.server.certificate}"
            user = "{user}"
            password = {{ env = "AD_PASSWORD" }}
            base = "{self.unit}"
            users = "{self.people}"
            groups = "{self.groups}"
            retries = 1
            containers_by = "department"
            {more}
            [backend.options.containers]
            Sales = "OU=sales,{self.people}"
            [backend.options.attributes]
            staff_number = "employeeID"
            department = "department"
            """,
        )

    def sheet(self, name: str, rows: list[list[str]], *more: str) -> Path:
        headings = ("Email", "Username", "Forename", "Surname", "Password", "Calling Code", "Phone", "Groups")
        return write_csv(self.place.folder / name, rows, headings=(*headings, "Staff number", "Department", *more))

    def run(self, name: str = "staff.csv", *words: str) -> Ended:
        return self.place.json("run", name, "--yes", *words)

    def entries(self, wanted: str = "(objectClass=*)") -> dict[str, dict[str, Any]]:
        """What there is below the organisational unit."""
        with self.server.as_administrator() as root:
            found = root.search_s(self.unit, 2, wanted, ["*"])
            return {dn: entry for dn, entry in found if dn}

    def usn(self) -> int:
        """The number of the domain's last change."""
        with self.server.as_administrator() as root:
            ((_, entry),) = root.search_s("", 0, "(objectClass=*)", ["highestCommittedUSN"])
            return int(entry["highestCommittedUSN"][0])


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AD_PASSWORD", PASSWORD)


@pytest.fixture
def company(inside: Inside, server: Samba) -> Iterator[Company]:
    company = Company(inside, server)
    yield company
    server.remove_unit(company.unit)


def person(name: str, number: str, **other: str) -> list[str]:
    held = {
        "email": f"{name}@ex.test",
        "username": name,
        "forename": "Una",
        "surname": "Silva",
        "password": "Sesame-Open-77",
        "code": "44",
        "phone": "7712345678",
        "groups": "Region|North;Staff",
        "number": number,
        "department": "",
        **other,
    }
    return list(held.values())


def one_line(ended: Ended, *words: str) -> None:
    assert ended.status == 2, ended
    message = ended.document["error"]["message"]
    assert "\n" not in message
    for word in words:
        assert word in message


def test_fifty_users_who_can_sign_in(company: Company) -> None:
    rows = [person(f"p{n}", str(n), department="Sales" if n % 2 else "") for n in range(50)]
    company.sheet("staff.csv", rows)
    first = company.run()
    assert (first.status, first.document["job"]["counts"]["created"]) == (0, 50), first.out
    assert all(company.server.signs_in(f"p{n}@{REALM}", "Sesame-Open-77") for n in range(50))
    assert f"CN=p1,OU=sales,{company.people}" in company.entries()
    (north,) = company.entries("(cn=Region|North)").values()
    assert len(north["member"]) == 50
    (region,) = company.entries("(cn=Region)").values()
    assert region["member"] == [f"CN=Region|North,{company.groups}".encode()]
    before = company.usn()
    again = company.run()
    assert (again.status, again.document["job"]["counts"]["unchanged"]) == (0, 50)
    assert company.usn() == before  # not one write


def test_renaming_and_another_department_move_the_entry(company: Company) -> None:
    company.sheet("staff.csv", [person("ana", "1"), person("bo", "2")])
    assert company.run().status == 0
    company.sheet("two.csv", [person("ana.souza", "1", surname="Souza", department="Sales"), person("bo", "2")])
    done = company.run("two.csv")
    assert done.document["job"]["counts"]["updated"] == 1, done.out
    entry = company.entries("(sAMAccountName=ana.souza)")[f"CN=ana.souza,OU=sales,{company.people}"]
    assert entry["userPrincipalName"] == [b"ana.souza@ex.test"]
    assert entry["displayName"] == [b"Una Souza"]
    assert len(entry["memberOf"]) == 2  # Active Directory's memberships follow
    assert company.server.signs_in("ana.souza@ex.test", "Sesame-Open-77")
    assert company.run("two.csv").document["job"]["counts"]["unchanged"] == 2
    SEEN.quirk("keeps memberships when an entry is renamed or moved")


def test_managers_are_entries_and_follow_them(company: Company) -> None:
    field = '[[sheet.fields]]\nname = "manager"\nheading = "Manager"\ntype = "user"\n'
    file = company.place.folder / "musterroll.toml"
    text = file.read_text(encoding="utf-8").replace("[limits]", f"{field}[limits]")
    file.write_text(f'{text}manager = "manager"\n', encoding="utf-8")

    def run(*rows: list[str]) -> Ended:
        company.sheet("staff.csv", list(rows), "Manager")
        return company.run()

    def managers() -> dict[bytes, str | None]:
        entries = company.entries("(objectClass=user)")
        names = {dn.lower(): entry["sAMAccountName"][0].decode() for dn, entry in entries.items()}
        found = {entry["sAMAccountName"][0]: entry.get("manager") for entry in entries.values()}
        return {name: names[dn[0].decode().lower()] if dn else None for name, dn in found.items()}

    staff = ([*person("ana", "1"), "bo"], [*person("bo", "2"), "ANA"], [*person("cy", "3"), "ana"])
    assert run(*staff).document["job"]["counts"]["created"] == 3
    assert managers() == {b"ana": "bo", b"bo": "ana", b"cy": "ana"}
    before = company.usn()
    assert run(*staff).document["job"]["counts"]["unchanged"] == 3
    assert company.place.json("export", "-o", "out.csv").status == 0
    assert company.run("out.csv").document["job"]["counts"]["unchanged"] == 3
    assert company.usn() == before
    renamed = (
        [*person("ana.souza", "1", department="Sales"), ""],
        [*person("bo", "2"), "cy"],
        [*person("cy", "3"), ""],
    )
    done = run(*renamed)
    assert done.status == 0, done
    assert managers() == {b"ana.souza": "bo", b"bo": "cy", b"cy": "ana.souza"}
    assert company.place.json("jobs", "undo", done.document["job"]["id"], "--yes").status == 0
    assert managers() == {b"ana": "bo", b"bo": "ana", b"cy": "ana"}
    SEEN.quirk("keeps whoever is named as `manager` when an entry is renamed or moved")


def test_what_the_domain_will_not_take_is_said_at_its_cell(company: Company) -> None:
    """A name of 21 characters, one with a slash, a weak password, a principal name that is used."""
    with company.server.as_administrator() as root:
        held = [("objectClass", [b"user"]), ("sAMAccountName", [b"other-name"])]
        dn = f"CN=somebody,{company.people}"
        root.add_s(dn, [*held, ("userPrincipalName", [b"taken@ex.test"])])
    company.sheet(
        "staff.csv",
        [
            person("abcdefghijklmnopqrstu", "1"),
            person("a/b", "2"),
            person("weak", "3", password="sesameopen"),
            person("taken", "4"),
            person("long", "5", forename="U" * 50, surname="S" * 50),
            person("abcdefghijklmnopqrst", "6"),
        ],
    )
    before = company.usn()
    planned = company.place.json("plan", "staff.csv")
    problems = {(one["cell"], one["code"]): one["message"] for one in planned.document["problems"]}
    assert set(problems) == {
        ("B3", "backend.unsupported"),
        ("B4", "backend.unsupported"),
        ("E5", "password.policy"),
        ("B6", "username.taken"),
    }, problems
    assert "20 characters" in problems["B3", "backend.unsupported"]
    assert "/" in problems["B4", "backend.unsupported"]
    assert "kinds of characters" in problems["E5", "password.policy"]
    assert "userPrincipalName taken@ex.test" in problems["B6", "username.taken"]
    assert company.usn() == before
    SEEN.quirk("takes logon names of 20 characters at Microsoft's, of more here: more than 20 are refused at `plan`")


def test_what_the_domain_refuses_has_a_sentence_of_its_own(company: Company) -> None:
    """Of users that are there planning knows no policy: they may have one of their own."""
    company.sheet("staff.csv", [person("ana", "1")])
    assert company.run().status == 0
    company.point(top='password.on_existing = "reset"')
    company.sheet("two.csv", [person("ana", "1", surname="Souza", password="sesameopen")])
    done = company.run("two.csv")
    assert done.status == 4
    (failure,) = done.document["job"]["failures"]
    assert failure["row"] == 3
    assert "the password: the domain's password policy refuses the password" in failure["detail"]
    assert company.entries("(sAMAccountName=ana)")[f"CN=ana,{company.people}"]["sn"] == [b"Silva"]
    SEEN.quirk("tells a weak password from a used name by a code in its message only (0000052D, 0000202F)")


def test_deactivated_reactivated_undone(company: Company) -> None:
    company.point(f'inactive_container = "OU=leavers,{company.unit}"')
    company.sheet("staff.csv", [person("ana", "1"), person("bo", "2")])
    assert company.run().status == 0
    company.sheet("two.csv", [person("bo", "2")])
    left = company.run("two.csv")
    assert left.document["job"]["counts"]["deactivated"] == 1, left.out
    entry = company.entries("(sAMAccountName=ana)")[f"CN=ana,OU=leavers,{company.unit}"]
    assert int(entry["userAccountControl"][0]) & 2
    assert not company.server.signs_in("ana@ex.test", "Sesame-Open-77")
    company.run("staff.csv")
    assert company.server.signs_in("ana@ex.test", "Sesame-Open-77")
    assert f"CN=ana,{company.people}" in company.entries("(sAMAccountName=ana)")
    company.sheet("three.csv", [person("ana", "1"), person("bo", "2"), person("cy", "3", groups="New")])
    company.run("three.csv")
    undone = company.place.json("jobs", "undo", "last", "--yes")
    assert undone.document["job"]["state"] == "undone" or undone.status == 0, undone.out
    assert company.entries("(|(sAMAccountName=cy)(cn=New))") == {}


def test_who_must_change_the_password_at_the_next_logon(company: Company) -> None:
    company.point("change_at_logon = true")
    company.sheet("staff.csv", [person("ana", "1")])
    assert company.run().status == 0
    (entry,) = company.entries("(sAMAccountName=ana)").values()
    assert entry["pwdLastSet"] == [b"0"]
    assert company.run().document["job"]["counts"]["unchanged"] == 1


def test_an_account_that_may_only_read(company: Company) -> None:
    company.sheet("staff.csv", [person("ana", "1")])
    company.point(user=f"reader@{REALM}")
    before = company.entries()
    for command in ("plan", "run"):
        one_line(company.place.json(command, "staff.csv"), "may not create a user below")
    assert company.entries() == before
    SEEN.quirk("says who may create what below an entry: a right that is missing is said at `plan`")


def test_passwords_want_an_encrypted_line(company: Company) -> None:
    company.sheet("staff.csv", [person("ana", "1")])
    company.point('security = "none"', url=f"ldap://127.0.0.1:{company.server.port}")
    one_line(company.place.json("run", "staff.csv"), "encrypted line")
    SEEN.quirk("takes passwords over an encrypted line only")


def test_start_tls(company: Company) -> None:
    company.sheet("staff.csv", [person("ana", "1")])
    company.point(url=f"ldap://127.0.0.1:{company.server.port}")
    assert company.run().document["job"]["counts"]["created"] == 1


def test_killed_in_the_middle(company: Company) -> None:
    rows = [person(f"k{n}", str(n)) for n in range(40)]
    company.sheet("staff.csv", rows)
    running = company.place.start("run", "staff.csv")
    while running.poll() is None and len(company.entries("(sAMAccountName=k*)")) < 10:
        time.sleep(0.02)
    running.kill()
    running.communicate()
    resumed = company.place.json("jobs", "resume", "last")
    assert resumed.status == 0, resumed.out
    assert len(company.entries("(sAMAccountName=k*)")) == 40
    (staff,) = company.entries("(cn=Staff)").values()
    assert len(staff["member"]) == 40
    assert company.run().document["job"]["counts"]["unchanged"] == 40
    assert all(company.server.signs_in(f"k{n}@{REALM}", "Sesame-Open-77") for n in range(40))
