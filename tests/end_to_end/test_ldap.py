"""Whole jobs into a real OpenLDAP server: run again, killed, cut off; and what is said when something is missing."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.certificates import make_certificate
from support.evidence import Counterpart
from support.fork_server import fork_server
from support.ldap_servers import (
    IMPORTER,
    OPENLDAP,
    PASSWORD,
    READER,
    ROOT,
    SUFFIX,
    Slapd,
    dump,
    needs_slapd,
    signs_in,
    slapd,
)
from support.rosters import person, write_csv
from support.scim_servers import free_port
from support.workplace import Ended, Inside, Workplace, asks_for_nothing, one_line

pytestmark = needs_slapd

COUNTERPART = ("ldap", OPENLDAP)
SEEN = Counterpart(*COUNTERPART)

_numbers = count()
_OVERLAYS = (
    "overlay memberof",
    "memberof-dangling ignore",
    "overlay refint",
    "refint_attributes member",
    "overlay unique",
    "unique_uri ldap:///?uid?sub?(objectClass=inetOrgPerson)",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd(tmp_path_factory.mktemp("slapd")) as server:
        yield server


class School:
    """A folder with a pipeline and sheets, and a part of a directory.

    Args:
        place: the folder.
        server: the directory.
        options: of the backend, besides the usual ones.
    """

    def __init__(self, place: Workplace, server: Slapd, options: str = "") -> None:
        self.place, self.server = place, server
        self.unit = f"ou=school{next(_numbers)},{SUFFIX}"
        for dn in (self.unit, f"ou=people,{self.unit}", f"ou=groups,{self.unit}"):
            server.add_unit(dn)
        self.point(options)

    def point(self, options: str = "", *, url: str | None = None, user: str = IMPORTER, **more: str) -> None:
        """Writes the pipeline file."""
        usual = {
            "security": "none",
            "base": self.unit,
            "users": f"ou=people,{self.unit}",
            "groups": f"ou=groups,{self.unit}",
        }
        lines = [f'{name} = "{value}"' for name, value in {**usual, **more}.items()]
        self.place.write(
            "musterroll.toml",
            f'name = "school"\nmembership.mode = "replace"\nundo.created = "delete"\nbackend.use = "ldap"\n'
            f'[backend.options]\nservers = ["{url or self.server.url}"]\nretries = 1\n'
            f'user = "{user}"\npassword = {{ env = "LDAP_PASSWORD" }}\n' + "\n".join(lines) + f"\n{options}\n",
        )

    def sheet(self, name: str, rows: list[list[str]]) -> Path:
        return write_csv(self.place.folder / name, rows)

    def dump(self, wanted: str = "(objectClass=*)") -> dict[str, dict[str, Any]]:
        """The entries as the administrator sees them, passwords and all."""
        return dump(self.server.url, ROOT, PASSWORD, self.unit, wanted)

    def count(self) -> int:
        """How many users there are."""
        return len(self.dump("(uid=*)"))

    def state(self) -> dict[str, Any]:
        """Users and groups, without what differs from one time to another."""
        own = {"userPassword"}
        entries = self.dump()
        return {
            dn.removesuffix("," + self.unit): {
                name: sorted(value.replace(self.unit.encode(), b"") for value in values)
                for name, values in entry.items()
                if name not in own
            }
            for dn, entry in entries.items()
            if dn != self.unit
        }


@pytest.fixture(autouse=True)
def service_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LDAP_PASSWORD", PASSWORD)


@pytest.fixture
def school(inside: Inside, server: Slapd) -> School:
    return School(inside, server)


# -- as it should be --------------------------------------------------------------------------------------------


def test_the_second_run_writes_nothing(school: School) -> None:
    school.sheet("staff.csv", [person(n) for n in range(30)])
    first = school.place.json("run", "staff.csv")
    assert first.document["job"]["counts"]["created"] == 30
    before = school.dump("(modifyTimestamp=*)")
    again = school.place.json("run", "staff.csv")
    assert (again.status, again.document["job"]["counts"]["unchanged"]) == (0, 30)
    assert school.dump("(modifyTimestamp=*)") == before
    assert signs_in(school.server.url, f"uid=user07,ou=people,{school.unit}", "Sesame-open-7")
    north = before[f"cn=Region|North,ou=groups,{school.unit}"]
    assert len(north["member"]) == 31  # and itself, as the class wants a member


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_is_exported_asks_for_nothing(school: School, form: str) -> None:
    school.sheet("staff.csv", [person(n) for n in range(30)])
    school.place.json("run", "staff.csv")
    written = school.place.json("export", "-o", f"out.{form}")
    assert written.document["export"]["users"] == 30
    asks_for_nothing(school.place, f"out.{form}", 30)


def test_what_somebody_has_changed_by_hand_stays(school: School) -> None:
    import ldap  # the program may be missing

    with (school.place.folder / "musterroll.toml").open("a", encoding="utf-8") as file:
        file.write('[hand_edits]\ndefault = "keep"\n')
    school.sheet("staff.csv", [person(n) for n in range(3)])
    school.place.run("run", "staff.csv")
    user = f"uid=user01,ou=people,{school.unit}"
    group = f"cn=Region|North,ou=groups,{school.unit}"
    with school.server.as_root() as root:
        root.modify_s(user, [(ldap.MOD_REPLACE, "sn", [b"Souza"])])
        root.modify_s(group, [(ldap.MOD_DELETE, "member", [user.encode()])])
    before = school.dump("(modifyTimestamp=*)")
    done = school.place.json("run", "staff.csv").document
    (edited,) = [change for change in done["changes"] if "hand_edit" in change]
    assert {(edit["field"], edit["portal"], edit["kept"]) for edit in edited["hand_edits"]} == {
        ("surname", "Souza", True),
        ("groups", False, True),
    }
    assert done["job"]["counts"]["unchanged"] == 3
    assert school.dump("(modifyTimestamp=*)") == before


def test_passwords_are_never_kept_in_clear(school: School) -> None:
    school.sheet("staff.csv", [person(1)])
    school.place.run("run", "staff.csv")
    (entry,) = school.dump("(uid=user01)").values()
    (stored,) = entry["userPassword"]
    assert stored.startswith(b"{SSHA}")
    SEEN.quirk("keeps a password as it comes where it is simply written: they are set by the operation made for it")


def test_planning_and_examining_write_nothing(school: School) -> None:
    school.sheet("staff.csv", [person(1)])
    before = school.state()
    planned = school.place.json("plan", "staff.csv")
    assert [change["action"] for change in planned.document["changes"]] == ["create"]
    told = school.place.run("doctor")
    assert f"OpenLDAP at {school.server.url}, 0 users" in told.out + told.err
    assert school.state() == before


def test_undo(school: School) -> None:
    school.sheet("staff.csv", [person(n) for n in range(3)])
    before = school.state()
    school.place.run("run", "staff.csv")
    undone = school.place.json("jobs", "undo", "last", "--yes")
    assert undone.document["job"]["state"] == "completed"
    assert school.state() == before


def test_values_that_mean_something_in_names_and_filters(school: School) -> None:
    names = ["a,b", "c+d", 'e"f', "g\\h", "i*j", "k(l)", "#m", "n=o", "p;q", "r<s>", "straße", "STRASSE2", "ó,ü"]
    rows = [["", name, "Una", "Silva", "Sesame-open-1", "", "", f"G {name.replace(';', '')}"] for name in names]
    rows = [[cell.replace("|", "") for cell in row] for row in rows]
    for row in rows:
        row[7] = row[7].replace("\\", "\\\\")
    school.sheet("staff.csv", rows)
    made = school.place.json("run", "staff.csv")
    assert made.document["job"]["counts"]["created"] == len(names), made.document
    again = school.place.json("run", "staff.csv")
    assert (again.status, again.document["job"]["counts"]["unchanged"]) == (0, len(names))
    for row in rows:
        row[3] = "Souza"
    school.sheet("staff.csv", rows)
    assert school.place.json("run", "staff.csv").document["job"]["counts"]["updated"] == len(names)


def test_what_the_directory_folds_otherwise_than_we_do(school: School) -> None:
    school.sheet("one.csv", [["", "straße", "Una", "Silva", "Sesame-open-1", "", "", "Straße"]])
    school.place.run("run", "one.csv")
    school.sheet("two.csv", [["", "STRASSE", "Una", "Souza", "Sesame-open-1", "", "", "STRASSE"]])
    done = school.place.json("run", "two.csv")
    assert done.document["job"]["counts"]["updated"] == 1, done.document
    assert len(school.state()) == 4  # two units, a user, a group
    SEEN.quirk("takes `straße` and `strasse` for two names: they are compared here")


def test_values_that_the_schema_does_not_take_are_said_at_their_cells(school: School) -> None:
    row = person(1)
    row[0] = "zoë@example.com"
    school.sheet("staff.csv", [row])
    planned = school.place.json("plan", "staff.csv")
    assert planned.codes == [("backend.unsupported", "A3")]
    assert "ASCII" in planned.document["problems"][0]["message"]
    SEEN.quirk("takes addresses (`mail`) without accents only: that is said at `plan`")


def test_renamed_users_keep_their_groups(school: School) -> None:
    file = school.place.folder / "musterroll.toml"
    own = '[[sheet.fields]]\nname = "staff_number"\nheading = "Staff"\n'
    text = file.read_text(encoding="utf-8").replace("[backend.options]", own + "[backend.options]")
    attributes = '[backend.options.attributes]\nstaff_number = "employeeNumber"\n'
    school.place.write("musterroll.toml", f'match = ["staff_number", "username"]\n{text}{attributes}')
    headings = ("Email", "Username", "Forename", "Surname", "Password", "Calling Code", "Phone", "Groups", "Staff")
    write_csv(school.place.folder / "one.csv", [[*person(1), "S1"], [*person(2), "S2"]], headings=headings)
    assert school.place.run("run", "one.csv").status == 0
    renamed = [*person(1), "S1"]
    renamed[1] = "una.silva"
    write_csv(school.place.folder / "two.csv", [renamed, [*person(2), "S2"]], headings=headings)
    done = school.place.json("run", "two.csv")
    assert done.document["job"]["counts"]["updated"] == 1, done.document
    members = school.state()["cn=Staff,ou=groups"]["member"]
    assert [name.split(b",")[0] for name in members] == [b"cn=Staff", b"uid=una.silva", b"uid=user02"]


def test_groups_that_decide_where_users_are(school: School) -> None:
    """Whoever is added to such a group is moved, and stays a member of the others."""
    school.server.add_unit(f"ou=staff,ou=people,{school.unit}")
    where = f'[backend.options.containers]\n"Staff|Office" = "ou=staff,ou=people,{school.unit}"\n'
    school.point('containers_by = "groups"\n' + where)
    school.sheet("staff.csv", [person(1, groups="Choir;Staff|Office"), person(2, groups="Choir")])
    assert school.place.json("run", "staff.csv").document["job"]["counts"]["created"] == 2
    state = school.state()
    assert "uid=user01,ou=staff,ou=people" in state
    members = [name.split(b",ou=people")[0] for name in state["cn=Choir,ou=groups"]["member"]]
    assert sorted(members)[1:] == [b"uid=user01,ou=staff", b"uid=user02"]
    assert school.place.json("run", "staff.csv").document["job"]["counts"]["unchanged"] == 2


def test_the_name_of_an_entry_that_is_taken_is_said_at_plan(school: School) -> None:
    """Two people of one name, where entries are named by people's names."""
    school.point('rdn = "cn={forename} {surname}"\n')
    school.sheet("one.csv", [person(1)])
    assert school.place.run("run", "one.csv").status == 0
    school.sheet("two.csv", [person(1), person(2)])
    planned = school.place.json("plan", "two.csv")
    assert planned.codes == [("backend.unsupported", "C4")]
    assert f"cn=Una Silva,ou=people,{school.unit}" in planned.document["problems"][0]["message"]
    school.sheet("three.csv", [person(1, "Souza"), person(2, "Berg")])
    assert school.place.json("run", "three.csv").document["job"]["counts"]["updated"] == 1
    assert {dn for dn in school.state() if dn.startswith("cn=Una")} == {
        "cn=Una Souza,ou=people",
        "cn=Una Berg,ou=people",
    }


