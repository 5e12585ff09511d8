"""What a person can do on the pages, a program can do by the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from musterroll_plugins.web.desk import Standing
from musterroll_plugins.web.programs.answers import standing_of
from support.web_programs import ACCESS, Program
from support.web_server import DOUBTFUL, MISTAKES, POST_IN_DOUBT, SHEET, WebServer, two_worksheets, web_server
from support.workplace import Workplace

REHEARSAL = '[profiles.rehearsal]\nbackend.use = "memory"\n[profiles.production]\ninvites.send_to = "all"\n'
THEIRS = """
[[programs]]
name = "other"
role = "approver"
customers = ["nobody"]
token = "other-token-of-twenty-characters"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    place = Workplace(tmp_path_factory.mktemp("programs"))
    place.pipeline('on_error = "skip"\n' + REHEARSAL)
    place.write("access/access.txt", ACCESS + THEIRS)
    return place


@pytest.fixture(scope="module")
def api(place: Workplace) -> Iterator[WebServer]:
    with web_server(place, access="access/access.txt") as server:
        yield server


@pytest.fixture
def hr(api: WebServer) -> Program:
    return Program(api.client(), "hr")


@pytest.fixture
def auditor(api: WebServer) -> Program:
    return Program(api.client(), "auditor")


def check(program: Program, sheet: str | bytes, name: str = "staff.csv", **said: str) -> str:
    """Has a sheet checked; returns the address of the check."""
    return program.begin("/api/customers/test/checks", files={"sheet": (name, sheet)}, data=said)


def test_a_program_sees_its_customers_and_how_their_sheets_look(api: WebServer, auditor: Program) -> None:
    (found,) = auditor.get("/api/customers")["customers"]
    assert found == {"name": "test", "role": "viewer", "profiles": ["rehearsal", "production"]}
    told = auditor.get("/api/customers/test")
    assert [one["kind"] for one in told["targets"]] == ["plain", "rehearsal", "production"]
    fields = {one["name"]: one for one in told["fields"]}
    assert fields["username"]["required"]
    assert fields["username"]["max_length"] == 100
    assert fields["password"]["guidance"]
    assert any("Groups" in rule for rule in told["rules"])
    for form in told["blank_sheets"]:
        blank = auditor.client.get(f"/api/customers/test/blank/{form}")
        assert blank.status_code == 200
        assert blank.headers["content-disposition"].endswith(f'"test.{form}"')
    assert auditor.client.get("/api/customers/test/blank/exe").status_code == 404
    other = Program(api.client(), "other")
    assert other.get("/api/customers") == {"customers": []}
    assert other.client.get("/api/customers/test").status_code == 404


def test_columns_that_do_not_match_are_named(hr: Program, place: Workplace) -> None:
    sheet = SHEET.replace("Username", "Kennung").replace("Forename", "Rufname")
    first = check(hr, sheet)
    found = hr.get(f"{first}/columns")
    assert not found["match"]
    assert {one["heading"]: one["field"] for one in found["columns"]}["Kennung"] in ("username", None)
    assert {"name": "forename", "heading": "Forename", "required": True} in found["fields"]
    wrongs: tuple[dict[str, Any], ...] = (
        {"columns": {"nickname": "Kennung"}},
        {"columns": {"username": "Nobody"}},
        {"columns": {"username": "Kennung"}},
        {"columns": {"username": "Kennung", "forename": "Kennung"}},
        {"columns": {"username": "Email", "forename": "Rufname"}},
        {"columns": {"username": 1}},
        {"columns": {}},
        {"worksheet": "x", "columns": {"username": "Kennung"}},
        {"heading": 1},
    )
    for wrong in wrongs:
        assert hr.client.post(f"{first}/columns", json=wrong).status_code == 422, wrong
    named = {"username": "Kennung", "forename": "Rufname"}
    second = hr.begin(f"{first}/columns", json={"columns": named})
    assert hr.get(f"{second}/columns")["match"]
    assert hr.get(f"{second}/overview")["rows"] == {"create": 2}
    assert "Kennung" not in (place.folder / "musterroll.toml").read_text("utf-8")
    # What takes its place has them, too; and whoever knows them says them at once.
    third = check(hr, sheet.replace("Silva", "Souza"), after=second.rpartition("/")[2])
    assert hr.get(f"{third}/columns")["match"]
    assert hr.client.get(second).status_code == 404
    at_once = check(hr, sheet, columns='{"username": "Kennung", "forename": "Rufname"}')
    assert hr.get(f"{at_once}/columns")["match"]
    hr.begin(f"{check(hr, sheet)}/columns", json={"columns": named, "remember": True})
    assert "Kennung" in (place.folder / "musterroll.toml").read_text("utf-8")
    assert hr.get(f"{check(hr, sheet)}/columns")["match"]
    for one in hr.get("/api/customers/test/uploads")["uploads"]:
        assert hr.client.post(f"/api/jobs/{one['id']}/discard").status_code == 200


