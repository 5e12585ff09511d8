"""The same sheet by page, by API and on the command line is the same job."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from jsonschema import Draft202012Validator

from musterroll_plugins.web import WebOptions
from musterroll_plugins.web.customers import Customers
from musterroll_plugins.web.people import AccessFile
from musterroll_plugins.web.programs.openapi import openapi
from musterroll_plugins.web.programs.operations import OPERATIONS
from musterroll_plugins.web.server import make_site, routes_of
from musterroll_plugins.web.site import Site
from support.web_programs import ACCESS, Program
from support.web_server import MISTAKES, SHEET, Visitor, WebServer, job_of, upload_path, web_server, words_of
from support.workplace import Workplace


@pytest.fixture(scope="module")
def api_place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    place = Workplace(tmp_path_factory.mktemp("api"))
    place.pipeline("[limits]\ncreate = 2")
    place.write("access/access.txt", ACCESS)
    return place


@pytest.fixture(scope="module")
def api(api_place: Workplace) -> Iterator[WebServer]:
    with web_server(api_place, access="access/access.txt") as server:
        yield server


@pytest.fixture
def hr(api: WebServer) -> Program:
    return Program(api.client(), "hr")


def comparable(document: dict[str, Any]) -> Any:
    """A document without ids, times and `source.path`."""
    text = json.dumps(document)
    text = re.sub(r"\d{8}-\d{6}-[a-z0-9]{4}", "JOB", text)
    found = json.loads(text)
    found["source"]["path"] = ""
    return found


@pytest.mark.slow
@pytest.mark.parametrize("sheet", [SHEET, MISTAKES], ids=["good", "with mistakes"])
def test_by_page_api_and_command_line(sheet: str, tmp_path: Path) -> None:
    found = {}
    for way in ("page", "api", "command line"):
        place = Workplace(tmp_path / way.replace(" ", "-"))
        place.folder.mkdir()
        place.pipeline('on_error = "skip"')
        place.write("access/access.txt", ACCESS)
        path = place.write("staff.csv", sheet)
        if way == "command line":
            found[way] = place.json("run", path, "--rejected", "left-out.csv", "--yes").document
            continue
        with web_server(place, access="access/access.txt") as server:
            if way == "api":
                program = Program(server.client(), "hr")
                answer = program.client.post("/api/customers/test/jobs", files={"sheet": ("staff.csv", sheet)})
                found[way] = program.document(answer)
            else:
                visitor = server.enter()
                checked = visitor.upload(sheet)
                begun = visitor.post(upload_path(checked) + "/run", invites="new")
                visitor.wait(begun)
                (work,) = [one for one in (server.state / "work").iterdir() if _kind(one) == "run"]
                found[way] = json.loads((work / "document.json").read_text("utf-8"))
        assert place.users().keys() == {"ana", "bo"}
    assert [document["job"].pop("rejected_file") is None for document in found.values()] == [sheet == SHEET] * 3
    page, by_api, by_hand = map(comparable, found.values())
    assert page == by_api == by_hand
    assert page["command"] == "run"
    assert page["job"]["counts"]["created"] == 2


def _kind(work: Path) -> str:
    kind: str = json.loads((work / "work.json").read_text("utf-8"))["kind"]
    return kind


def test_rows_instead_of_a_sheet(hr: Program, api_place: Workplace) -> None:
    rows = [{"username": "jo", "forename": "Jo", "password": "Lantern-Hill-77", "groups": "A|B"}]
    document = hr.document(hr.client.post("/api/customers/test/jobs", json={"rows": rows, "invites": "none"}))
    assert document["status"] == "ok"
    assert document["source"]["format"] == "csv"
    assert "jo" in api_place.users()
    wrongs: list[Any] = [{"rows": rows} for rows in ([{"user": "x"}], [["x"]], "x", [{"username": 1}])]
    for wrong in [*wrongs, {"lines": []}, []]:
        assert hr.client.post("/api/customers/test/jobs", json=wrong).status_code == 422


def test_what_is_sent_twice_under_one_key_is_one_job(hr: Program) -> None:
    rows = {"rows": [{"username": "kim", "forename": "Kim", "password": "Lantern-Hill-78"}], "invites": "none"}
    key = {"idempotency-key": "june"}
    first = hr.client.post("/api/customers/test/jobs", json=rows, headers=key)
    again = hr.client.post("/api/customers/test/jobs", json=rows, headers=key)
    assert first.json() == again.json()
    hr.document(first)
    other = hr.client.post("/api/customers/test/jobs", json={"rows": []}, headers=key)
    assert other.status_code == 422
    assert "used for something else" in other.json()["error"]["message"]


def test_a_check_writes_nothing(hr: Program, api_place: Workplace) -> None:
    before = api_place.json("jobs", "list").document["jobs"]
    answer = hr.client.post("/api/customers/test/checks", files={"sheet": ("staff.csv", SHEET)})
    document = hr.document(answer)
    assert document["command"] == "plan"
    assert [change["action"] for change in document["changes"]] == ["create", "create"]
    assert api_place.json("jobs", "list").document["jobs"] == before


def test_what_a_check_has_shown_is_imported_or_discarded(hr: Program, api: WebServer, api_place: Workplace) -> None:
    def checked(name: str) -> str:
        rows = [{"username": name, "forename": "Z", "email": f"{name}@example.com", "password": "Lantern-Hill-88"}]
        return hr.begin("/api/customers/test/checks", json={"rows": rows})

    first, second, third = map(checked, ("zoe", "zed", "zia"))
    assert hr.client.post(f"{first}/import?invites=perhaps").status_code == 422
    begun = hr.client.post(f"{first}/import?invites=none")
    assert hr.document(begun)["job"]["state"] == "completed"
    assert hr.client.post(f"{first}/import").status_code == 409
    assert hr.client.post(f"{first}/discard").status_code == 409
    assert hr.client.post(f"{second}/discard").json() == {"id": second.rpartition("/")[2]}
    for act in ("import", "discard"):
        assert hr.client.post(f"{second}/{act}").status_code == 404
    # By now something else would be done.
    other = "\n".join([*SHEET.splitlines()[:2], "zia@example.com,zia,Somebody,,Lantern-Hill-88,,,"])
    assert api_place.run("run", api_place.write("zia.csv", f"{other}\n")).status == 0
    document = hr.document(hr.client.post(f"{third}/import"))
    assert document["error"]["code"] == "declined"
    users = api_place.users()
    assert users["zia"]["forename"] == "Somebody"
    assert "zoe" in users
    assert "zed" not in users


def test_a_program_that_only_checks_can_go_on_doing_so(hr: Program) -> None:
    def check() -> httpx.Response:
        return hr.client.post("/api/customers/test/checks", files={"sheet": ("staff.csv", SHEET)})

    taken = []
    while (answer := check()).status_code == 202:
        hr.document(answer)
        taken.append(answer.json()["id"])
        assert len(taken) <= 20
    assert answer.status_code == 429
    for id_ in taken:
        assert hr.client.post(f"/api/jobs/{id_}/discard").status_code == 200
    assert check().status_code == 202


def test_who_begins_a_job_does_not_approve_it(api: WebServer, hr: Program) -> None:
    rows = [{"username": f"q{i}", "forename": "Q", "password": f"Lantern-Hill-8{i}"} for i in range(3)]
    boss, auditor = Program(api.client(), "boss"), Program(api.client(), "auditor")
    stopped = boss.document(boss.client.post("/api/customers/test/jobs", json={"rows": rows, "invites": "none"}))
    assert stopped["status"] == "refused"
    job = stopped["job"]["id"]
    assert boss.client.post(f"/api/jobs/{job}/approve").status_code == 403  # the one who began it
    assert hr.client.post(f"/api/jobs/{job}/approve").status_code == 403  # an importer
    assert auditor.client.post(f"/api/jobs/{job}/approve").status_code == 403
    shown = auditor.client.get(f"/api/jobs/{job}")
    assert shown.json()["job"]["state"] == "quarantined"
    assert shown.json()["command"] == "jobs show"
    stopped = hr.document(hr.client.post("/api/customers/test/jobs", json={"rows": rows, "invites": "none"}))
    done = boss.document(boss.client.post(f"/api/jobs/{stopped['job']['id']}/approve"))
    assert done["job"]["counts"]["created"] == 3
    assert done["job"]["approved"]["by"] == "boss (program)"
    undone = hr.document(hr.client.post(f"/api/jobs/{stopped['job']['id']}/undo"))
    assert undone["command"] == "jobs undo"
    assert undone["job"]["state"] in ("completed", "completed_with_errors")


def test_roles_of_programs(api: WebServer) -> None:
    auditor, nobody = Program(api.client(), "auditor"), api.client()
    listed = auditor.client.get("/api/customers/test/jobs")
    assert listed.json() == api.place.json("jobs", "list").document
    assert auditor.client.post("/api/customers/test/jobs", json={"rows": []}).status_code == 403
    assert nobody.get("/api/customers/test/jobs").status_code == 401
    pages = api.client(headers=auditor.client.headers)
    assert pages.get("/c/test").status_code == 401  # a token is not for pages


@pytest.mark.parametrize(
    ("path", "sent", "status", "says"),
    [
        ("/api/customers/nobody/jobs", {"rows": []}, 404, 'there is no customer "nobody"'),
        ("/api/customers/nobody/checks", {"rows": []}, 404, 'there is no customer "nobody"'),
        ("/api/customers/test/jobs", {"rows": [], "profile": "trail"}, 422, 'there is no profile "trail"'),
        ("/api/customers/test/checks", {"rows": [], "profile": "trail"}, 422, 'there is no profile "trail"'),
        (
            "/api/customers/test/checks",
            {"rows": [], "invites": "some"},
            422,
            "invites is one of none, new, all, pending",
        ),
        (
            "/api/customers/test/checks",
            {"rows": [{"surnam": "x"}]},
            422,
            'row 1 of rows: there is no field "surnam", did you mean "surname"?',
        ),
        ("/api/jobs/nothing/undo", {}, 404, 'there is no job "nothing"'),
        ("/api/jobs/nothing/cancel", {}, 404, 'there is no job "nothing"'),
    ],
)
def test_what_there_is_not_is_said_as_everything_is(
    hr: Program, path: str, sent: dict[str, object], status: int, says: str
) -> None:
    answer = hr.client.post(path, json=sent)  # as described
    assert answer.status_code == status
    assert answer.json()["error"]["message"] == says


def test_every_operation_is_described(hr: Program) -> None:
    described = hr.client.get("/api/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for path, methods in described["paths"].items():
        for method, one in methods.items():
            names = {name["name"] for name in one["parameters"] if name["in"] == "path"}
            assert names == set(re.findall(r"\{(\w+)\}", path))
            assert all(name.get("required") for name in one["parameters"] if name["in"] == "path")
            is_sent = path.startswith("/api/customers/") or path.endswith("/columns")
            assert ("requestBody" in one) == (method == "post" and is_sent)
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    ids = [one["operationId"] for methods in described["paths"].values() for one in methods.values()]
    assert len(set(ids)) == len(OPERATIONS)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    place = Workplace(tmp_path)
    place.pipeline()
    options = WebOptions(pipelines=(place.folder / "musterroll.toml",))
    return make_site(options, AccessFile(), Customers(options.pipelines), "http://127.0.0.1:1", print)


def test_the_api_is_what_its_document_says(site: Site) -> None:
    served = {
        (route.path.replace(":int}", "}"), method)
        for route in routes_of(site)
        if route.path.startswith("/api")
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = openapi(OPERATIONS)["paths"]
    assert served == {(path, method.upper()) for path, methods in described.items() for method in methods}


_CUSTOMER, _JOB = "/api/customers/{customer}", "/api/jobs/{job}"
BY_THE_API = {
    "GET /": "GET /api/customers",
    "GET /c/{customer}": f"GET {_CUSTOMER}/jobs",
    "GET /c/{customer}/new": f"GET {_CUSTOMER}",
    "GET /c/{customer}/blank/{form}": f"GET {_CUSTOMER}/blank/{{form}}",
    "POST /c/{customer}/uploads": f"POST {_CUSTOMER}/checks",
    "GET /c/{customer}/uploads/{upload}": f"GET {_JOB}/overview",
    "GET /c/{customer}/uploads/{upload}/problems": f"GET {_JOB}/causes",
    "GET /c/{customer}/uploads/{upload}/answers": f"GET {_JOB}/rows",
    "POST /c/{customer}/uploads/{upload}/columns": f"POST {_JOB}/columns",
    "POST /c/{customer}/uploads/{upload}/worksheet": f"POST {_JOB}/columns",
    "POST /c/{customer}/uploads/{upload}/check": f"POST {_JOB}/check",
    "POST /c/{customer}/uploads/{upload}/discard": f"POST {_JOB}/discard",
    "POST /c/{customer}/uploads/{upload}/run": f"POST {_JOB}/import",
    "POST /c/{customer}/uploads/{upload}/copies/{copy}": f"POST {_JOB}/copies/{{copy}}",
    "GET /c/{customer}/uploads/{upload}/copies/{work}": f"GET {_JOB}",
    "GET /c/{customer}/uploads/{upload}/copies/{work}/file": f"GET {_JOB}/file",
    "GET /c/{customer}/work/{work}": f"GET {_JOB}",
    "GET /c/{customer}/work/{work}/events": f"GET {_JOB}/events",
    "GET /c/{customer}/work/{work}/file": f"GET {_JOB}/file",
    "POST /c/{customer}/work/{work}/cancel": f"POST {_JOB}/cancel",
    "GET /c/{customer}/jobs/{job}": f"GET {_JOB}/overview",
    "GET /c/{customer}/jobs/{job}/rows/{row:int}": f"GET {_JOB}/rows/{{row:int}}",
    "GET /c/{customer}/jobs/{job}/rejected": f"GET {_JOB}/rejected",
    "POST /c/{customer}/jobs/{job}/passwords/{slips}": f"POST {_JOB}/passwords/{{slips}}",
    "POST /c/{customer}/jobs/{job}/passwords/{slips}/csv": f"POST {_JOB}/passwords/{{slips}}/csv",
    "POST /c/{customer}/jobs/{job}/passwords/{slips}/delete": f"POST {_JOB}/passwords/{{slips}}/delete",
    "POST /c/{customer}/jobs/{job}/reports/{form}": f"POST {_JOB}/reports/{{form}}",
    "POST /c/{customer}/jobs/{job}/{act}": f"POST {_JOB}/undo",
}
"""By what can be done on the pages: what does it by the API."""

ONLY_PAGES = {
    "POST /sign-out",
    "GET /c/{customer}/jobs/{job}/{act}",  # asks once more
    "GET /c/{customer}/jobs/{job}/passwords/{slips}/delete",
    "GET /c/{customer}/uploads",  # leads back
    "GET /c/{customer}/uploads/{upload}/run",
    "GET /c/{customer}/uploads/{upload}/columns",
}


def test_what_can_be_done_on_the_pages_can_be_done_by_the_api(site: Site) -> None:
    pages = {
        f"{method} {route.path}"
        for route in routes_of(site)
        if not route.path.startswith(("/api/", "/health", "/static/", "/start"))
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert pages == BY_THE_API.keys() | ONLY_PAGES
    assert {*BY_THE_API.values()} <= {f"{one.method} {one.path}" for one in OPERATIONS}


def test_a_person_alone_approves_their_own_job(api: WebServer) -> None:
    visitor = Visitor(api.enter().client)
    sheet = SHEET + "cy@example.com,cy,Cy,Clark,Harbour-Gate-55,,,\n"
    checked = visitor.upload(sheet)
    assert "A limit is exceeded" in words_of(checked)
    stopped = visitor.wait(visitor.post(upload_path(checked) + "/run", invites="none"))
    assert "Stopped by a limit" in words_of(stopped)
    done = visitor.wait(visitor.post(f"/jobs/{job_of(stopped)}/approve"))
    assert "Completed" in words_of(done)
    assert "Approved by" in words_of(done)