# -- overlays, limits, lines ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """A server with certificate, the overlays memberof, refint and unique, and a password policy."""
    folder = tmp_path_factory.mktemp("strict")
    policy = f"cn=policy,{SUFFIX}"
    certificate = make_certificate(folder)
    overlays = (*_OVERLAYS, "overlay ppolicy", f"ppolicy_default {policy}")
    with slapd(folder, overlays=overlays, certificate=certificate) as server:
        with server.as_root() as root:
            held = {"objectClass": b"device pwdPolicy", "pwdAttribute": b"userPassword", "pwdMinLength": b"10"}
            held |= {"pwdCheckQuality": b"2"}
            root.add_s(policy, [(name, value.split()) for name, value in held.items()])
        yield server


def _certified(school: School, url: str, options: str = "") -> None:
    certificate = school.server.certificate
    assert certificate is not None
    school.point(options, url=url, security="tls", ca=str(certificate.path))


@pytest.mark.parametrize("kind", ["ldaps", "StartTLS"])
def test_with_overlays_over_an_encrypted_line(inside: Inside, strict: Slapd, kind: str) -> None:
    school = School(inside, strict)
    _certified(school, strict.secure_url if kind == "ldaps" else strict.url)
    rows = [[f"{kind}{row[0]}", f"{kind}{row[1]}", *row[2:]] for row in (person(n + 10) for n in range(12))]
    school.sheet("staff.csv", rows)
    assert school.place.json("run", "staff.csv").document["job"]["counts"]["created"] == 12
    assert school.place.json("run", "staff.csv").document["job"]["counts"]["unchanged"] == 12
    (shown,) = school.dump(f"(&(uid={kind}user10)(memberOf=*))").values()
    assert shown["uid"] == [f"{kind}user10".encode()]
    first = school.place.json("jobs", "list").document["jobs"][-1]["id"]
    assert school.place.json("jobs", "undo", first, "--yes").status == 0
    assert len(school.state()) == 2


