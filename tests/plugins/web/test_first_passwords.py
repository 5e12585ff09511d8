"""First passwords that no invite tells: on slips, for whoever began the import, and for nobody else."""

from __future__ import annotations

import csv
import io
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from support.slips import MAKES, PUPILS, assert_they_sign_in, cut_off, doubtful, makes_passwords, told_by
from support.web_programs import ACCESS, Program
from support.web_server import Visitor, WebServer, job_of, upload_path, web_server, words_of
from support.workplace import Workplace

PEOPLE = """
[proxy]
header = "X-Person"
""" + "".join(
    f'[[people]]\nname = "{name}"\nrole = "{role}"\n'
    for name, role in {
        "vera": "viewer",
        "ivan": "importer",
        "ida": "importer",
        "anna": "approver",
        # Named as programs are.
        "hr": "importer",
        "boss": "approver",
    }.items()
)


@pytest.fixture(scope="module")
def team_place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    place = Workplace(tmp_path_factory.mktemp("paper"))
    makes_passwords(place, "[limits]\ncreate = 3\n")
    place.write("access/access.txt", PEOPLE + ACCESS)
    return place


@pytest.fixture(scope="module")
def team(team_place: Workplace) -> Iterator[WebServer]:
    with web_server(team_place, access="access/access.txt") as server:
        yield server


@pytest.fixture
def ivan(team: WebServer) -> Visitor:
    return person(team, "ivan")


@pytest.fixture
def hr(team: WebServer) -> Program:
    return Program(team.client(), "hr")


def person(team: WebServer, name: str) -> Visitor:
    return Visitor(team.client(headers={"x-person": name}))


def slips_in(page: httpx.Response) -> list[str]:
    """The paths, below the customer's, of the slips that a page offers for download."""
    return re.findall(r'action="/c/[^/]+(/jobs/[^/]+/passwords/[0-9a-f]{20})" class="download"', page.text)


def pupils(*names: str) -> str:
    """A sheet of pupils of whom nobody can be invited."""
    return "Email,Username,Forename,Surname\n" + "".join(f",{name},{name.title()},Berg\n" for name in names)


def test_slips_are_fetched_printed_and_deleted(visitor: Visitor, server: WebServer, place: Workplace) -> None:
    makes_passwords(place, name=visitor.name)
    answers = visitor.upload(PUPILS)
    text = words_of(answers)
    assert "Nobody – 0 invites, 3 first passwords on paper Ne" in text
    assert "New users – 1 invite, 2 first passwords on paper, as usual" in text
    assert "you get a page to print, with a slip for each" in text
    page = visitor.wait(visitor.post(upload_path(answers) + "/run", invites="new"))
    text = words_of(page)
    assert "2 people get their first passwords on paper, since no invite tells them" in text
    assert "until you delete it or the job is no longer kept" in text
    (path,) = slips_in(page)
    first, again = visitor.post(path), visitor.post(path)  # a download may break
    assert first.content == again.content
    assert first.headers["cache-control"] == "no-store"
    job = job_of(page)
    assert first.headers["content-disposition"] == f'attachment; filename="{visitor.name}-{job}-first-passwords.html"'
    told = told_by(first.content)
    assert sorted(told) == ["bo", "cy"]
    assert_they_sign_in(place.directory, told)
    table = visitor.post(f"{path}/csv")
    assert table.headers["content-disposition"] == f'attachment; filename="{visitor.name}-{job}-first-passwords.csv"'
    rows = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))
    assert {row["Username"]: (row["Password"], row["Forename"]) for row in rows} == {
        "bo": (told["bo"], "Bo"),
        "cy": (told["cy"], "Cy"),
    }
    (kept,) = (server.state / upload_path(answers)[1:] / "first-passwords").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for secret in told.values():
        assert secret not in page.text + visitor.get("").text
        assert secret not in visitor.wait(visitor.get(f"/jobs/{job}/rows/3")).text

    assert visitor.wait(visitor.post(f"/jobs/{job}/undo")).status_code == 200  # a job with the same sheet
    assert words_of(visitor.get("")).count("First passwords to print") == 1
    assert [visitor.get(path).status_code, visitor.get(f"{path}/csv").status_code] == [405, 405]
    asked = visitor.get(f"{path}/delete")
    assert "after that nobody gets these passwords again" in words_of(asked)
    assert kept.exists()
    done = visitor.wait(visitor.post(f"{path}/delete"))
    assert "has printed the slips of 2 people, and deleted them here" in words_of(done)
    assert slips_in(done) == []
    assert "First passwords to print" not in words_of(visitor.get(""))
    assert not kept.exists()
    for gone in (
        visitor.post(path),
        visitor.post(f"{path}/csv"),
        visitor.post(f"{path}/delete"),
        visitor.get(f"{path}/delete"),
    ):
        assert gone.status_code == 410
        assert "deleted here, and nobody can get them again" in words_of(gone)
    acts = [line["what"] for line in server.audit() if line["about"] == job]
    downloads = [*["download of first passwords"] * 2, "download of first passwords as a table"]
    assert acts == [*downloads, "undo", "deletion of first passwords"]


