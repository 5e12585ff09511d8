"""Requests to the pages that mean harm, by kind: what each is answered with. None changes anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import quote

from musterroll_plugins.web.people import Role
from musterroll_plugins.web.programs.openapi import Operation
from musterroll_plugins.web.programs.operations import OPERATIONS
from musterroll_plugins.web.sessions import IDLE_SECONDS
from support.page_scene import Scene

Attack: TypeAlias = tuple[int, Callable[[Scene], int]]

BIG = b"x" * (3 * 1024 * 1024)
EVIL = "https://evil.example"
HTML = "<script>alert(1)</script>"
CRLF = "%0d%0aSet-Cookie:%20musterroll=evil%0d%0aX-Evil:%20yes"
API = "/api/customers/test/jobs"
SHEET_PART = 'name="sheet"; filename="a.csv"'
PATHS = ("", "/new", "/blank/xlsx", "{upload}", "{upload}/problems", "{upload}/answers", "/jobs/{job}", "/work/{work}")
FORMS = (
    "/uploads",
    "{upload}/columns",
    "{upload}/worksheet",
    "{upload}/check",
    "{upload}/discard",
    "{upload}/run",
    "/jobs/{job}/undo",
    "/jobs/{job}/resume",
    "/jobs/{limited}/approve",
    "/jobs/{job}/release",
    "/work/{work}/cancel",
    "{upload}/copies/fixed",
    "{upload}/copies/annotated",
    "{printed}",
    "{printed}/csv",
    "{printed}/delete",
)
_UP = (
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/command.py",
    "%2e%2e%2fcommand.py",
    "..%5c..%5ccommand.py",
    "%252e%252e%252fcommand.py",
    "....//....//command.py",
    "%c0%ae%c0%ae%c0%afcommand.py",
    "/etc/passwd",
    "style.css%00.html",
    "style.css/",
    "STYLE.CSS",
)


def _filled(s: Scene, path: str) -> str:
    ids = {"job": s.job, "limited": s.limited, "work": s.work}
    return "/c/test" + path.format(upload=s.upload, printed=s.printed, deleted=s.deleted, **ids)


def each(status: int, values: Iterable[Any], ask: Callable[[Scene, Any], int]) -> list[Attack]:
    """Asks with each of the values."""
    return [(status, partial(_ask, ask, value)) for value in values]


def _ask(ask: Callable[[Scene, Any], int], value: Any, s: Scene) -> int:
    return ask(s, value)


def get(status: int, paths: Iterable[str], **head: Any) -> list[Attack]:
    """Asks for pages of the customer."""
    return each(status, paths, lambda s, path: s.send("GET", _filled(s, path), **head))


def cookies(paths: Iterable[str], text: str) -> list[Attack]:
    """Asks for pages of the customer with such a cookie; NAME stands for that of the session's."""

    def ask(s: Scene, path: str) -> int:
        return s.send("GET", _filled(s, path), cookie=text.replace("NAME", s.cookie.partition("=")[0]))

    return each(401, paths, ask)


def plain(status: int, paths: Iterable[str], method: str = "GET", **head: Any) -> list[Attack]:
    """Asks for paths as they are."""
    return each(status, paths, lambda s, path: s.send(method, path, **head))


def post(status: int, paths: Iterable[str], **data: Any) -> list[Attack]:
    """Sends forms without a CSRF token, or with what is given for one."""
    return each(status, paths, lambda s, path: s.form(_filled(s, path), **data))


def heads(status: int, *heads: dict[str, str]) -> list[Attack]:
    """Begins the import with all that it takes, and with such a head."""
    return each(status, heads, lambda s, head: s.imports(**head))


def rows(status: int, *bodies: str, **head: Any) -> list[Attack]:
    """Sends rows to the API."""
    return each(status, bodies, lambda s, body: s.rows(body, **head))


def tokens(status: int, who: str, *requests: tuple[str, str]) -> list[Attack]:
    """Sends requests of a program."""

    def ask(s: Scene, request: tuple[str, str]) -> int:
        path = request[1].format(job=s.job, limited=s.limited, work=s.work, printed=s.printed)
        return s.bearer(request[0], path, who)

    return each(status, requests, ask)


def uploads(status: int, *parts: tuple[str, bytes], **head: Any) -> list[Attack]:
    """Uploads files, one at a time."""
    return each(status, parts, lambda s, part: s.multipart(part, **head))


def people(status: int, who: str, *requests: tuple[str, str]) -> list[Attack]:
    """Sends requests of a person whom the proxy names."""
    return each(status, requests, lambda s, one: s.as_(who, one[0], _filled(s, one[1])))


def _at(s: Scene, seconds: float, ask: Callable[[Scene], int]) -> int:
    s.server.later += seconds
    return ask(s)


