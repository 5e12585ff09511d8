"""The way in and out, and what needs no sign-in: health, styles, and a word to who is not let in."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from importlib.resources import files

from h11 import LocalProtocolError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from musterroll import gettext, gettext_noop
from musterroll_plugins.web.admission import StaleFormError, begin_session, stranger, unknown, way_to
from musterroll_plugins.web.people import Person, SignInRefusedError
from musterroll_plugins.web.site import Route, Site, Visit, address_of, too_large

_STATIC = {"style.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


async def sign_out(visit: Visit) -> Response:
    """Ends the session."""
    visit.site.sessions.end(visit.request.cookies.get(visit.site.cookie))
    visit.note("sign-out")
    oidc = visit.site.oidc
    response = visit.site.render(
        "gone.html",
        knows_you=visit.site.one_time is None,
        has_oidc=oidc is not None,
        elsewhere=oidc.sign_out_url() if oidc is not None else None,
    )
    visit.site.let_out(response)
    return response


ROUTES: list[Route] = [("POST", "/sign-out", sign_out, None)]


def open_routes(site: Site) -> list[tuple[str, Callable[[Request], Awaitable[Response]]]]:
    """What is served to everybody, by its path: GET only."""

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok")

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _STATIC:
            raise HTTPException(404)
        content = files("musterroll_plugins.web").joinpath("static", name).read_bytes()
        return Response(content, media_type=_STATIC[name], headers={"cache-control": "no-cache"})

    async def start(request: Request) -> Response:
        address = address_of(request)
        if site.tries.are_too_many(address):  # noted once, lest a stranger fill the log
            raise HTTPException(429)
        token = request.query_params.get("token", "")
        if site.one_time is None or not site.one_time.use(token):
            site.tries.add(address)
            site.audit.note("", "sign-in refused", address=address)
            if site.tries.are_too_many(address):
                site.audit.note("", "sign-in refused: too many tries", address=address)
            raise HTTPException(401)
        return enter(site, site.alone, request)

    routes: list[tuple[str, Callable[[Request], Awaitable[Response]]]] = [
        ("/health", health),
        ("/static/{name}", static),
        ("/start", start),
    ]
    if site.oidc is not None:
        # How often is not limited: there is nothing to be guessed, and behind a proxy everybody comes from one address.
        async def sign_in(request: Request) -> Response:
            to = way_to(request.query_params.get("to", ""))
            as_another = request.query_params.get("as") == "another"
            response: Response = await site.oidc.begin(request, to, as_another=as_another)
            return response

        async def back(request: Request) -> Response:
            response = await arrive(request)
            site.oidc.over(request, response)
            return response

        async def arrive(request: Request) -> Response:
            try:
                arrival = await site.oidc.end(request)
            except SignInRefusedError as refusal:
                if refusal.note:
                    what = f"sign-in refused: {refusal.note}"
                    site.audit.note(refusal.name, what, address=address_of(request))
                return unknown(site, request, why=refusal.text, is_other=bool(refusal.name))
            person = site.people.person(arrival)
            if person is None:
                return stranger(site, request, arrival)
            return enter(site, person, request, arrival.to)

        routes += [("/sign-in", sign_in), ("/sign-in/back", back)]
    return routes


def enter(site: Site, person: Person, request: Request, to: str = "/") -> Response:
    """Lets somebody in to a page, with a new session; the one that the browser had is over.

    The answer is a page that leads on, and no redirect: a browser that came from elsewhere would follow one without
    the new cookie, which is for requests of this site only.
    """
    value, _ = begin_session(site, person, request)
    response = site.render("enter.html", to=to, is_in=True)
    site.let_in(response, value)
    return response


async def failure(site: Site, request: Request, error: Exception) -> Response:
    """The answer to what went wrong: a page, or JSON for programs."""
    if isinstance(error, (ClientDisconnect, LocalProtocolError)):
        return Response(status_code=400)  # nobody hears it
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 500:  # where it was, but not its text, which may hold anything
        print(*traceback.format_tb(error.__traceback__), type(error).__name__, sep="", file=sys.stderr, flush=True)
    headers = error.headers if isinstance(error, HTTPException) else None
    text = gettext(_TEXTS.get(status, gettext_noop("This does not work.")))
    if isinstance(error, StaleFormError):
        text = error.title
    detail = error.detail if isinstance(error, HTTPException) and error.detail != HTTPStatus(status).phrase else ""
    if status == 413 and not detail:
        detail = too_large(site)
    if request.url.path.startswith("/api/"):
        body = {"error": {"code": _CODES.get(status, "error"), "message": detail or _FOR_PROGRAMS.get(status, text)}}
        return JSONResponse(body, status, dict(headers or {}))
    if status == 401:
        response = unknown(site, request)
    else:
        # Where there is nothing, there may be no such customer either.
        customer = request.path_params.get("customer") if status != 404 else None
        response = site.render("failure.html", status, text=text, detail=detail, customer=customer)
    response.headers.update(headers or {})
    return response


_TEXTS = {
    400: gettext_noop("The request cannot be read."),
    401: gettext_noop("Nobody knows you here."),
    403: gettext_noop("You may not do that."),
    404: gettext_noop("There is no such page."),
    405: gettext_noop("There is no such page."),
    409: gettext_noop("This does not go together with what has happened meanwhile."),
    410: gettext_noop("That is gone."),
    413: gettext_noop("That is too large."),
    415: gettext_noop("This is no sheet."),
    422: gettext_noop("Something is missing."),
    429: gettext_noop("That was too often. Wait a minute, and try again."),
    500: gettext_noop("Something has gone wrong here; whoever runs this server finds it in its log."),
    503: gettext_noop("This cannot be done now."),
}
_FOR_PROGRAMS = {
    404: "There is nothing at this address that this token may see.",
    405: "This address does not take that method.",
}
_CODES = {
    400: "unreadable",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "not_found",
    409: "conflict",
    410: "gone",
    413: "too_large",
    415: "unsupported",
    422: "invalid",
    429: "too_many",
    500: "unexpected",
    503: "unavailable",
}