def test_a_password_that_the_policy_refuses_leaves_no_half_user(inside: Inside, strict: Slapd) -> None:
    school = School(inside, strict)
    _certified(school, strict.secure_url)
    weak = person(50)
    weak[4] = "Short-1-x"
    school.sheet("staff.csv", [weak, person(51)])
    done = school.place.json("run", "staff.csv")
    assert done.status == 4
    (failure,) = done.document["job"]["failures"]
    assert (failure["row"], failure["detail"].startswith("the password: ")) == (3, True), failure
    assert [dn for dn in school.state() if dn.startswith("uid=")] == ["uid=user51,ou=people"]


def test_more_users_than_the_server_shows_at_once(school: School) -> None:
    """The server shows 100 entries at the most to whoever does not ask for pages."""
    school.sheet("staff.csv", [[f"a{n}@example.com", f"a{n}", *person(1)[2:]] for n in range(250)])
    assert school.place.json("run", "staff.csv", "--invites", "none").document["job"]["counts"]["created"] == 250
    assert school.place.json("run", "staff.csv").document["job"]["counts"]["unchanged"] == 250
    school.point("page_size = 0\n")
    assert "only a part of its entries" in one_line(school.place.run("run", "staff.csv"))
    SEEN.quirk("shows a limited number of entries to whoever does not ask for pages")


