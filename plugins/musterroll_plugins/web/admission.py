"""Who is let in to a page or an operation: by a session, by a proxy's word, by a token; and with which role."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from secrets import compare_digest
from urllib.parse import unquote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from musterroll import gettext
from musterroll_plugins.web.people import Arrival, Person, Role
from musterroll_plugins.web.sessions import Session
from musterroll_plugins.web.site import Handler, Site, Visit, address_of, refuse_doubles

_FIELDS, _FIELD_BYTES = 300, 64 * 1024
_PAGE = re.compile(r"/c/[\w./?=&%+-]{1,500}", re.ASCII)
_LONGEST_NAME = 200
_SHOWN = 100  # characters of an address that leads nowhere


def page(site: Site, handler: Handler, role: Role | None) -> Callable[[Request], Awaitable[Response]]:
    """Makes an endpoint of a handler: for who has a session, with the role for the customer of the path.

    Args:
        site: the server's parts.
        handler: makes the answer.
        role: the role that it takes; None for a page of no customer.
    """
    return partial(_serve_page, site, handler, role)


async def _serve_page(site: Site, handler: Handler, role: Role | None, request: Request) -> Response:
    arrival = _named_by_proxy(site, request)
    session, value = _session(site, request, arrival)
    if session is None:
        return unknown(site, request) if arrival is None else stranger(site, request, arrival)
    visit = Visit(site=site, request=request, person=session.person, csrf=session.csrf, needs=role)
    _admit(visit)
    if request.method == "POST":
        async with request.form(max_files=1, max_fields=_FIELDS, max_part_size=_FIELD_BYTES) as form:
            refuse_doubles(form)
            given = form.get("csrf")
            if not isinstance(given, str) or not given.isascii() or not compare_digest(given, session.csrf):
                visit.note("refused: a form without the token of its session")
                raise StaleFormError
            visit.form_sent = form
            response = await handler(visit)
    else:
        response = await handler(visit)
    if value is not None:
        site.let_in(response, value)
    return response


class StaleFormError(HTTPException):
    """A form was sent without the token of its session: mostly that of a page from before a later sign-in.

    Attributes:
        title: what the page says of it first.
    """

    def __init__(self) -> None:
        super().__init__(403, gettext("go back, reload the page and try again; nothing was done"))
        self.title = gettext("This page is out of date")


def unknown(site: Site, request: Request, why: str = "", *, is_other: bool = False, to: str | None = None) -> Response:
    """The page for who is not let in; it says nothing of what is inside.

    Args:
        site: the server's parts.
        request: what was asked for.
        why: why the sign-in came to nothing; empty where there was none.
        is_other: whether only another person would be let in.
        to: the page to see after a sign-in; the one that was asked for without it.
    """
    to = page_of(request) if to is None else to
    if not why and _leads_here_from_elsewhere(request):
        return site.render("enter.html", 401, to=to, is_in=False)
    more = {**({"to": to} if to != "/" else {}), **({"as": "another"} if is_other else {})}
    return site.render(
        "unknown.html",
        401,
        why=why,
        is_other=is_other,
        sign_in=f"/sign-in{'?' if more else ''}{urlencode(more)}" if site.oidc is not None else None,
        one_time=site.one_time is not None,
        had_session=site.cookie in request.cookies,
        was_sent=request.method == "POST",
    )


def stranger(site: Site, request: Request, arrival: Arrival) -> Response:
    """The page for who has signed in, and has no role."""
    name = arrival.name[:_LONGEST_NAME]
    site.audit.note(name, "sign-in refused", address=address_of(request))
    why = gettext("{name} has no role here. Ask who runs this server for one.", name=name)
    return unknown(site, request, why, is_other=True, to=arrival.to)


def page_of(request: Request) -> str:
    """The page that a request is about, to come back to: of a form that was sent, the customer's."""
    customer = request.path_params.get("customer")
    if request.method == "GET":
        return way_to(f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path)
    return way_to(f"/c/{customer}" if customer else "/")


def way_to(path: str) -> str:
    """A path, if it is one of a page of a customer; the start page without that."""
    parts = unquote(path.partition("?")[0]).split("/")
    return path if _PAGE.fullmatch(path) and not {".", ".."} & set(parts) else "/"


def _leads_here_from_elsewhere(request: Request) -> bool:
    """Whether a link of another site leads here: then the browser keeps the session's cookie to itself.

    A page of ours that leads to the same page has it come along.
    """
    return request.method == "GET" and request.headers.get("sec-fetch-site") in ("cross-site", "same-site")


def _admit(visit: Visit) -> None:
    """Finds the customer of the path. One for whom somebody has no role does not exist for them."""
    name = visit.request.path_params.get("customer")
    if name is None:
        return
    found = visit.site.customers.all.get(name)
    if found is None or visit.person.role_for(name) is None:
        raise HTTPException(404, gettext('there is no customer "{name}"', name=name[:_SHOWN]))
    visit.at(found)
    visit.insist()


def _named_by_proxy(site: Site, request: Request) -> Arrival | None:
    """Whom the proxy names; None where there is no proxy, or no word of one."""
    proxy = site.people.access.proxy
    if proxy is None or address_of(request) not in proxy.addresses:
        return None
    named = request.headers.getlist(proxy.header)
    return Arrival(named[0]) if len(named) == 1 else None


def _session(site: Site, request: Request, arrival: Arrival | None) -> tuple[Session | None, str | None]:
    """The session of a request; with the cookie to set, where it is a new one of somebody whom the proxy names."""
    session = site.sessions.find(request.cookies.get(site.cookie))
    if site.people.access.proxy is None:
        return session, None
    person = site.people.person(arrival) if arrival is not None else None
    if person is None:
        return None, None
    if session is not None and session.person == person:
        return session, None
    value, session = begin_session(site, person, request)
    return session, value


def begin_session(site: Site, person: Person, request: Request) -> tuple[str, Session]:
    """Begins a session of somebody; the one that the browser had is over. Returns its cookie, too."""
    site.sessions.end(request.cookies.get(site.cookie))
    begun = site.sessions.begin(person)
    site.audit.note(person.who, "sign-in", address=address_of(request))
    return begun


def api(site: Site, handler: Handler, role: Role | None) -> Callable[[Request], Awaitable[Response]]:
    """Makes an endpoint for programs: for who brings a token with the role for the customer of the path."""
    return partial(_serve_api, site, handler, role)


async def _serve_api(site: Site, handler: Handler, role: Role | None, request: Request) -> Response:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    address = address_of(request)
    person = site.people.program(token.strip()) if scheme.lower() == "bearer" and token else None
    if person is None:
        # A token that is known is let in all the same: behind a proxy everybody comes from one address, and whoever
        # guesses must not keep the others out.
        if site.tries.are_too_many(address):
            raise HTTPException(429)
        site.audit.note("", "token refused", address=address)
        site.tries.add(address)
        raise HTTPException(401, headers={"www-authenticate": "Bearer"})
    visit = Visit(site=site, request=request, person=person, needs=role)
    _admit(visit)
    return await handler(visit)
