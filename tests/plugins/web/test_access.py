"""Who may come in, and who may do what."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from support.web_server import SHEET, Visitor, WebServer, job_of, upload_path, web_server, words_of
from support.workplace import Inside, Workplace

PROXY = """
[proxy]
header = "X-Person"

[[people]]
name = "vera"
role = "viewer"

[[people]]
name = "ivan"
role = "importer"

[[people]]
name = "anna"
role = "approver"
customers = ["test"]

[[people]]
name = "arno"
role = "approver"

[[people]]
name = "alma"
role = "approver"
"""


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A server behind a proxy that signs people in."""
    place = Workplace(tmp_path_factory.mktemp("team"))
    place.pipeline("[limits]\ncreate = 1")
    place.write("access/access.txt", PROXY)
    with web_server(place, access="access/access.txt") as server:
        yield server


def person(team: WebServer, name: str) -> Visitor:
    return Visitor(team.client(headers={"x-person": name}))


def test_the_one_who_begins_a_job_is_not_the_one_who_approves_it(team: WebServer) -> None:
    anna, arno, vera = person(team, "anna"), person(team, "arno"), person(team, "vera")
    stopped = anna.import_(SHEET, invites="none")
    job = job_of(stopped)
    assert "Another person with the role approver has to let it through" in words_of(stopped)
    assert anna.get(f"/jobs/{job}/approve").status_code == 404
    assert anna.post(f"/jobs/{job}/approve").status_code == 403
    assert vera.post(f"/jobs/{job}/approve").status_code == 403
    assert "Stopped by a limit" in words_of(vera.get(f"/jobs/{job}"))
    assert "Let this job through?" in words_of(arno.get(f"/jobs/{job}/approve"))
    done = arno.wait(arno.post(f"/jobs/{job}/approve"))
    assert "Completed" in words_of(done)
    assert "Approved by arno" in words_of(done)
    acts = [(line["who"], line["what"]) for line in team.audit()]
    for act in (("anna", "run"), ("anna", "refused: approve"), ("arno", "approve")):
        assert act in acts


def test_neither_who_brought_the_sheet_nor_who_began_the_import_approves_it(team: WebServer) -> None:
    anna, arno, alma = person(team, "anna"), person(team, "arno"), person(team, "alma")
    checked = anna.upload(SHEET.replace("ana,", "amy,").replace("bo,", "bea,"))
    stopped = arno.wait(arno.post(upload_path(checked) + "/run", invites="none"))
    job = job_of(stopped)
    assert "By arno" in words_of(stopped)
    assert [who.post(f"/jobs/{job}/approve").status_code for who in (anna, arno)] == [403, 403]
    assert "Let this job through?" in words_of(alma.get(f"/jobs/{job}/approve"))


def test_who_has_several_roles_has_the_highest() -> None:
    from musterroll_plugins.web.people import AccessFile, Arrival, People, Role

    told = [("ana", "approver", ["acme"]), ("ana", "viewer", ["*"]), ("bo", "viewer", ["acme"])]
    rights = [{"name": name, "role": role, "customers": customers} for name, role, customers in told]
    groups = [{"name": "staff", "role": "importer", "customers": ["acme"]}]
    oidc = {"issuer": "https://id.example", "client_id": "x", "client_secret": "y"}
    people = People(AccessFile.model_validate({"oidc": oidc, "people": rights, "groups": groups}))
    ana, bo = people.person(Arrival("ana")), people.person(Arrival("bo", frozenset({"staff", "others"})))
    assert ana is not None
    assert bo is not None
    assert [ana.role_for(name) for name in ("acme", "other")] == [Role.APPROVER, Role.VIEWER]
    assert [bo.role_for(name) for name in ("acme", "other")] == [Role.IMPORTER, None]
    assert people.person(Arrival("cy", frozenset({"others"}))) is None


def test_a_viewer_looks_and_does_nothing(team: WebServer) -> None:
    vera, ivan = person(team, "vera"), person(team, "ivan")
    page = vera.get("")
    assert page.status_code == 200
    assert "New user import" not in words_of(page)
    checked = ivan.upload(SHEET)
    assert vera.get("/new").status_code == 403
    assert vera.get(upload_path(checked)).status_code == 403
    assert vera.post(upload_path(checked) + "/copies/annotated", passwords="yes").status_code == 403
    assert vera.post("/uploads", files={"sheet": ("a.csv", SHEET)}).status_code == 403