def test_where_every_invite_tells_them_there_is_no_paper(visitor: Visitor, server: WebServer, place: Workplace) -> None:
    makes_passwords(place, name=visitor.name)
    answers = visitor.upload(PUPILS.partition(",bo")[0])
    assert "New users – 1 invite, as usual" in words_of(answers)
    page = visitor.wait(visitor.post(upload_path(answers) + "/run", invites="new"))
    assert "on paper" not in words_of(page)
    assert list((server.state / upload_path(answers)[1:]).rglob("*.html")) == []


def test_a_portal_that_keeps_no_passwords_has_none_on_paper(visitor: Visitor, place: Workplace) -> None:
    place.pipeline(MAKES, name=visitor.name, passwords="none")
    answers = visitor.upload(PUPILS)
    assert "on paper" not in words_of(answers)
    page = visitor.wait(visitor.post(upload_path(answers) + "/run", invites="none"))
    assert "Completed" in words_of(page)
    assert slips_in(page) == []


def test_they_are_for_who_began_the_import_only(team: WebServer, ivan: Visitor) -> None:
    page = ivan.import_(pupils("ben"))
    (path,) = slips_in(page)
    job = f"/jobs/{job_of(page)}"
    for name in ("ida", "anna"):
        other = person(team, name)
        text = words_of(other.wait(other.get(job)))
        assert "Here is a slip with the first password of 1 person, which no invite tells. It is for ivan only" in text
        assert slips_in(other.get(job)) == []
        for refused in (
            other.post(path),
            other.post(f"{path}/csv"),
            other.post(f"{path}/delete"),
            other.get(f"{path}/delete"),
        ):
            assert refused.status_code == 403
            assert "for ivan only" in words_of(refused)
    assert "First passwords to print" in words_of(ivan.get(""))
    assert "First passwords to print" not in words_of(person(team, "anna").get(""))
    vera = person(team, "vera")
    assert "It is for ivan only" in words_of(vera.wait(vera.get(job)))
    assert [vera.post(path).status_code, vera.get(f"{path}/delete").status_code] == [403, 403]
    assert ("ida", "refused: first passwords") in [(line["who"], line["what"]) for line in team.audit()]
    assert told_by(ivan.post(path).content).keys() == {"ben"}


def test_a_person_and_a_program_of_the_same_name_are_two(team: WebServer, hr: Program) -> None:
    namesake = person(team, "hr")
    rows = [{"username": name, "forename": "X"} for name in ("pam", "pat")]
    job = hr.document(hr.client.post("/api/customers/test/jobs", json={"rows": rows}))["job"]["id"]
    (slips,) = hr.get(f"/api/jobs/{job}/overview")["first_passwords"]
    path = f"/jobs/{job}/passwords/{slips['id']}"
    assert "They are for hr (program) only" in words_of(namesake.wait(namesake.get(f"/jobs/{job}")))
    refused = namesake.post(path)
    assert refused.status_code == 403
    assert "for hr (program) only" in words_of(refused)
    assert namesake.post(f"{path}/delete").status_code == 403
    assert told_by(hr.client.post(f"/api{path}").content).keys() == {"pam", "pat"}
    assert "hr (program)" in words_of(namesake.get(""))

    of_person = job_of(namesake.import_(pupils("quin")))
    told = hr.get(f"/api/jobs/{of_person}/overview")
    (slips,) = told["first_passwords"]
    assert (told["by"], told["by_program"], slips["for"], slips["for_program"]) == ("hr", False, "hr", False)
    assert hr.client.post(f"/api/jobs/{of_person}/passwords/{slips['id']}").status_code == 403
    noted = [line for line in team.audit() if line["who"] == "hr" and line["what"] == "refused: first passwords"]
    assert [line["is_program"] for line in noted] == [False, False, True]