def test_a_socket_of_this_machine_needs_no_password(school: School) -> None:
    school.sheet("staff.csv", [person(1)])
    school.point(url=school.server.socket_url)
    file = school.place.folder / "musterroll.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    signing_in = ("user =", "password =", "security =")
    file.write_text("\n".join(line for line in lines if not line.startswith(signing_in)), encoding="utf-8")
    assert school.place.json("run", "staff.csv").document["job"]["counts"]["created"] == 1


def test_another_server_where_the_first_is_away(school: School) -> None:
    school.sheet("staff.csv", [person(1)])
    away = f"ldap://127.0.0.1:{free_port()}"
    school.point(url=f'{away}", "{school.server.url}')
    assert school.place.json("run", "staff.csv").document["job"]["counts"]["created"] == 1


def test_a_server_that_takes_everything_and_answers_nothing(tmp_path: Path, inside: Inside) -> None:
    (tmp_path / "server").mkdir()
    with slapd(tmp_path / "server") as server:
        school = School(inside, server)
        school.sheet("staff.csv", [person(1)])
        school.point("timeout = 1\n")
        server.pause()
        ended = school.place.run("run", "staff.csv", "--set", "backend.options.retries=0")
        server.go_on()
        one_line(ended, "does not answer")


# -- what is missing --------------------------------------------------------------------------------------------