def test_whom_the_proxy_does_not_name_nobody_knows(team: WebServer) -> None:
    assert team.client().get("/c/test").status_code == 401
    stranger = person(team, "mallory").get("")
    assert stranger.status_code == 401
    assert "mallory has no role here" in words_of(stranger)
    with httpx.Client(base_url=team.url, headers=[("x-person", "arno"), ("x-person", "vera")]) as client:
        assert client.get("/c/test").status_code == 401
    assert ("mallory", "sign-in refused") in [(line["who"], line["what"]) for line in team.audit()]


def test_the_session_of_one_person_is_not_anothers(team: WebServer) -> None:
    visitor = person(team, "arno")
    csrf = visitor.csrf()
    visitor.client.headers["x-person"] = "vera"  # the proxy now says that it is somebody else
    answer = visitor.client.post("/c/test/uploads", data={"csrf": csrf}, files={"sheet": ("a.csv", SHEET)})
    assert answer.status_code == 403


def test_an_address_that_is_no_proxy_is_not_believed(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.pipeline()
    place.write("access.txt", PROXY.replace("[proxy]", '[proxy]\naddresses = ["192.0.2.1"]'))
    with web_server(place, access="access.txt") as server:
        assert person(server, "arno").get("").status_code == 401


def test_the_address_lets_one_browser_in_once(server: WebServer) -> None:
    token = server.token or ""
    first = server.client().get("/start", params={"token": token})
    assert first.status_code == 200
    assert server.client().get("/start", params={"token": token}).status_code == 401
    server.token = server.next_token()
    assert server.token != token


def test_outside_everybody_reads_the_language_of_all_customers(tmp_path: Path) -> None:
    for folder, second in (("same", "de"), ("mixed", "en")):
        for name, language in (("eins", "de"), ("zwei", second)):
            place = Workplace(tmp_path / folder / name)
            place.folder.mkdir(parents=True)
            place.pipeline(f'language = "{language}"', name=name)
        with web_server(Workplace(tmp_path / folder), tmp_path / folder) as server:
            outside = server.client().get("/").text
            assert ("Hier kennt Sie niemand" in outside) is (second == "de"), outside
            assert "Aufträge von eins" in server.enter("/c/eins").get("").text


def test_who_signs_out_is_out(server: WebServer) -> None:
    visitor = server.enter()
    cookie = dict(visitor.client.cookies)
    assert visitor.client.get("/").status_code == 200
    csrf = Visitor(visitor.client, "/c/t0").csrf()
    assert "signed out" in words_of(visitor.client.post("/sign-out", data={"csrf": csrf}))
    assert server.client(cookies=cookie).get("/").status_code == 401  # the old cookie serves for nothing


def test_two_servers_of_one_computer_do_not_sign_people_out_of_each_other(server: WebServer, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.pipeline()
    with web_server(place) as other, httpx.Client() as browser:  # whose cookies go to every port of a computer
        for one in (server, other):
            assert browser.get(f"{one.url}/start", params={"token": one.token or ""}).status_code == 200
            one.token = one.next_token()
        assert [browser.get(f"{one.url}/c/{name}").status_code for one, name in ((server, "t0"), (other, "test"))] == [
            200,
            200,
        ]


def test_who_signs_in_again_has_one_session(server: WebServer) -> None:
    visitor = server.enter()
    former = dict(visitor.client.cookies)
    entered = visitor.client.get("/start", params={"token": server.token or ""})
    server.token = server.next_token()
    assert entered.cookies.keys() == former.keys()
    assert dict(entered.cookies) != former
    assert visitor.client.get("/").status_code == 200
    assert server.client(cookies=former).get("/").status_code == 401


def test_health_says_nothing_else(server: WebServer) -> None:
    answer = server.client().get("/health")
    assert (answer.status_code, answer.text) == (200, "ok")


OIDC = '[oidc]\nissuer = "https://id.example"\nclient_id = "x"\nclient_secret = "y"\n'


@pytest.mark.parametrize(
    ("options", "access", "message"),
    [
        (["--host", "192.0.2.1"], "", "people must sign in"),
        (["--host", "192.0.2.1"], OIDC, "others could read along"),
        (["--host", "192.0.2.1", "--public-url", "http://import.acme.example"], OIDC, "others could read along"),
        (["--host", "192.0.2.1", "--public-url", "https://import.acme.example"], OIDC, "cannot listen"),
        (["--public-url", "https://import.acme.example"], "", "needs a sign-in"),
        (["--public-url", "import.acme.example"], OIDC, "write the whole address"),
        (["--tls-certificate", "x.pem"], "", "go together"),
        ([], '[[people]]\nname = "a"\nrole = "viewer"', "people need a sign-in"),
        ([], '[proxy]\n[[groups]]\nname = "a"\nrole = "viewer"', "groups are said by an OpenID provider"),
        ([], OIDC + 'scopes = ["email"]', '"openid" has to be among them'),
        ([], '[[programs]]\nname = "a"\nrole = "king"\ntoken = "x"', "programs.0.role"),
        ([], '[[programs]]\nname = "a"\nrole = "viewer"\ntoken = "short"', "too short"),
        ([], "[proxy", "is no TOML"),
        ([], f"{OIDC}[proxy]", "not both"),
        ([], "[door]", "door"),
        (["--max-upload", "0"], "", "--max-upload"),
        (["nothing.toml"], "", "does not exist"),
        (["empty"], "", "holds no pipeline"),
        (["musterroll.toml", "copy.toml"], "", "called"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_served(
    options: list[str], access: str, message: str, inside: Inside
) -> None:
    (inside.folder / "empty").mkdir()
    (inside.folder / "copy.toml").write_bytes((inside.folder / "musterroll.toml").read_bytes())
    inside.write("access.txt", access)
    ended = inside.run("web", *options, "--port", 0, "--access", "access.txt")
    assert ended.status == 2
    assert message in ended.err
    assert "token" not in ended.err or "too short" in ended.err


def test_a_session_ends_by_itself() -> None:
    from musterroll_plugins.web.people import alone
    from musterroll_plugins.web.sessions import IDLE_SECONDS, LONGEST_SECONDS, Sessions

    now = 0.0
    sessions = Sessions(lambda: now)
    value, session = sessions.begin(alone("ana"))
    now += IDLE_SECONDS - 1
    assert sessions.find(value) is session
    now += IDLE_SECONDS
    assert sessions.find(value) is None
    value, session = sessions.begin(alone("ana"))
    end = now + LONGEST_SECONDS
    while now < end - 60:
        now += 60
        assert sessions.find(value) is session
    now += 120
    assert sessions.find(value) is None
    assert sessions.find(None) is None
    assert sessions.find("made up") is None


def test_two_people_at_once_come_one_after_the_other(team: WebServer) -> None:
    ivan, arno = person(team, "ivan"), person(team, "arno")
    one = SHEET.splitlines()[:2]
    checked = [
        (who, who.upload("\n".join([*one, f"{name}@example.com,{name},X,Y,Harbour-Gate-5{i},,,"]) + "\n"))
        for i, (who, name) in enumerate(((ivan, "ida"), (arno, "abe")))
    ]
    begun = [(who, who.post(upload_path(page) + "/run", invites="none")) for who, page in checked]
    for who, page in begun:
        assert "Completed" in words_of(who.wait(page))
    assert {"ida", "abe"} <= set(team.place.users())


def test_an_upload_that_two_people_import_is_imported_once(team: WebServer) -> None:
    ivan, arno = person(team, "ivan"), person(team, "arno")
    page = ivan.upload("\n".join([*SHEET.splitlines()[:2], "eve@example.com,eve,X,Y,Harbour-Gate-59,,,"]) + "\n")
    first = ivan.post(upload_path(page) + "/run", invites="none")
    second = arno.post(upload_path(page) + "/run", invites="none")
    assert second.status_code == 409
    job = job_of(ivan.wait(first))
    time.sleep(0.1)
    assert job_of(arno.wait(arno.get(upload_path(page)))) == job