def operations(status: int, which: Iterable[Operation], ask: Callable[[Scene, str, str], int]) -> list[Attack]:
    """Asks for each of some operations of the API: about the customer, the check and the job that are there."""
    paths = [(one.method, path) for one in which for path in _addresses(one)]
    return each(status, paths, lambda s, one: ask(s, one[0], _address(s, one[1])))


def _address(s: Scene, path: str) -> str:
    return path.format(work=s.work, job=s.job, slips=s.slips)


def _addresses(one: Operation) -> Iterable[str]:
    path = one.path.replace("{customer}", "test").replace("{copy}", "fixed").replace("{row:int}", "3")
    path = path.replace("{form}", "xlsx" if "blank" in path else "html")
    yield from (path.replace("{job}", id_) for id_ in ("{work}", "{job}")) if "{job}" in path else (path,)


def _at_job(slips: str) -> str:
    return slips.rpartition("/")[0]


def _other_job(s: Scene, name: str) -> str:
    return f"/c/test/jobs/{getattr(s, name)}/passwords/{s.slips}"


def _slowly(s: Scene, ask: Callable[[Scene], int]) -> int:
    """Asks so slowly that it is not too often."""
    return _at(s, 7, ask)


ABOUT_SOMETHING = [one for one in OPERATIONS if "{" in one.path]
ABOUT_JOBS = [one for one in OPERATIONS if "{job}" in one.path]
FOR_IMPORTERS = [one for one in OPERATIONS if one.role is not None and one.role > Role.VIEWER]

_FORM: dict[str, Any] = {"content_type": "application/x-www-form-urlencoded"}
_JSON: dict[str, Any] = {"content_type": "application/json"}
_SOCKET: dict[str, Any] = {
    "lines": ("connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: eA==")
}
_NO_SLIPS = (
    "0" * 20,
    "x",
    "%00",
    "..%2f..%2fsheet",
    "..%2f..%2fupload.json",
    "%2e%2e%2fsheet.csv",
    "*",
    quote(HTML, safe=""),
)
ACTS = ("resume", "approve", "undo", "release", "cancel")
OWN_ACTS = ("cancel", "import", "discard")  # about what the API has begun