def test_a_wrong_password_of_the_service_account(school: School) -> None:
    school.sheet("staff.csv", [person(1)])
    before = school.state()
    ended = school.place.run("run", "staff.csv", LDAP_PASSWORD="Wrong-Password-1")
    assert "Wrong-Password-1" not in one_line(ended, "user or the password is wrong")
    assert school.state() == before


def test_a_certificate_that_is_not_trusted(inside: Inside, strict: Slapd) -> None:
    school = School(inside, strict)
    school.sheet("staff.csv", [person(60)])
    for url in (strict.secure_url, strict.url):
        school.point(url=url, security="tls")
        one_line(school.place.run("run", "staff.csv"), "certificate of 127.0.0.1", "not trusted", "option ca")
    assert len(school.state()) == 2


def test_no_encryption_where_it_is_wanted(school: School) -> None:
    school.sheet("staff.csv", [person(1)])
    school.point(security="tls")
    one_line(school.place.run("run", "staff.csv"), "does not offer an encrypted line")


def test_an_account_that_may_only_read(school: School) -> None:
    school.sheet("staff.csv", [person(1)])
    school.point(user=READER)
    before = school.state()
    ended = school.place.run("run", "staff.csv")
    assert ended.status == 4  # the first write was tried, and refused
    assert "nothing can be written" in ended.err
    assert school.state() == before
    SEEN.quirk(
        "cannot be asked who may write where: a missing right shows with the first write, which then is the last"
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"users": f"ou=nowhere,{SUFFIX}"}, ("ou=nowhere", "option users")),
        ({"groups": f"ou=nowhere,{SUFFIX}"}, ("ou=nowhere", "option groups")),
        ({"base": f"ou=nowhere,{SUFFIX}"}, ("ou=nowhere", "option base")),
        ({"users": SUFFIX}, ("not below",)),
        ({"options": 'user_classes = ["inetOrgPerson", "acmePerson"]'}, ("no object class acmePerson",)),
        ({"options": 'key_attribute = "acmeKey"'}, ("no attribute acmeKey",)),
        ({"options": 'user_classes = ["inetOrgPerson", "posixAccount"]'}, ("insist on", "uidnumber", "homedirectory")),
    ],
)
def test_what_is_missing_is_said_at_plan(school: School, settings: dict[str, str], words: tuple[str, ...]) -> None:
    school.sheet("staff.csv", [person(1)])
    school.point(**settings)
    for command in ("plan", "run"):
        one_line(school.place.run(command, "staff.csv"), *words)
    assert len(school.state()) == 2


