"""Every example customer runs as it stands."""

from __future__ import annotations

import email
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from email.policy import default
from pathlib import Path
from typing import Any

import argon2
import pytest
from jsonschema import Draft202012Validator

from musterroll import UserKey
from musterroll.pipeline.loader import load_pipeline
from support import samba_servers
from support.certificates import make_certificate
from support.ldap_servers import PASSWORD as SERVICE_PASSWORD
from support.ldap_servers import dump, needs_slapd, signs_in, slapd
from support.mail_servers import mail_server
from support.mini_portal import mini_server
from support.samba_servers import needs_samba, provisioned, samba
from support.sql_servers import PASSWORD as DATABASE_PASSWORD
from support.sql_servers import needs_postgres, postgres
from support.workplace import Inside, Workplace

EXAMPLES = Path(__file__).parents[2] / "examples"
LAKESIDE = EXAMPLES / "lakeside" / "portal"
LEFTOVERS = shutil.ignore_patterns(".musterroll", "*.db", "outbox", "__pycache__", "*.rejected*")
CUSTOMERS = sorted(path.parent.name for path in EXAMPLES.glob("*/musterroll.toml"))
PASSWORD = "Sesame-Meadow-7"
TOLD = [name for name in CUSTOMERS if (EXAMPLES / name / "expected.json").exists()]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the pipelines refer to; nobody is asked whether it is right."""
    for name in (
        "BROOKFIELD_LDAP_PASSWORD",
        "HARBOUR_KEY",
        "LIGHTHOUSE_STAGING_TOKEN",
        "LIGHTHOUSE_TOKEN",
        "LYCEUM_MAIL_PASSWORD",
        "MERIDIAN_AD_PASSWORD",
        "QUAYSIDE_DB_PASSWORD",
    ):
        monkeypatch.setenv(name, PASSWORD)


@pytest.fixture(autouse=True)
def every_portal(lakeside_is_installed: None) -> None:
    """One of the portals is a package of its own."""


def copied(name: str, scratch: Inside) -> Inside:
    shutil.copytree(EXAMPLES / name, scratch.folder / name, ignore=LEFTOVERS)
    return scratch.at(name)


@pytest.fixture
def acme(scratch: Inside) -> Inside:
    return copied("acme", scratch)


# -- all of them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CUSTOMERS)
def test_the_pipeline_is_right(name: str, scratch: Inside) -> None:
    place = copied(name, scratch)
    settings = tomllib.loads((place.folder / "musterroll.toml").read_text(encoding="utf-8"))
    for profile in (None, *settings.get("profiles", ())):
        checked = place.json("pipeline", "check", *(("--profile", profile) if profile else ()))
        assert checked.status == 0, checked.out
        assert checked.document["warnings"] == []
    schema = json.loads(place.run("pipeline", "schema").out)
    assert [fault.message for fault in Draft202012Validator(schema).iter_errors(settings)] == []


@pytest.mark.parametrize("name", TOLD)
def test_everything_goes_as_it_is_told(name: str, scratch: Inside) -> None:
    """The commands of `expected.json`, one after the other, and what there is in the end."""
    place = copied(name, scratch)
    expected = json.loads((place.folder / "expected.json").read_text(encoding="utf-8"))
    for step in expected["steps"]:
        done = place.json(*step["command"].split())
        assert told(done.status, done.document, step) == step, done.out
    assert users(place) == expected["users"]
    assert sorted(mails(place)) == sorted(expected["mails"])


def told(status: int, document: dict[str, Any], step: dict[str, Any]) -> dict[str, Any]:
    """What a command came to, as far as the step says anything about it."""
    members: dict[str, Any] = {**document, "command": step["command"], "status": status}
    members["problems"] = [[one["code"], one["cell"]] for one in document.get("problems") or ()]
    members["invites"] = [[one["username"], one["state"], one["reason"]] for one in (document.get("invites") or ())]
    members["error"] = document["error"] and document["error"]["code"]
    members["job"] = document.get("job") and {
        "state": document["job"]["state"],
        "counts": {name: count for name, count in document["job"]["counts"].items() if count},
        "invites": {name: count for name, count in document["job"]["invites"].items() if count},
    }
    return {name: members[name] for name in step}


def users(place: Workplace) -> dict[str, Any]:
    """Users by username, read through the backend itself."""
    backend = load_pipeline(place.folder / "musterroll.toml").build_backend(read_only=True)
    with closing(backend):
        paths = {group.ref: "|".join(group.path) for group in backend.groups()}
        names = json.loads((place.folder / "expected.json").read_text(encoding="utf-8"))["users"]
        found = backend.lookup([UserKey.of("username", name) for name in names])
        assert backend.count_users() == len(names)
        return {
            user.username: {
                **{name: text for name, text in user.fields.items() if text},
                "groups": sorted(paths[ref] for ref in user.groups),
            }
            for matches in found.values()
            for user in matches
        }


def mails(place: Workplace) -> Iterator[list[str]]:
    """To whom, and about what, the invites in the outbox are."""
    for file in place.invites():
        mail = email.message_from_bytes(file.read_bytes(), policy=default)
        yield [str(mail["To"]), str(mail["Subject"])]


# -- Elmwood ----------------------------------------------------------------------------------------------------


def test_elmwood_everybody_can_sign_in_with_their_slip(scratch: Inside) -> None:
    elmwood = copied("elmwood", scratch)
    for sheet, slips in (("autumn.csv", "slips.html"), ("spring.csv", "new.html")):
        assert elmwood.run("run", sheet, "--hand-over", slips).status == 0
    pages = [(elmwood.folder / name).read_text(encoding="utf-8") for name in ("slips.html", "new.html")]
    assert [page.count("<section>") for page in pages] == [5, 1]
    found = re.findall(
        r'Username</dt><dd class="told">([^<]+)</dd>\n<dt>Password</dt><dd[^>]*>([^<]+)<', "".join(pages)
    )
    with closing(sqlite3.connect(elmwood.folder / "elmwood.db")) as portal:
        stored = dict(portal.execute("SELECT username, password_hash FROM users").fetchall())
    assert stored.keys() == dict(found).keys()
    for username, password in found:
        argon2.PasswordHasher().verify(stored[username], password)


# -- Lyceum -----------------------------------------------------------------------------------------------------


def test_lyceum_writes_to_everybody_in_their_language(scratch: Inside) -> None:
    lyceum = copied("lyceum", scratch)
    certificate = make_certificate(scratch.folder)
    with mail_server(password=PASSWORD, tls_context=certificate.server_context) as server:
        server.user = "portal"
        options = "notifiers.mail.options"
        here = {"host": "127.0.0.1", "port": server.port, "security": "starttls", "ca": certificate.path}
        sets = [word for key, value in here.items() for word in ("--set", f"{options}.{key}={value}")]
        there = ["--profile", "production", "--yes", *sets]
        assert lyceum.run("run", "students.csv", *there).status == 0
        assert server.mails == []
        assert lyceum.run("invites", "send", *there).status == 0
        subjects = {mail.to[0]: str(mail.message["Subject"]) for mail in server.mails}
    assert subjects == {
        "amy@lyceum.example": "Amy, your account at the Lyceum",
        "chiara@lyceum.example": "Chiara, your account at the Lyceum",
        "jonas@lyceum.example": "Jonas, dein Zugang zum Lyceum",
        "zoë@lyceum.example": "Zoë, dein Zugang zum Lyceum",
    }


# -- Brookfield and Meridian ------------------------------------------------------------------------------------


@needs_slapd
def test_brookfield_goes_into_a_real_directory(scratch: Inside) -> None:
    brookfield, suffix = copied("brookfield", scratch), "dc=brookfield,dc=example"
    (scratch.folder / "slapd").mkdir()
    importer = f"cn=musterroll,ou=services,{suffix}"
    with slapd(scratch.folder / "slapd", suffix=suffix, importer=importer) as server:
        for unit in ("services", "school", "people,ou=school", "groups,ou=school", "former,ou=school"):
            server.add_unit(f"ou={unit},{suffix}")
        server.add_account(importer, PASSWORD)
        here = ["--set", f'backend.options.servers=["{server.url}"]', "--set", "backend.options.security=none"]
        there = ("--profile", "production", "--yes", *here)
        first = brookfield.json("run", "pupils.csv", *there)
        assert (first.status, first.document["job"]["counts"]["created"]) == (0, 4), first.err
        assert brookfield.json("run", "pupils.csv", *there).document["job"]["counts"]["unchanged"] == 4
        found = dump(server.url, f"cn=root,{suffix}", SERVICE_PASSWORD, f"ou=people,ou=school,{suffix}", "(uid=*)")
        assert sorted(entry["uidNumber"][0] for entry in found.values()) == [b"20000", b"20001", b"20002", b"20003"]
        assert signs_in(server.url, f"uid=amara.cole,ou=people,ou=school,{suffix}", "violet-pencil-21")


@needs_samba
@pytest.mark.slow
def test_meridian_goes_into_a_real_domain(scratch: Inside, tmp_path_factory: pytest.TempPathFactory) -> None:
    meridian, suffix = copied("meridian", scratch), samba_servers.SUFFIX
    file = meridian.folder / "musterroll.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("DC=meridian,DC=example", suffix), encoding="utf-8")
    with samba(scratch.folder, provisioned(tmp_path_factory.getbasetemp().parent)) as server:
        above = "OU=Meridian"
        staff = [f"OU={unit},OU=Staff,{above}" for unit in ("Office", "Sales", "Engineering")]
        for unit in (above, f"OU=Staff,{above}", *staff, f"OU=Groups,{above}", f"OU=Leavers,{above}"):
            server.add_unit(f"{unit},{suffix}")
        here = {"user": samba_servers.ADMINISTRATOR, "ca": server.certificate, "servers": f'["{server.url}"]'}
        sets = [word for key, value in here.items() for word in ("--set", f"backend.options.{key}={value}")]
        there = ("--profile", "production", "--yes", *sets)
        environment = {"MERIDIAN_AD_PASSWORD": samba_servers.PASSWORD}
        assert meridian.json("run", "staff.csv", *there, **environment).document["job"]["counts"]["created"] == 3
        june = meridian.json("run", "june.csv", *there, **environment)
        counts = {name: count for name, count in june.document["job"]["counts"].items() if count}
        assert counts == {"rows": 2, "updated": 1, "unchanged": 1, "deactivated": 1}
        with server.as_administrator() as root:
            names = {dn for dn, _ in root.search_s(suffix, 2, "(employeeID=*)", ["cn"]) if dn}
    assert names == {
        f"CN=asouza,OU=Engineering,OU=Staff,OU=Meridian,{suffix}",
        f"CN=bberg,OU=Engineering,OU=Staff,OU=Meridian,{suffix}",
        f"CN=cito,OU=Leavers,OU=Meridian,{suffix}",
    }


# -- Quayside ---------------------------------------------------------------------------------------------------


@needs_postgres
def test_quayside_goes_into_a_real_database(scratch: Inside) -> None:
    quayside = copied("quayside", scratch)
    with postgres() as server:
        server.add_database("club")
        server.do(f"CREATE ROLE musterroll LOGIN PASSWORD '{DATABASE_PASSWORD}'")
        server.do((quayside.folder / "schema.sql").read_text(encoding="utf-8"), database="club")
        here = {"url": server.url("club", "musterroll"), "security": "none"}
        sets = [word for key, value in here.items() for word in ("--set", f"backend.options.{key}={value}")]
        there = ("--profile", "production", "--yes", *sets)
        environment = {"QUAYSIDE_DB_PASSWORD": DATABASE_PASSWORD}
        first = quayside.json("run", "members.csv", *there, **environment)
        assert (first.status, first.document["job"]["counts"]["created"]) == (0, 3), first
        again = quayside.json("run", "members.csv", *there, **environment)
        assert again.document["job"]["counts"]["unchanged"] == 3
        found = server.do("SELECT phone, member_number, split_part(password, '$', 1) FROM auth_user", database="club")
        assert ("+44 7700900131", 10031, "pbkdf2_sha256") in found
        names = server.do("SELECT name FROM auth_group ORDER BY name", database="club")
        assert names == [("Fleet",), ("Fleet/Dinghies",), ("Fleet/Keelboats",), ("Race committee",)]


# -- Acme -------------------------------------------------------------------------------------------------------


def test_acme(acme: Inside) -> None:
    first = acme.json("run", "staff.xlsx")
    assert first.status == 0
    assert first.document["job"]["counts"]["created"] == 12
    assert first.document["problems"] == []
    assert len(acme.invites()) == 12
    again = acme.json("run", "staff.xlsx")
    assert again.document["job"]["counts"]["unchanged"] == 12
    assert len(acme.invites()) == 12


def test_acme_shows_the_mistakes_of_its_own_rule_among_the_others(acme: Inside) -> None:
    done = acme.json("validate", "staff-mistakes.csv")
    assert done.status == 1
    assert done.codes == [
        ("email.invalid", "E4"),
        ("acme.staff_number", "A5"),
        ("username.required", "B5"),
        ("password.policy", "G6"),
        ("phone.trunk_prefix", "I6"),
        ("groups.invalid", "J6"),
        ("username.duplicate", "B7"),
        ("cell.precision_lost", "I7"),
        ("row.after_blank", None),
    ]


def test_acme_recognises_who_changed_the_username(acme: Inside) -> None:
    acme.run("run", "staff.xlsx")
    headings = "Staff number,Login,Forename,Last name,Email,Department,Password,Calling Code,Phone,Groups\n"
    acme.write("married.csv", headings + "guidance\nA10015,anovak,Ana,Novak,,,,,,\n")
    (change,) = acme.json("run", "married.csv").document["changes"]
    assert change["action"] == "update"
    assert change["fields"] == {
        "username": {"before": "asilva", "after": "anovak"},
        "surname": {"before": "Silva", "after": "Novak"},
    }


def test_acme_switches_the_portal_by_the_profile(acme: Inside) -> None:
    done = acme.json("run", "staff.xlsx", "--profile", "rehearsal")
    assert done.status == 0
    assert done.document["job"]["counts"]["created"] == 12
    assert not (acme.folder / "acme.db").exists()
    assert acme.invites() == []
    # The rehearsal does not count as having invited anybody.
    assert acme.json("run", "staff.xlsx").document["job"]["invites"]["sent"] == 12


# -- Harbour ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad_day", [False, True])
def test_harbour_runs_through_its_rest_portal(scratch: Inside, bad_day: bool) -> None:
    harbour = copied("harbour", scratch)
    with mini_server() as server:
        portal = server.portal("crew")
        there = ("--profile", "production", "--set", f"backend.options.url={portal.url}")
        if bad_day:
            portal.busy, portal.busy_after, portal.lag = 0.1, 0.3, 0.0
        first = harbour.json("run", "crew.csv", *there)
        assert (first.status, first.document["job"]["counts"]["created"]) == (0, 4), first.document["error"]
        writes = sum(count for request, count in portal.seen.items() if not request.startswith("GET"))
        again = harbour.json("run", "crew.csv", *there)
        assert again.document["job"]["counts"]["unchanged"] == 4
        assert sum(count for request, count in portal.seen.items() if not request.startswith("GET")) == writes
    groups = {ref: group["name"] for ref, group in portal.groups.items()}
    users = {user["username"]: user for user in portal.users.values()}
    assert len(users) == len(portal.users) == 4
    assert sorted(groups.values()) == ["North", "Pilots", "Quay", "South"]
    mara = users["mara.lind"]
    assert {groups[ref] for ref in mara["groups"]} == {"North", "Pilots"}
    assert mara["attributes"]["phone"] == "+44 7712345001"
    assert mara["password"] == "Lantern-Quay-41"
    assert portal.keys == {PASSWORD}


# -- Lakeside ---------------------------------------------------------------------------------------------------


def test_lakeside_takes_a_job_back(scratch: Inside) -> None:
    lakeside = copied("lakeside", scratch)
    assert lakeside.json("run", "members.csv").status == 0
    assert lakeside.json("jobs", "undo", "last", "--yes").status == 0
    with closing(sqlite3.connect(lakeside.folder / "members.db")) as club:
        assert club.execute("SELECT count(*) FROM members WHERE active").fetchone() == (0,)
        assert club.execute("SELECT title FROM crews ORDER BY title").fetchall() == []


@pytest.mark.slow
@pytest.mark.parametrize("tool", [("pytest", "-q", "-p", "no:cacheprovider"), ("mypy", "--cache-dir", "cache")])
def test_the_package_of_lakeside_passes_its_own_tests(tmp_path: Path, tool: tuple[str, ...]) -> None:
    shutil.copytree(LAKESIDE, tmp_path / "portal", ignore=LEFTOVERS)
    done = subprocess.run(
        [sys.executable, "-m", *tool], cwd=tmp_path / "portal", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


# -- the demo ---------------------------------------------------------------------------------------------------


def test_the_demo_runs(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=LEFTOVERS)
    demo = [sys.executable, str(tmp_path / "examples" / "demo.py")]
    done = subprocess.run(demo, capture_output=True, encoding="utf-8", check=True, timeout=120)
    assert "12 created" in done.stdout
    assert "12 unchanged" in done.stdout
    assert "12 messages" in done.stdout