def test_a_worksheet_is_named_with_the_sheet_or_afterwards(hr: Program) -> None:
    book = two_worksheets()
    first = check(hr, book, "staff.xlsx")
    assert [one["code"] for one in hr.get(f"{first}/problems")["problems"]] == ["sheet.ambiguous"]
    assert hr.get(f"{first}/columns")["worksheets"] == ["Sheet", "Others"]
    second = hr.begin(f"{first}/columns", json={"worksheet": "Others"})
    assert "olga" in [one["username"] for one in hr.get(f"{second}/rows")["rows"]]
    at_once = check(hr, book, "staff.xlsx", worksheet="Others", after=second.rpartition("/")[2])
    assert "olga" in [one["username"] for one in hr.get(f"{at_once}/rows")["rows"]]
    assert hr.client.post(f"{at_once}/discard").status_code == 200


def test_problems_come_page_by_page_and_by_cause(hr: Program) -> None:
    many = "".join(f"broken{i},u{i},U,,Harbour-Gate-{i},,,\n" for i in range(60))
    path = check(hr, SHEET + many + "ok@example.com,,Di,Dahl,Orchard-Lane-66,,,\n")
    first, last = hr.get(f"{path}/problems"), hr.get(f"{path}/problems", page=2)
    assert (first["page"], first["pages"], first["total"]) == (1, 2, 61)
    assert (len(first["problems"]), len(last["problems"])) == (50, 11)
    assert hr.get(f"{path}/problems", code="username.required")["total"] == 1
    assert hr.get(f"{path}/problems", field="email", severity="error")["total"] == 60
    assert hr.get(f"{path}/problems", severity="warning")["total"] == 0
    causes = hr.get(f"{path}/causes")["problem_groups"]
    assert sum(one["count"] for one in causes) == 61
    assert hr.get(f"{path}/causes", severity="warning")["total"] == 0
    assert hr.get(path)["problem_groups"] == [
        {name: one[name] for name in hr.get(path)["problem_groups"][0]} for one in causes
    ]
    assert hr.client.post(f"{path}/discard").status_code == 200


def test_copies_are_made_and_taken(hr: Program) -> None:
    path = check(hr, SHEET.replace("44,7712345678", "44,07712345678") + "x,cy,Cy,,Harbour-Gate-55,,,\n")
    assert hr.get(f"{path}/overview")["can"]["fix"]
    fixed = hr.begin(f"{path}/copies/fixed")
    taken = hr.client.get(f"{fixed}/file")
    assert "7712345678" in taken.text
    assert "07712345678" not in taken.text
    for query, is_there in (("", False), ("?passwords=yes", True)):
        marked = hr.client.get(f"{hr.begin(f'{path}/copies/annotated{query}')}/file")
        assert "not a valid address" in marked.text
        assert ("Sesame-open-7" in marked.text) is is_there
    assert hr.client.post(f"{path}/copies/other").status_code == 404
    assert hr.client.get(f"{path}/file").status_code == 404
    assert hr.client.post(f"{path}/discard").status_code == 200
    assert hr.client.get(f"{fixed}/file").status_code == 404