# -- killed and cut off -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_server_that_is_killed_in_the_middle_and_comes_back(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with slapd(tmp_path / "server", hash_="{SSHA}") as server:
        school = School(Workplace(tmp_path), server)
        rows = [[f"a{n}@example.com", f"a{n}", *person(1)[2:]] for n in range(1500)]
        school.sheet("staff.csv", rows)
        running = school.place.start("run", "staff.csv", "--invites", "none", "--format", "json")
        while running.poll() is None and school.count() < 200:
            time.sleep(0.01)
        server.kill()
        out, err = running.communicate(timeout=60)
        ended = Ended(running.returncode, out, err)
        assert (ended.status, ended.document["job"]["state"]) == (4, "paused"), err
        assert ended.document["job"]["counts"]["created"] < 1500  # who is in no group yet does not count
        server.start()
        resumed = school.place.json("jobs", "resume", "last")
        assert resumed.status == 0, resumed.err
        again = school.place.json("run", "staff.csv")
        assert again.document["job"]["counts"]["unchanged"] == 1500
        state = school.state()
        assert sum(dn.startswith("uid=") for dn in state) == 1500
        assert len(state["cn=Staff,ou=groups"]["member"]) == 1501
        for n in range(0, 1500, 50):
            assert signs_in(server.url, f"uid=a{n},ou=people,{school.unit}", "Sesame-open-1")


def test_a_server_that_is_started_anew_is_connected_again(tmp_path: Path, inside: Inside) -> None:
    (tmp_path / "server").mkdir()
    with slapd(tmp_path / "server") as server:
        school = School(inside, server)
        rows = [[f"a{n}@example.com", f"a{n}", *person(1)[2:]] for n in range(600)]
        school.sheet("staff.csv", rows)
        more = ("--set", "backend.options.retries=6", "--invites", "none")
        running = school.place.start("run", "staff.csv", *more, "--format", "json")
        while running.poll() is None and school.count() < 50:
            time.sleep(0.01)
        server.kill()
        server.start()
        out, err = running.communicate(timeout=60)
        ended = Ended(running.returncode, out, err)
        assert (ended.status, ended.document["job"]["counts"]["created"]) == (0, 600), err
        assert school.count() == 600


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("options", ["", 'key_attribute = "description"'], ids=["by looks", "by mark"])
def test_killed_at_every_commit(tmp_path: Path, server: Slapd, options: str) -> None:
    """Each user once, groups exact, and everybody can sign in."""
    chance = random.Random(20261127)
    # Invites have nothing to do with it, and cost half of the time.
    run = ("run", "--invites", "none")
    one = [person(n) for n in range(8)]
    two = [person(n, "Souza", "Region|South|Deep;Staff") for n in range(4)]
    two += [person(n) for n in range(4, 6)] + [person(n, "Souza", "Region|West") for n in range(8, 16)]

    def begun(name: str) -> School:
        folder = tmp_path / name
        folder.mkdir()
        school = School(Workplace(folder), server, options)
        school.sheet("one.csv", one)
        school.sheet("two.csv", two)
        return school

    def without_marks(school: School) -> dict[str, Any]:
        return {dn: {k: v for k, v in entry.items() if k != "description"} for dn, entry in school.state().items()}

    with fork_server() as forks:

        def fine(school: School, *words: str) -> None:
            ended = forks.run(school.place.folder, *words)
            assert ended.status == 0, ended.out + ended.err

        undisturbed = begun("undisturbed")
        for sheet in ("one.csv", "two.csv"):
            fine(undisturbed, *run, sheet)
        wanted = without_marks(undisturbed)
        commit = 1
        while True:
            school = begun(str(commit))
            fine(school, *run, "one.csv")
            killed = forks.run(
                school.place.folder, *run, "two.csv", commit=commit, when=chance.choice(("before", "after"))
            )
            if killed.status is None:
                forks.run(school.place.folder, "jobs", "resume", "last", commit=chance.randrange(1, 12))
                forks.run(school.place.folder, "jobs", "resume", "last")
            again = forks.run(school.place.folder, *run, "two.csv", "--format", "json")
            assert again.status == 0, again.out
            assert without_marks(school) == wanted, commit
            for n in (0, 8, 15):
                assert signs_in(server.url, f"uid=user{n:02},ou=people,{school.unit}", f"Sesame-open-{n}")
            if killed.status is not None:
                break
            shutil.rmtree(school.place.folder)
            commit += 1
        assert commit > 8
