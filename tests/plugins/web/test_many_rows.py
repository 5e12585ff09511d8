"""A sheet of 100,000 rows: every page of it comes at once, and is small."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2 as httpx
import pytest

from support.web_programs import ACCESS
from support.web_server import Visitor, WebServer, job_of, upload_path, web_server, words_of
from support.workplace import Workplace

pytestmark = pytest.mark.slow

ROWS = 100_000
TOKEN = "hr-token-of-twenty-characters"
_HEADER = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\nguidance,,,,,,,\n"


def sheet(*, every: int = 0) -> str:
    """A sheet; with `every`, each so-manieth row has an address that is none."""
    lines = (
        f"{'broken' if every and i % every == 0 else f'user{i}@example.com'},user{i},U,V,Harbour-Gate-{i},,,G{i % 50}\n"
        for i in range(ROWS)
    )
    return _HEADER + "".join(lines)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    place = Workplace(tmp_path_factory.mktemp("many"))
    place.pipeline("[invites]\nsend_to = 'none'")
    place.write("access/access.txt", ACCESS)
    with web_server(place, access="access/access.txt") as started:
        yield started


@pytest.fixture(scope="module")
def visitor(server: WebServer) -> Visitor:
    return server.enter()


@pytest.fixture(scope="module")
def program(server: WebServer) -> httpx.Client:
    return server.client(headers={"authorization": f"Bearer {TOKEN}"})


def quick(who: Visitor | httpx.Client, path: str) -> httpx.Response:
    """Gets a page: the best of five takes less than 200 ms, of server and client, and it has less than 100 kB."""
    page, taken = who.get(path), []
    for _ in range(5):
        began = time.process_time()  # the server is a thread of this process, and others may keep it waiting
        who.get(path)
        taken.append(time.process_time() - began)
    print(f"{path}: {min(taken) * 1000:.0f} ms, {len(page.content):,} bytes")
    assert page.status_code == 200
    assert min(taken) < 0.2, path
    assert len(page.content) < 100_000, path
    return page


def test_problems_of_many_rows(visitor: Visitor, program: httpx.Client, server: WebServer) -> None:
    began = time.time()
    page = visitor.upload(sheet(every=2))
    shown, base = time.time(), upload_path(page)
    assert "50,000 errors" in words_of(page)
    (ended,) = (path.stat().st_mtime for path in server.state.glob("work/*/result.json"))
    print(f"the check: {ended - began:.1f} s, and then the first page: {shown - ended:.2f} s")
    assert shown - ended < (ended - began) / 5  # on whatever machine, and however busy it is
    quick(visitor, base)
    last = quick(visitor, f"{base}/problems?severity=error&page=1000")
    assert "Page 1000 of 1,000" in words_of(last)
    quick(visitor, f"{base}/problems?severity=error&code=email.invalid&field=email&page=500")
    (waiting,) = program.get("/api/customers/test/uploads").json()["uploads"]
    check = f"/api/jobs/{waiting['id']}"
    assert quick(program, f"{check}/problems?page=1000&code=email.invalid").json()["total"] == ROWS // 2
    quick(program, f"{check}/causes")
    quick(program, f"{check}/overview")


def test_rows_of_a_large_job(visitor: Visitor, program: httpx.Client) -> None:
    base = upload_path(visitor.upload(sheet()))
    quick(visitor, base)
    quick(visitor, f"{base}/answers?page=2000")
    assert "user99999" in words_of(quick(visitor, f"{base}/answers?q=user99999"))
    job = job_of(visitor.wait(visitor.post(base + "/run", invites="none")))
    quick(visitor, f"/jobs/{job}")
    quick(visitor, f"/jobs/{job}?part=rows&page=2000")
    quick(visitor, f"/jobs/{job}?part=rows&q=99&outcome=create")
    quick(visitor, "")
    quick(program, f"/api/jobs/{job}/overview")
    assert len(quick(program, f"/api/jobs/{job}/rows?page=2000").json()["rows"]) == 50
    assert quick(program, f"/api/jobs/{job}/rows?q=user99999").json()["total"] == 1
    quick(program, f"/api/jobs/{job}/failures?status=held")
    quick(program, "/api/customers/test/jobs?page=1")