def test_a_job_is_looked_at_as_on_its_page(hr: Program, auditor: Program, api: WebServer, place: Workplace) -> None:
    path = check(hr, MISTAKES)
    waiting = hr.get("/api/customers/test/uploads")
    (mine,) = [one for one in waiting["uploads"] if f"/api/jobs/{one['id']}" == path]
    assert (mine["name"], mine["by"], mine["state"]) == ("staff.csv", "hr", "done")
    seen = hr.get(f"{path}/overview")
    assert seen["can"]["import"]
    assert seen["rows"] == {"create": 2}
    assert {name: one["sends"] for name, one in seen["invites"]["choices"].items()}["none"] == 0
    assert ["Region", "North"] in seen["groups_to_create"]
    checked = hr.begin(f"/api/jobs/{mine['upload']}/check")
    assert hr.client.post(f"{path}/import").status_code == 404  # another check shows it by now
    work = hr.begin(f"{checked}/import?invites=none")
    events = hr.client.get(f"{work}/events")
    assert events.text.endswith("event: end\ndata: {}\n\n")

    job = hr.get(work)["job"]["id"]
    seen = auditor.get(f"/api/jobs/{job}/overview")
    assert (seen["name"], seen["by"], seen["state"]) == ("staff.csv", "hr", "completed_with_errors")
    assert seen["can"] == dict.fromkeys(("resume", "undo", "approve", "release", "rejected"), False)
    assert hr.get(f"/api/jobs/{job}/overview")["can"]["rejected"]
    rows = auditor.get(f"/api/jobs/{job}/rows")
    assert rows["rows"] == hr.get(work)["changes"]
    assert hr.get(f"{work}/rows") == rows
    assert [one["row"] for one in auditor.get(f"/api/jobs/{job}/rows", q="bo")["rows"]] == [4]
    assert auditor.get(f"/api/jobs/{job}/rows", outcome="update")["total"] == 0
    assert auditor.get(f"/api/jobs/{job}/problems")["total"] == 3
    assert auditor.get(f"/api/jobs/{job}/failures")["total"] == 0

    story = auditor.document(auditor.client.get(f"/api/jobs/{job}/rows/5"))
    assert story["row"]["username"] == "cy"
    for form, begins in (("html", "<!doctype html>"), ("csv", "\ufeff")):
        report = auditor.begin(f"/api/jobs/{job}/reports/{form}")
        taken = auditor.client.get(f"{report}/file")
        assert taken.headers["content-disposition"].endswith(f'-{job}.{form}"')
        assert taken.content.decode("utf-8").lower().startswith(begins)
        assert "email is not a valid address" in taken.text.lower()
        assert str(place.folder) not in taken.text
        assert "Sesame" not in taken.text
    assert auditor.client.post(f"/api/jobs/{job}/reports/exe").status_code == 404
    assert auditor.client.get(f"/api/jobs/{job}/rejected").status_code == 403
    rejected = hr.client.get(f"/api/jobs/{job}/rejected")
    assert "Clark" in rejected.text
    what = [(line["who"], line["what"]) for line in api.audit()]
    for act in ("upload", "check", "run", "download of rejected rows"):
        assert ("hr", act) in what
    assert ("auditor", "download of a report") in what