def test_a_program_that_is_called_like_who_began_a_job_may_approve_it(team: WebServer) -> None:
    namesake, boss = person(team, "boss"), Program(team.client(), "boss")
    stopped = job_of(namesake.import_(pupils("ron", "ros", "roy", "rue")))
    assert namesake.post(f"/jobs/{stopped}/approve").status_code == 403
    assert boss.get(f"/api/jobs/{stopped}/overview")["can"]["approve"]
    done = boss.document(boss.client.post(f"/api/jobs/{stopped}/approve"))
    assert done["job"]["approved"]["by"] == "boss (program)"
    rows = [{"username": name, "forename": "X"} for name in ("sal", "sam", "sid", "sue")]
    stopped = boss.document(boss.client.post("/api/customers/test/jobs", json={"rows": rows}))["job"]["id"]
    assert boss.client.post(f"/api/jobs/{stopped}/approve").status_code == 403
    page = namesake.wait(namesake.post(f"/jobs/{stopped}/approve"))
    assert "By boss (program)" in words_of(page)
    assert "Approved by boss " in words_of(page)
    assert "It is for boss (program) only" in words_of(page) or "They are for boss (program) only" in words_of(page)


def test_who_approves_does_not_get_them(team: WebServer, ivan: Visitor) -> None:
    stopped = ivan.import_(pupils("cal", "dan", "eli", "fay"))
    assert "Stopped by a limit" in words_of(stopped)
    assert slips_in(stopped) == []
    anna = person(team, "anna")
    done = anna.wait(anna.post(f"/jobs/{job_of(stopped)}/approve"))
    assert "They are for ivan only" in words_of(done)
    (path,) = slips_in(ivan.get(f"/jobs/{job_of(stopped)}"))
    assert anna.post(path).status_code == 403
    assert told_by(ivan.post(path).content).keys() == {"cal", "dan", "eli", "fay"}


def test_whoever_goes_on_with_a_job_gets_what_nobody_was_told(team: WebServer, ivan: Visitor) -> None:
    page = ivan.import_(pupils("gil", "hal", "ian"))
    job, (first,) = f"/jobs/{job_of(page)}", slips_in(page)
    before = told_by(ivan.post(first).content)
    folder = next(team.state.glob(f"uploads/*/first-passwords/{first.rpartition('/')[2]}.html")).parent
    (folder / f"{'0' * 20}.html").write_text("left by a worker that was killed before it was noted")
    cut_off(team.place, "hal")
    assert ivan.post(f"{job}/passwords/{'0' * 20}").status_code == 404
    ida = person(team, "ida")
    asked = words_of(ida.get(f"{job}/resume"))
    assert "1 person who was created has a first password that nobody was told, and gets another one." in asked
    assert "it is not known yet" not in asked
    again = ida.wait(ida.post(f"{job}/resume"))
    (second,) = slips_in(again)
    assert "They are for ivan only" in words_of(again)
    assert "1 person gets the first password on paper" in words_of(again)
    after = told_by(ida.post(second).content)
    assert after.keys() == {"hal"}
    assert after["hal"] != before["hal"]
    assert_they_sign_in(team.place.directory, before | after)
    assert ivan.post(second).status_code == 403
    assert told_by(ivan.post(first).content) == before  # what was told stays
    assert "0" * 20 not in ivan.get(job).text


def test_who_goes_on_is_told_before_how_many_get_other_passwords(
    visitor: Visitor, server: WebServer, place: Workplace
) -> None:
    makes_passwords(place, name=visitor.name)
    job = job_of(visitor.import_(PUPILS))
    cut_off(place, "bo", "cy")
    doubtful(place, "cy")
    asked = words_of(visitor.get(f"/jobs/{job}/resume"))
    assert "1 person who was created has a first password that nobody was told, and gets another one." in asked
    assert "Of 1 person it is not known yet whether the portal has created them" in asked
    again = visitor.wait(visitor.post(f"/jobs/{job}/resume"))
    path = slips_in(again)[-1]
    assert told_by(visitor.post(path).content).keys() == {"bo", "cy"}
    cut_off(place)
    assert "password" not in words_of(visitor.get(f"/jobs/{job}/resume"))  # all of them are told


def test_a_program_is_told_before_how_many_get_other_passwords(team: WebServer, hr: Program) -> None:
    rows = [{"username": name, "forename": "X"} for name in ("tam", "tia")]
    job = hr.document(hr.client.post("/api/customers/test/jobs", json={"rows": rows}))["job"]["id"]
    assert hr.get(f"/api/jobs/{job}/overview")["lost_passwords"] == {"people": 0, "perhaps": 0}
    cut_off(team.place, "tam", "tia")
    doubtful(team.place, "tia")
    told = hr.get(f"/api/jobs/{job}/overview")
    assert (told["can"]["resume"], told["lost_passwords"]) == (True, {"people": 1, "perhaps": 1})
    hr.document(hr.client.post(f"/api/jobs/{job}/resume"))
    told = hr.get(f"/api/jobs/{job}/overview")
    assert (told["can"]["resume"], told["lost_passwords"]) == (False, {"people": 0, "perhaps": 0})