KINDS: dict[str, list[Attack]] = {
    "nobody is signed in": [
        *get(401, PATHS, cookie=""),
        *plain(401, ("/sign-out",), method="POST", cookie=""),
        *plain(401, ("/", "/c/nobody", "/c/other"), cookie=""),
    ],
    "a session that is made up": [
        *cookies(PATHS[:4], "NAME=" + "a" * 43),
        *cookies(PATHS[:2], "NAME=%ff%00; NAME="),
        *cookies(PATHS[:2], "__Host-NAME=x"),
        *cookies(PATHS[:1], "NAME=" + "a" * 8000),
        *cookies(PATHS[:1], ";;;=;NAME"),
        *get(401, PATHS[:1], authorization="Bearer imports-token-of-twenty-characters", cookie=""),
    ],
    "a session that has ended": [
        *each(401, PATHS[:5], lambda s, path: s.send("GET", _filled(s, path), cookie=s.old_cookie)),
        *each(401, FORMS[:5], lambda s, path: s.form(_filled(s, path), head={"cookie": s.old_cookie}, csrf=s.old_csrf)),
        (401, lambda s: _at(s, IDLE_SECONDS, lambda s: s.send("GET", "/c/test"))),
        (401, lambda s: s.imports()),
    ],
    "the one-time address": [
        *plain(401, ("/start", "/start?token=", "/start?token=%00", "/start?token=guess"), cookie=""),
        *[(401, lambda s: s.send("GET", f"/start?token={s.used}", cookie=""))] * 2,
        (401, lambda s: s.send("HEAD", f"/start?token={s.used}", cookie="")),
        (401, lambda s: s.send("GET", f"/start?token={s.server.token}x", cookie="")),
        (401, lambda s: s.send("GET", f"/start?token=x&TOKEN={s.server.token}", cookie="")),
        (405, lambda s: s.form("/start", token=s.server.token or "")),
    ],
    "no CSRF token": [
        *post(403, FORMS),
        *uploads(403, (SHEET_PART, b"x"), csrf=False),
        (403, lambda s: s.multipart(('name="csrf"', b""), (SHEET_PART, b"x"), csrf=False)),
        (403, lambda s: s.multipart(('name="csrf"', s.old_csrf.encode()), (SHEET_PART, b"x"), csrf=False)),
    ],
    "a CSRF token that is made up": [
        *post(403, FORMS[:6], csrf="a" * 43),
        *post(403, FORMS[4:5], csrf="ä"),
        *post(403, FORMS[4:5], csrf=""),
        *post(403, FORMS[4:5], CSRF="x"),
        (403, lambda s: s.send("POST", f"/c/test{s.upload}/run?csrf={s.csrf}", "invites=none")),
        (403, lambda s: s.send("POST", f"/c/test{s.upload}/run", x_csrf_token=s.csrf)),
    ],
    "a CSRF token of another session": each(
        403, FORMS, lambda s, path: s.form(_filled(s, path), csrf=s.old_csrf, invites="none")
    ),
    "a form of another site": [
        *heads(
            403,
            {"origin": EVIL},
            {"origin": "null"},
            {"origin": ""},
            {"origin": "http://127.0.0.1:1"},
            {"origin": "https://127.0.0.1"},
            {"sec_fetch_site": "cross-site"},
            {"sec_fetch_site": "same-site"},
            {"sec_fetch_site": "evil"},
        ),
        (403, lambda s: s.imports(origin=f"http://{s.host}.evil.example")),
        (403, lambda s: s.imports(origin=f"https://{s.host}")),
        (403, lambda s: s.imports(origin=f"ftp://{s.host}")),
        (403, lambda s: s.imports(origin=s.host)),
    ],
    "a forged Host": [
        *each(
            421,
            ("evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "", "127.0.0.1:8421@evil.example"),
            lambda s, host: s.send("GET", "/c/test", hosts=(host,)),
        ),
        (421, lambda s: s.send("GET", "/c/test", hosts=(f"evil.example:{s.host[-5:]}",))),
        (421, lambda s: s.send("GET", "/c/test", hosts=(f"{s.host}.evil.example",))),
        (400, lambda s: s.send("GET", "/c/test", hosts=(s.host, "evil.example"))),
        (400, lambda s: s.send("GET", "/c/test", hosts=())),
        (421, lambda s: s.imports(hosts=("evil.example",), x_forwarded_host=s.host)),
        (421, lambda s: s.send("GET", "/start?token=x", hosts=("evil.example",), cookie="")),
    ],
    "a path that leaves the styles": plain(404, [f"/static/{up}" for up in _UP]),
    "a path that leaves the customer": [
        *get(404, [f"/uploads/{up}" for up in ("..%2fwork", "%2e%2e", "..", "%00", "A" * 20, "a" * 19, "a" * 5000)]),
        *get(404, [f"/blank/{up}" for up in ("..%2fxlsx", "exe", "xlsx%00", "%2e%2e")]),
        *get(404, [f"/work/{up}" for up in ("..%2fuploads", "x", "%00")]),
    ],
    "a job that is none": [
        *get(404, [f"/jobs/{job}" for job in ("last", "..%2fx", "%00", "x'%20OR%201=1%20--", "*", "%25", "0" * 200)]),
        (404, lambda s: s.send("GET", f"/c/test/jobs/{s.job[:-1]}")),
        (404, lambda s: s.send("GET", f"/c/test/jobs/{s.job}%20")),
        (404, lambda s: s.send("GET", f"/c/test/jobs/{s.job.upper()}x")),
    ],
    "a row that is none": get(
        404,
        [f"/jobs/{{job}}/rows/{row}" for row in ("x", "-1", "1.5", "%00", "9" * 30, "0x3", "3%20", "%D9%A3", "", "..")],
    ),
    "another customer's": [
        *each(404, PATHS[3:], lambda s, path: s.send("GET", _filled(s, path).replace("/c/test", "/c/other"))),
        *each(404, FORMS[1:9], lambda s, path: s.form(_filled(s, path).replace("/c/test", "/c/other"), csrf=s.csrf)),
        *plain(404, ("/c/nobody", "/c/TEST", "/c/test%00", "/c/te%20st")),
    ],
    "a person of another customer": [
        *people(404, "olga", *[("GET", path) for path in PATHS]),
        *people(404, "olga", *[("POST", path) for path in FORMS]),
    ],
    "a viewer who wants more": [
        *people(
            403, "vera", *[("GET", path) for path in ("/new", "{upload}", "{upload}/problems", "{upload}/answers")]
        ),
        *people(403, "vera", *[("POST", path) for path in FORMS]),
        *people(403, "vera", ("GET", "/jobs/{job}/rejected"), ("GET", "/jobs/{job}/undo")),
        *people(404, "vera", ("GET", "/work/{work}")),
    ],
    "an importer who wants more": [
        *people(403, "ivan", ("POST", "/jobs/{limited}/approve")),
        *people(404, "ivan", ("GET", "/jobs/{limited}/approve")),
        *people(404, "ivan", *[("POST", f"/jobs/{{job}}/{act}") for act in ("drop", "prune", "delete", "%00", "rows")]),
        *people(409, "ivan", ("POST", "/jobs/{job}/release")),
    ],
    "slips that are not for who asks": [
        *people(403, "ivan", *[("POST", path) for path in FORMS[-3:]], ("GET", "{printed}/delete")),
        *people(403, "vera", ("GET", "{printed}/delete")),
        *people(404, "olga", ("GET", "{printed}/delete")),
        *get(401, ["{printed}/delete"], cookie=""),
        *each(401, FORMS[-3:], lambda s, path: s.form(_filled(s, path), head={"cookie": ""}, csrf=s.csrf)),
        *get(405, ["{printed}", "{printed}/csv"]),
        *get(200, ["{printed}/delete?delete=yes&csrf=x"]),
        *tokens(403, "imports", *[("POST", f"/api{{printed}}{end}") for end in ("", "/csv", "/delete")]),
        *tokens(403, "looks", *[("POST", f"/api{{printed}}{end}") for end in ("", "/csv", "/delete")]),
        *tokens(404, "theirs", *[("POST", f"/api{{printed}}{end}") for end in ("", "/csv", "/delete")]),
        *tokens(405, "imports", *[("GET", f"/api{{printed}}{end}") for end in ("", "/csv", "/delete")]),
    ],
    "slips that are none": [
        *each(404, _NO_SLIPS, lambda s, id_: s.form(f"/c/test{_at_job(s.printed)}/{id_}", csrf=s.csrf)),
        *each(404, _NO_SLIPS, lambda s, id_: s.form(f"/c/test{_at_job(s.printed)}/{id_}/csv", csrf=s.csrf)),
        *each(404, _NO_SLIPS, lambda s, id_: s.form(f"/c/test{_at_job(s.printed)}/{id_}/delete", csrf=s.csrf)),
        *each(404, _NO_SLIPS, lambda s, id_: s.bearer("POST", f"/api{_at_job(s.printed)}/{id_}", "imports")),
        # Of another job, and of no job.
        *each(404, ("job", "limited"), lambda s, name: s.form(_other_job(s, name), csrf=s.csrf)),
        *each(410, ("", "/csv", "/delete"), lambda s, end: s.form(f"/c/test{s.deleted}{end}", csrf=s.csrf)),
        *get(410, ["{deleted}/delete"]),
    ],
    "a person whom nobody knows": each(
        401,
        (
            (),
            ("x-person: mallory",),
            ("x-person:",),
            ("x-person: IVAN",),
            ("x-person: ivan, vera",),
            ("x-person: ivan", "x-person: ivan"),
            ("x-person: ivan", "x-person: vera"),
            ("x_person: ivan",),
            ("x-forwarded-user: ivan",),
            ("authorization: Basic aXZhbjppdmFu",),
            ("remote-user: ivan",),
        ),
        lambda s, one: s.send("GET", "/c/test", cookie="", to=s.team, lines=one),
    ),
    "no token, or none that is known": each(
        401,
        (
            {},
            {"authorization": "Bearer"},
            {"authorization": "Bearer "},
            {"authorization": "Bearer nobody"},
            {"authorization": "Basic aW1wb3J0czp4"},
            {"authorization": "imports-token-of-twenty-characters"},
            {"authorization": "Bearer imports-token-of-twenty-character"},
            {"authorization": "Bearer IMPORTS-TOKEN-OF-TWENTY-CHARACTERS"},
            {"x_api_key": "imports-token-of-twenty-characters"},
        ),
        lambda s, head: s.send("GET", API, cookie="", **head),
    ),
    "a token that is guessed": [
        *tokens(401, "guess", *[("GET", API)] * 10),
        *tokens(429, "guess", *[("GET", API)] * 5),
        *tokens(200, "looks", ("GET", API)),  # who is known is not kept out by who guesses
        (401, lambda s: _at(s, 61, lambda s: s.bearer("GET", API, "guess"))),
    ],
    "a session where a token is needed": [
        *plain(401, (API, "/api/jobs/x", "/api/openapi.json")),
        *each(401, ACTS, lambda s, act: s.form(f"/api/jobs/{s.job}/{act}", csrf=s.csrf)),
        (401, lambda s: s.multipart((SHEET_PART, b"x"), path=API)),
        (401, lambda s: s.bearer("GET", "/c/test", "imports")),
    ],
    "a token of another customer": [
        *tokens(404, "theirs", ("GET", API), ("POST", API), ("POST", "/api/customers/test/checks")),
        *tokens(404, "theirs", ("GET", "/api/jobs/{job}"), ("GET", "/api/jobs/{limited}")),
        *tokens(404, "theirs", *[("POST", f"/api/jobs/{{limited}}/{act}") for act in ACTS]),
        (404, lambda s: s.bearer("GET", f"/api/jobs/{s.work}", "theirs")),
        *tokens(404, "theirs", *[("POST", f"/api/jobs/{{work}}/{act}") for act in OWN_ACTS]),
    ],
    "an operation without a token": [
        *operations(401, OPERATIONS, lambda s, method, path: _slowly(s, lambda s: s.send(method, path, cookie=""))),
        *operations(401, ABOUT_SOMETHING, lambda s, method, path: _slowly(s, lambda s: s.send(method, path))),
    ],
    "an operation about another customer's": [
        *operations(404, ABOUT_SOMETHING, lambda s, method, path: s.bearer(method, path, "theirs", "{}")),
        *operations(
            404,
            [one for one in ABOUT_SOMETHING if "{customer}" in one.path],
            lambda s, method, path: s.bearer(method, path.replace("/test", "/other"), "imports", "{}"),
        ),
    ],
    "an operation for which the role does not do": [
        *operations(
            403,
            [one for one in FOR_IMPORTERS if "{customer}" in one.path],
            lambda s, method, path: s.bearer(method, path, "looks", "{}"),
        ),
        *each(
            404,
            [(one.method, path) for one in ABOUT_JOBS for path in _addresses(one) if "{work}" in path],
            lambda s, one: s.bearer(one[0], _address(s, one[1]), "looks", "{}"),
        ),
    ],
    "an operation by another method": operations(
        405,
        [one for one in OPERATIONS if one.path.count("/") > 3],
        lambda s, _, path: s.bearer("DELETE", path, "imports"),
    ),
    "an id of the API that is none": [
        *each(
            404,
            [
                (one.method, one.path.replace("{job}", id_).replace("{form}", "html").replace("{copy}", "fixed"))
                for one in ABOUT_JOBS
                for id_ in ("last", "..%2f..%2fwork", "%00", quote(HTML), "0" * 200)
            ],
            lambda s, one: s.bearer(one[0], one[1].replace("{row:int}", "3"), "imports", "{}"),
        ),
        *tokens(404, "imports", *[("GET", f"/api/jobs/{{job}}/rows/{row}") for row in ("x", "-1", "%00", "9" * 30)]),
        *tokens(
            404, "imports", *[("POST", f"/api/jobs/{{work}}/copies/{name}") for name in ("", "x", "..%2fx", "%00")]
        ),
        *tokens(404, "imports", *[("POST", f"/api/jobs/{{job}}/reports/{name}") for name in ("exe", "..%2fx", "%00")]),
        *tokens(
            404, "imports", *[("GET", f"/api/customers/test/blank/{name}") for name in ("exe", "..%2fxlsx", "%00")]
        ),
        *tokens(404, "imports", ("GET", "/api/jobs/{work}/file"), ("GET", "/api/jobs/{job}/file")),
        *tokens(404, "imports", ("GET", "/api/jobs/{job}/columns"), ("GET", "/api/jobs/{job}/rejected")),
    ],
    "columns that are none": [
        *each(
            400,
            ("", "{", "[" * 100_000, '{"columns": {"username": "a", "username": "b"}}', '{"worksheet": "\\ud800"}'),
            lambda s, body: s.bearer("POST", f"/api/jobs/{s.work}/columns", "imports", body),
        ),
        *each(
            422,
            (
                "[]",
                "{}",
                "null",
                '{"columns": []}',
                '{"columns": {"username": 1}}',
                '{"columns": {"username": "x"}, "remember": "yes"}',
                '{"columns": {"username": "x"}, "sets": ["state=/tmp"]}',
                '{"worksheet": ""}',
                '{"worksheet": "a\\nb"}',
                '{"worksheet": "' + "x" * 300 + '"}',
                '{"worksheet": "x", "remember": true}',
            ),
            lambda s, body: s.bearer("POST", f"/api/jobs/{s.work}/columns", "imports", body),
        ),
        (409, lambda s: s.bearer("POST", f"/api/jobs/{s.work}/columns", "imports", '{"columns": {"username": "x"}}')),
        *each(
            422,
            (
                *[("after", said) for said in ("../../etc/passwd", "a" * 20, HTML)],
                *[("columns", said) for said in ("[]", '{"email": 1}', '{"__class__": "x"}', '{"email": "a\\u0000b"}')],
            ),
            lambda s, one: s.multipart(
                (SHEET_PART, b"x"),
                (f'name="{one[0]}"', one[1].encode()),
                csrf=False,
                path="/api/customers/test/checks",
                cookie="",
                authorization="Bearer imports-token-of-twenty-characters",
            ),
        ),
    ],
    "HTML in what the API is asked for": [
        *tokens(
            200,
            "looks",
            *[
                ("GET", f"/api/jobs/{{job}}/{part}?{name}={quote(said)}")
                for part, name in (
                    ("rows", "q"),
                    ("rows", "outcome"),
                    ("problems", "code"),
                    ("problems", "field"),
                    ("problems", "severity"),
                    ("causes", "severity"),
                    ("failures", "status"),
                    ("failures", "page"),
                )
                for said in (HTML, "' OR 1=1 --", "\r\nx-evil: yes")
            ],
        ),
        *tokens(200, "looks", ("GET", f"{API}?page=-1"), ("GET", f"{API}?page=9999999999"), ("GET", f"{API}?page=%00")),
    ],
    "a token whose role does not do": [
        *tokens(
            403, "looks", ("POST", API), ("POST", "/api/customers/other/jobs"), ("POST", "/api/customers/test/checks")
        ),
        *tokens(403, "looks", *[("POST", f"/api/jobs/{{job}}/{act}") for act in ACTS[:4]]),
        *tokens(403, "imports", ("POST", "/api/jobs/{limited}/approve")),
        *tokens(409, "imports", ("POST", "/api/jobs/{job}/resume")),
        *tokens(404, "looks", *[("POST", f"/api/jobs/{{work}}/{act}") for act in OWN_ACTS]),
        (404, lambda s: s.bearer("GET", f"/api/jobs/{s.work}", "looks")),
    ],
    "a method that is another one": [
        *each(
            405,
            ("DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "POST\tx"[:4]),
            lambda s, method: s.send(method, f"/c/test{s.upload}"),
        ),
        *get(405, [f"{{upload}}/{act}" for act in ("discard", "check")]),
        *get(404, ["/jobs/{job}/resume"]),
        *get(303, ["{upload}/run", "{upload}/columns"]),
        (303, lambda s: s.send("GET", f"/c/test{s.upload}/run?invites=all&csrf={s.csrf}")),
        *get(405, ["{upload}/discard"], x_http_method_override="POST", x_method_override="POST"),
        *get(200, ["{upload}"], x_http_method_override="DELETE", x_http_method="DELETE", x_method_override="DELETE"),
        (405, lambda s: s.form(f"/c/test{s.upload}", _method="DELETE", csrf=s.csrf)),
    ],
    "a size that is too large": [
        *uploads(413, (SHEET_PART, BIG), (SHEET_PART, BIG * 2)),
        *rows(413, '{"rows": ["' + BIG.decode() + '"]}'),
        *each(413, FORMS[:4], lambda s, path: s.send("POST", _filled(s, path), b"x", content_length="99999999999")),
        *uploads(400, ('name="csrf2"', b"y" * 80_000), ('name="x' + "y" * 70_000 + '"', b"")),
        *get(400, ["/" + "a" * 400_000]),
        *get(400, [""], x_large="y" * 400_000),
        (400, lambda s: s.send("GET", "/c/test", lines=tuple(f"x-{i}: {'y' * 100}" for i in range(4000)))),
        (413, lambda s: _in_chunks(s, [BIG[:65536]] * 50)),
    ],
    "a request that is none": [
        *each(
            400,
            (
                "GET / HTTP/1.1\r\nhost : HOST\r\n\r\n",
                "GET  / HTTP/1.1\r\nhost: HOST\r\n\r\n",
                "GET /\x00 HTTP/1.1\r\nhost: HOST\r\n\r\n",
                "GET / HTTP/1.1\r\nhost: HOST\r\nx: \x00\r\n\r\n",
                "GET / HTTP/1.1\r\nhost: HOST\r\n folded\r\n: x\r\n\r\n",
                "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
                "POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
                "POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: -1\r\n\r\n",
                "POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: +1\r\n\r\na",
                "POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: \xb2\r\n\r\na",
                "POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 1, 2\r\n\r\na",
            ),
            lambda s, raw: s.raw(raw.replace("HOST", s.host).encode()),
        ),
        (400, lambda s: s.send("POST", "/c/test/uploads", b"", transfer_encoding="gzip, chunked")),
        (400, lambda s: s.send("POST", "/c/test/uploads", b"zz\r\n", transfer_encoding="chunked")),
    ],
    "a body of another kind": [
        *each(
            403,
            ("text/plain", "application/json", "text/xml", "multipart/mixed", ""),
            lambda s, kind: s.imports(content_type=kind),
        ),
        *each(400, ("multipart/form-data",), lambda s, kind: s.imports(content_type=kind)),
        *each(
            415,
            (
                "text/xml",
                "text/csv",
                "text/plain",
                "application/x-www-form-urlencoded",
                "",
                "application/yaml",
            ),
            lambda s, kind: s.bearer("POST", API, "imports", '{"rows": []}', kind),
        ),
        (400, lambda s: s.bearer("POST", API, "imports", "x", "multipart/form-data")),
        (400, lambda s: s.bearer("POST", API, "imports", "--y\r\n\r\n--y--", "multipart/form-data; boundary=y")),
        (400, lambda s: s.bearer("POST", API, "imports", "\x1f\x8b\x08", content_encoding="gzip")),
    ],
    "a file that is no sheet": [
        *uploads(
            415,
            *[
                (f'name="sheet"; filename="{name}"', b"MZ")
                for name in (
                    "a.exe",
                    "a.html",
                    f"{HTML}.html",
                    "a.xlsx.exe",
                    "a.svg",
                    "a.xlsm",
                    "a",
                    "a.csv ",
                    "a.csv%00.exe",
                    "a.csv;.php",
                    ".htaccess",
                    "../../a.toml",
                )
            ],
        ),
        *uploads(
            422, (SHEET_PART, b""), ('name="sheet"; filename=""', b"x"), ('name="sheet"', b"x"), ('name="x"', b"x")
        ),
    ],
    "fields that are sent twice": [
        (400, lambda s: s.multipart((SHEET_PART, b"x"), (SHEET_PART, b"y"))),
        (400, lambda s: s.multipart((SHEET_PART, b"x"), ('name="csrf"', b"z"))),
        (400, lambda s: s.multipart((SHEET_PART, b"x"), ('name="csrf"', s.csrf.encode()), csrf=True)),
        (400, lambda s: s.multipart((SHEET_PART, b"x"), ('name="profile"', b""), ('name="profile"', b"live"))),
        *each(
            400,
            ("&invites=none&invites=all", "&csrf=x", "&invites=none&csrf=", "&invites=none" * 3),
            lambda s, more: s.send("POST", f"/c/test{s.upload}/run", f"csrf={s.csrf}{more}", **_FORM),
        ),
        (400, lambda s: s.form(f"/c/test{s.upload}/run", head={}, **{f"f{i}": "" for i in range(1000)})),
        *rows(
            400,
            '{"rows": [], "rows": []}',
            '{"rows": [{"username": "a", "username": "b"}]}',
            '{"rows": [], "invites": "none", "invites": "all"}',
        ),
    ],
    "choices that are none": [
        *each(
            422,
            ("everyone", "", "NEW", "new ", "new\x00", HTML),
            lambda s, choice: s.form(f"/c/test{s.upload}/run", csrf=s.csrf, invites=choice),
        ),
        (422, lambda s: s.form(f"/c/test{s.upload}/run", csrf=s.csrf)),
        *each(
            422,
            (b"production", b"../x", b"\x00", HTML.encode()),
            lambda s, profile: s.multipart((SHEET_PART, b"x"), ('name="profile"', profile)),
        ),
        (409, lambda s: s.form(f"/c/test{s.upload}/columns", csrf=s.csrf)),
        (404, lambda s: s.form(f"/c/test/jobs/{s.job}/drop", csrf=s.csrf)),
        (409, lambda s: s.form(f"/c/test/jobs/{s.job}/approve", csrf=s.csrf)),
        (409, lambda s: s.form(f"/c/test/jobs/{s.limited}/undo", csrf=s.csrf)),
    ],
    "rows that are none": [
        *rows(
            400,
            '{"rows": [{"username": "\\ud800"}]}',
            '{"rows": [{"\\ud800": "x"}]}',
            "{",
            "",
            "[" * 100_000,
            '{"rows":' + "[" * 100_000 + "}",
            '{"rows": [1x' + "9" * 9,
        ),
        *rows(
            422,
            "[]",
            "null",
            "\ufeff{}",
            "{}",
            '{"rows": {}}',
            '{"rows": [[]]}',
            '{"rows": [{"username": 1}]}',
            '{"rows": [{"username": null}]}',
            '{"rows": [{"username": ["a"]}]}',
            '{"rows": [{"is_admin": "yes"}]}',
            '{"rows": [{"__class__": "x"}]}',
            '{"rows": [], "sets": ["state=/tmp"]}',
            '{"rows": [], "profile": "x"}',
            '{"rows": [], "profile": {}}',
            '{"rows": [], "invites": "everyone"}',
            '{"rows": NaN}',
        ),
    ],
    "an Idempotency-Key": [
        *rows(422, '{"rows": []}', idempotency_key="k" * 201),
        *rows(422, '{"rows": [{"x": "y"}]}', idempotency_key="../../../etc/passwd"),
        *rows(422, '{"rows": [{"x": "y"}]}', idempotency_key="a/b\\c%00"),
        *rows(422, '{"rows": 1}', idempotency_key="ä"),
        *rows(400, "{", idempotency_key="june"),
        *[(403, lambda s: s.bearer("POST", API, "looks", '{"rows": []}', idempotency_key="june"))],
        *[(404, lambda s: s.bearer("POST", API, "theirs", '{"rows": []}', idempotency_key="june"))],
        (401, lambda s: s.send("POST", API, '{"rows": []}', cookie="", idempotency_key="june", **_JSON)),
        (422, lambda s: s.rows('{"rows": []}', idempotency_key="x", lines=("idempotency-key: y",))),
    ],
    "a redirect to elsewhere": [
        *plain(
            404, ("//evil.example", "//evil.example/%2e%2e", "/%5cevil.example", "/\\evil.example", "/c//evil.example")
        ),
        *plain(404, ("/redirect?to=" + EVIL, "/c/test/")),
        *get(303, ["{upload}/run?next=" + EVIL, "{upload}/run?return_to=//evil.example"]),
        *get(404, ["/uploads/" + quote(EVIL, safe="") + "/run", "/uploads/%5c%5cevil.example/run"]),
        (
            303,
            lambda s: (
                s.form(f"/c/test{s.upload}/run", head={"referer": EVIL}, csrf=s.csrf)
                and s.send("GET", _filled(s, "{upload}/run"))
            ),
        ),
    ],
    "a line break where a header is made": [
        *get(404, [f"/uploads/{CRLF}/run", f"/uploads/{CRLF}", f"/blank/{CRLF}", f"/jobs/{CRLF}", f"/work/{CRLF}"]),
        *plain(404, (f"/{CRLF}", f"/static/{CRLF}", f"/c/{CRLF}")),
        *get(200, [f"/jobs/{{job}}?q={CRLF}&outcome={CRLF}&part={CRLF}&page={CRLF}"]),
        *get(200, [f"{{upload}}/problems?code={CRLF}&field={CRLF}&severity={CRLF}"]),
        *plain(401, (f"/start?token={CRLF}",), cookie=""),
    ],
    "HTML in what is asked for": [
        *get(404, [f"/{quote(HTML)}", f"/jobs/{quote(HTML)}", f"/uploads/{quote(HTML)}", f"/work/{quote(HTML)}"]),
        *get(200, [f"/jobs/{{job}}?part=rows&q={quote(HTML)}&outcome={quote(HTML)}"]),
        *get(
            200, [f"{{upload}}/answers?q={quote(HTML)}", f"{{upload}}/problems?code={quote(HTML)}&field={quote(HTML)}"]
        ),
        *get(200, ["/jobs/{job}?q='%20OR%201=1--&page=-1", "?page=99999999999999999999", "?page=1%20UNION"]),
        *plain(421, (f"/{HTML}",), hosts=(HTML,)),
    ],
    "what browsers and caches are told to do": [
        *get(200, [""], range="bytes=0-1", if_none_match="*", if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT"),
        *get(200, [""], range="bytes=" + ",".join(f"{i}-{i}" for i in range(1000))),
        *get(200, [""], x_forwarded_proto="https", x_forwarded_host="evil.example", forwarded="host=evil.example"),
        *get(200, [""], x_original_url="/c/other", x_rewrite_url="/c/other"),
        *get(200, [""], origin=EVIL, access_control_request_method="POST"),
        *get(200, [""], cache_control="only-if-cached", pragma="x", accept="image/*", accept_encoding="gzip, br"),
        *get(200, [""], upgrade="h2c", http2_settings="AAMAAABkAARAAAAAAAIAAAAA"),
        *get(404, ["/jobs/{job}.css", "/jobs/{job};x=.js", "/jobs/{job}%2f..%2fx.png"]),
    ],
    "a socket": [
        (401, lambda s: s.send("GET", "/c/test", cookie="", **_SOCKET)),
        (401, lambda s: s.send("GET", f"/c/test/work/{s.work}/events", cookie="", **_SOCKET)),
        (404, lambda s: s.send("GET", "/ws", **_SOCKET)),
        (404, lambda s: s.send("GET", "/socket.io/?transport=websocket", **_SOCKET)),
        (404, lambda s: s.send("GET", "/c/test/ws", origin=EVIL, **_SOCKET)),
        (200, lambda s: s.send("GET", f"/c/test/work/{s.work}/events", **_SOCKET)),
        (421, lambda s: s.send("GET", "/c/test", hosts=("evil.example",), **_SOCKET)),
        (401, lambda s: s.send("GET", API, cookie="", **_SOCKET)),
        (405, lambda s: s.send("CONNECT", "/c/test")),
    ],
}


def _in_chunks(s: Scene, chunks: list[bytes]) -> int:
    """Sends a body that does not say how long it is."""
    chunks[0] = b'--x\r\nContent-Disposition: form-data; name="sheet"; filename="a.csv"\r\n\r\n' + chunks[0]
    body = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in chunks) + b"0\r\n\r\n"
    head = f"POST /c/test/uploads HTTP/1.1\r\nhost: {s.host}\r\ncookie: {s.cookie}\r\nconnection: close\r\n"
    kind = "content-type: multipart/form-data; boundary=x\r\ntransfer-encoding: chunked\r\n\r\n"
    return s.raw((head + kind).encode() + body)