def test_jobs_come_page_by_page(hr: Program, auditor: Program) -> None:
    rows = [{"username": "pia", "forename": "Pia", "password": "Lantern-Hill-91"}]
    job = hr.document(hr.client.post("/api/customers/test/jobs", json={"rows": rows, "invites": "none"}))["job"]["id"]
    page = auditor.get("/api/customers/test/jobs", page=1)
    whole = auditor.get("/api/customers/test/jobs")["jobs"]
    assert (page["page"], page["pages"], page["total"]) == (1, 1, len(whole))
    assert page["jobs"][0] | whole[0] == page["jobs"][0]
    assert (page["jobs"][0]["id"], page["jobs"][0]["by"], page["jobs"][0]["name"]) == (job, "hr", "rows.csv")


def test_held_invites_are_listed_and_released(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.write("doubtful.py", DOUBTFUL)
    place.pipeline(POST_IN_DOUBT)
    place.write("access/access.txt", ACCESS)
    with web_server(place, access="access/access.txt") as server:
        hr = Program(server.client(), "hr")
        begun = hr.client.post("/api/customers/test/jobs", files={"sheet": ("staff.csv", SHEET)})
        path = f"/api/jobs/{hr.document(begun)['job']['id']}"
        held = hr.get(f"{path}/failures", status="held")
        assert [one["username"] for one in held["failures"]] == ["ana", "bo"]
        assert "the connection was cut" in held["failures"][0]["detail"]
        assert hr.get(f"{path}/failures", status="failed")["total"] == 0
        assert hr.get(f"{path}/overview")["can"]["release"]
        hr.begin(f"{path}/release?as_sent=yes")
        assert hr.get(f"{path}/failures", status="held")["total"] == 0
        assert not hr.get(f"{path}/overview")["can"]["release"]
        assert hr.client.post(f"{path}/release").status_code == 409


def test_what_a_viewer_may_not(hr: Program, auditor: Program) -> None:
    path = check(hr, SHEET)
    for part in (
        "",
        "/overview",
        "/rows",
        "/problems",
        "/causes",
        "/failures",
        "/columns",
        "/events",
        "/file",
        "/rejected",
    ):
        assert auditor.client.get(path + part).status_code == 404
    for act in ("columns", "copies/fixed", "check", "import", "discard", "reports/html", "cancel"):
        assert auditor.client.post(f"{path}/{act}", json={}).status_code == 404
    assert auditor.client.get("/api/customers/test/uploads").status_code == 403
    assert hr.client.post(f"{path}/discard").status_code == 200


def test_what_is_wanted_twice_is_read_once(hr: Program, auditor: Program, api: WebServer) -> None:
    rows = [{"username": "ria", "forename": "Ria", "password": "Lantern-Hill-92"}]
    job = hr.document(hr.client.post("/api/customers/test/jobs", json={"rows": rows, "invites": "none"}))["job"]["id"]
    begun = {auditor.client.get(f"/api/jobs/{job}/rows/3").json()["id"] for _ in range(5)}
    assert len(begun) == 1


@pytest.mark.parametrize(
    "said",
    [
        {"after": "0" * 20},
        {"after": "x"},
        {"columns": '{"nickname": "x"}'},
        {"columns": '{"email": 1}'},
        {"columns": "[]"},
        {"columns": '{"email": "a\\nb"}'},
        {"worksheet": "x" * 300},
        {"profile": "nobody"},
    ],
    ids=str,
)
def test_what_cannot_be_said_with_a_sheet(said: dict[str, str], hr: Program) -> None:
    before = hr.get("/api/customers/test/uploads")
    answer = hr.client.post("/api/customers/test/checks", files={"sheet": ("staff.csv", SHEET)}, data=said)
    assert answer.status_code == 422
    assert hr.get("/api/customers/test/uploads") == before


def test_what_ends_while_one_asks_how_far_it_is_is_running_still() -> None:
    desk = SimpleNamespace(standing=lambda _: Standing("done", result={}))
    visit, work = SimpleNamespace(site=SimpleNamespace(desk=desk)), SimpleNamespace(id="1")
    answer = standing_of(cast("Any", visit), cast("Any", work))
    assert answer.status_code == 202
    assert json.loads(bytes(answer.body))["state"] == "running"