def test_an_upload_whose_passwords_were_handed_over_is_not_discarded(ivan: Visitor, team: WebServer) -> None:
    page = ivan.import_(pupils("jon"))
    (path,) = slips_in(page)
    (folder,) = team.state.glob(f"uploads/*/first-passwords/{path.rpartition('/')[2]}.html")
    upload = f"/uploads/{folder.parents[1].name}"
    # Its worker was killed, and nobody knows any more what came of it.
    (team.state / "work" / path.rpartition("/")[2] / "result.json").unlink()
    for act in ("discard", "check"):
        assert ivan.post(f"{upload}/{act}").status_code == 409
    assert told_by(ivan.post(path).content).keys() == {"jon"}


def test_a_job_of_the_command_line_is_gone_on_with_there(visitor: Visitor, place: Workplace) -> None:
    makes_passwords(place, name=visitor.name)
    sheet = place.write("pupils.csv", PUPILS)
    assert place.run("run", sheet, "--hand-over", "slips.html", "--yes").status == 0
    (job,) = place.json("jobs", "list").document["jobs"]
    page = visitor.wait(visitor.get(f"/jobs/{job['id']}"))
    assert "on paper" not in words_of(page)  # they went to whoever has that file
    cut_off(place, "bo")
    stopped = visitor.wait(visitor.post(f"/jobs/{job['id']}/resume"))
    assert "this job was begun on the command line" in words_of(stopped)
    assert "--hand-over" not in words_of(stopped)
    assert list(place.folder.glob("first-passwords")) == []


def test_a_program_fetches_and_deletes_them(team: WebServer, hr: Program) -> None:
    check = hr.begin("/api/customers/test/checks", files={"sheet": ("pupils.csv", pupils("kai", "lea"))})
    assert hr.get(f"{check}/overview")["invites"]["choices"]["new"] == {"sends": 0, "on_paper": 2, "refusal": None}
    work = hr.begin(f"{check}/import")
    job = hr.get(work)["job"]["id"]
    (slips,) = hr.get(f"{work}/overview")["first_passwords"]
    assert slips == {"id": work.rpartition("/")[2], "for": "hr", "for_program": True, "people": 2, "deleted": False}
    path = f"/api/jobs/{job}/passwords/{slips['id']}"
    fetched = hr.client.post(path)
    assert fetched.headers["content-disposition"].startswith("attachment")
    assert fetched.headers["cache-control"] == "no-store"
    assert told_by(fetched.content).keys() == {"kai", "lea"}
    assert hr.client.post(f"{work}/passwords/{slips['id']}").content == fetched.content
    table = hr.client.post(f"{path}/csv")
    assert table.content.decode("utf-8-sig").startswith('"Username","Password",')
    for name in ("auditor", "boss"):
        other = Program(team.client(), name)
        assert [other.client.post(path + end).status_code for end in ("", "/csv", "/delete")] == [403, 403, 403]
    assert hr.client.post(f"{path}/delete").json() == {"id": slips["id"]}
    (now,) = hr.get(f"/api/jobs/{job}/overview")["first_passwords"]
    assert now == {**slips, "deleted": True}
    for gone in (hr.client.post(path), hr.client.post(f"{path}/csv")):
        assert (gone.status_code, gone.json()["error"]["code"]) == (410, "gone")
    rows = [{"username": "mia", "forename": "Mia"}]
    document = hr.document(hr.client.post("/api/customers/test/jobs", json={"rows": rows}))  # imported at once
    (slips,) = hr.get(f"/api/jobs/{document['job']['id']}/overview")["first_passwords"]
    fetched = hr.client.post(f"/api/jobs/{document['job']['id']}/passwords/{slips['id']}")
    assert told_by(fetched.content).keys() == {"mia"}


def test_slips_go_with_their_job(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    makes_passwords(place)
    with web_server(place) as server:
        (path,) = slips_in(server.enter().import_(pupils("ned")))
        (page,) = server.state.rglob("first-passwords/*.html")
    age(page.parents[1])
    with web_server(place) as server:  # it tidies when it begins
        assert server.enter().post(path).status_code == 200
    later = place.write("later.csv", pupils("ned", "ole"))
    assert place.run("run", later, "--hand-over", "later.html", "--yes").status == 0
    assert place.run("jobs", "prune", "--yes").status == 0
    with web_server(place) as server:
        assert server.enter().post(path).status_code == 404
        assert not page.exists()


def age(folder: Path) -> None:
    """Makes an upload's folder one of some time ago."""
    then = time.time() - 8 * 24 * 60 * 60
    os.utime(folder, (then, then))
