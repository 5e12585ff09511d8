"""What all pages have in common: who is asking, for which customer, and how a page is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from secrets import compare_digest
from typing import Any, TypeAlias

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from musterroll import MusterrollError, UsageError, counted, gettext, language, ngettext, term
from musterroll.engine import JobSummary, Pipeline, Report, set_language, show_job
from musterroll_plugins.web import words
from musterroll_plugins.web.audit import Audit
from musterroll_plugins.web.customers import Customer, Customers, Target, target_of
from musterroll_plugins.web.desk import Desk, Upload, Work
from musterroll_plugins.web.people import People, Person, Role
from musterroll_plugins.web.sessions import OneTimeAddress, Session, Sessions, Tries

_FIELDS, _FIELD_BYTES = 300, 64 * 1024
_SHOWN = 100  # characters of an address that leads nowhere


@dataclass(frozen=True, kw_only=True)
class Site:
    """The server's parts.

    Attributes:
        customers: the pipelines.
        desk: uploads and works.
        people: who may come in.
        sessions: who is signed in.
        tries: who has tried in vain.
        audit: the audit log.
        one_time: the address that was printed; None where people sign in.
        alone: the person who comes in by it.
        max_upload: the largest upload, in megabytes.
        max_uploads: how many a customer can have that are not imported.
        is_https: whether people come by HTTPS.
        oidc: begins and ends a sign-in with an OpenID provider; None where there is none.
    """

    customers: Customers
    desk: Desk
    people: People
    sessions: Sessions = field(default_factory=Sessions)
    tries: Tries = field(default_factory=Tries)
    audit: Audit
    one_time: OneTimeAddress | None
    alone: Person
    max_upload: int
    max_uploads: int
    is_https: bool
    oidc: Any = None
    templates: Environment = field(
        default_factory=lambda: Environment(
            loader=PackageLoader("musterroll_plugins.web"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
    )

    def __post_init__(self) -> None:
        """Gives the templates what they say things with: plain texts, which are escaped where they stand."""
        said = {"_": gettext, "ngettext": ngettext, "counted": counted, "term": term, "language": language}
        self.templates.globals.update(said)

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return "__Host-musterroll" if self.is_https else "musterroll"

    def render(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Makes a page."""
        common = {"words": words, "errors": (), "visit": None, "target": None}
        return HTMLResponse(self.templates.get_template(template).render(**{**common, **values}), status)

    def let_in(self, response: Response, value: str) -> None:
        """Sets the session's cookie."""
        response.set_cookie(self.cookie, value, httponly=True, secure=self.is_https, samesite="strict", path="/")


@dataclass(kw_only=True)
class Visit:
    """One request of somebody who was let in.

    Attributes:
        site: the server's parts.
        request: the request.
        person: who.
        csrf: what the forms of the page bring; empty for programs.
        customer: for which customer; None where it is about none.
        form: the form that was sent, checked; None without one.
    """

    site: Site
    request: Request
    person: Person
    csrf: str = ""
    customer_found: Customer | None = None
    form_sent: FormData | None = None

    @property
    def customer(self) -> Customer:
        """The customer that the page is about."""
        assert self.customer_found is not None
        return self.customer_found

    @property
    def name(self) -> str:
        """The customer's name."""
        return self.customer.name

    @property
    def home(self) -> str:
        """The path of the customer's pages."""
        return f"/c/{self.name}"

    def may(self, role: str) -> bool:
        """Whether the person has a role for the customer, or a higher one."""
        has = self.person.role_for(self.name) if self.customer_found else None
        return has is not None and has >= Role[role.upper()]

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Makes a page."""
        return self.site.render(template, status, visit=self, **values)

    def to(self, path: str) -> RedirectResponse:
        """Sends the browser on to a page of the customer."""
        return RedirectResponse(f"{self.home}{path}", 303)

    def text(self, name: str) -> str:
        """A text of the form; empty where it is not there."""
        value = self.form_sent.get(name) if self.form_sent else None
        return value if isinstance(value, str) else ""

    def file(self, name: str) -> UploadFile | None:
        """A file of the form; None where none was chosen."""
        value = self.form_sent.get(name) if self.form_sent else None
        return value if isinstance(value, UploadFile) and value.filename else None

    def query(self, name: str) -> str:
        """A text of the address."""
        return self.request.query_params.get(name, "")[:200]

    @property
    def page_number(self) -> int:
        """The page that is asked for."""
        number = self.query("page")
        return int(number) if number.isascii() and number.isdigit() and len(number) < 8 else 1

    def note(self, what: str, about: str | None = None) -> None:
        """Adds a line to the audit log."""
        customer = self.customer_found.name if self.customer_found else None
        self.site.audit.note(self.person.name, what, customer=customer, about=about, address=address_of(self.request))

    async def pipeline(self, profile: str | None = None) -> Pipeline:
        """The customer's pipeline.

        Raises:
            HTTPException: its file has mistakes by now (503).
        """
        try:
            found = await run_in_threadpool(self.site.customers.pipeline, self.customer, profile or None)
        except MusterrollError as error:
            text = gettext("the pipeline of {name} has mistakes: {message}", name=self.name, message=error.message)
            raise HTTPException(503, text) from None
        set_language(self.site.customers.language(self.customer))  # the file may say another by now
        return found

    async def target(self, profile: str | None) -> Target:
        """Where an import with a profile goes."""
        try:
            return target_of(await self.pipeline(profile))
        except HTTPException:  # the profile is gone
            return Target(profile or "", "plain", "")

    async def job(self, id_: str) -> tuple[JobSummary, Report]:
        """A job, and its report, which is closed: its streams cannot be read any more.

        Raises:
            HTTPException: there is no such job (404).
        """
        pipeline = await self.pipeline()

        def look() -> tuple[JobSummary, Report]:
            with show_job(pipeline, id_) as report:
                assert report.job is not None
                return report.job, report

        try:
            job, report = await run_in_threadpool(look)
        except UsageError:
            raise HTTPException(404) from None
        if job.id != id_:  # a part of an id is for people at a terminal
            raise HTTPException(404)
        return job, report

    def refuse_when_full(self) -> None:
        """Refuses what would begin something where too much waits already.

        Raises:
            HTTPException: that is so (503).
        """
        if self.site.desk.is_full:
            raise HTTPException(503, gettext("too much waits here already; try again when some of it is done"))

    def begin(self, kind: str, **values: Any) -> Work:
        """Lets a worker do something.

        Raises:
            HTTPException: too much waits already (503).
        """
        self.refuse_when_full()
        file = self.customer.file
        work = Work(customer=self.name, kind=kind, by=self.person.name, pipeline=str(file) if file else "", **values)
        return self.site.desk.begin(work)

    def begin_with(self, upload: Upload, kind: str, more: Mapping[str, Any] | None = None) -> Work:
        """Lets a worker do something with a sheet; see `begin`."""
        sheet = str(self.site.desk.sheet_of(upload))
        return self.begin(
            kind, upload=upload.id, sheet=sheet, profile=upload.profile, sets=upload.sets, more=dict(more or {})
        )


def refuse_doubles(form: FormData) -> None:
    """Refuses a form that says something twice: which of the two is meant, nobody knows.

    Raises:
        HTTPException: it does (400).
    """
    names = [name for name, _ in form.multi_items()]
    if len(names) != len(set(names)):
        raise HTTPException(400, gettext("a field of the form is there twice"))


Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


def page(site: Site, handler: Handler, role: Role | None) -> Callable[[Request], Awaitable[Response]]:
    """Makes an endpoint of a handler: for who has a session, with the role for the customer of the path.

    Args:
        site: the server's parts.
        handler: makes the answer.
        role: the role that it takes; None for a page of no customer.
    """
    return partial(_serve_page, site, handler, role)


async def _serve_page(site: Site, handler: Handler, role: Role | None, request: Request) -> Response:
    session, value = _session(site, request)
    if session is None:
        return unknown(site, request)
    visit = Visit(site=site, request=request, person=session.person, csrf=session.csrf)
    _admit(visit, role)
    if request.method == "POST":
        async with request.form(max_files=1, max_fields=_FIELDS, max_part_size=_FIELD_BYTES) as form:
            refuse_doubles(form)
            given = form.get("csrf")
            if not isinstance(given, str) or not given.isascii() or not compare_digest(given, session.csrf):
                visit.note("refused: a form without the token of its session")
                raise HTTPException(403, gettext("this form is out of date; go back, reload the page and try again"))
            visit.form_sent = form
            response = await handler(visit)
    else:
        response = await handler(visit)
    if value is not None:
        site.let_in(response, value)
    return response


def unknown(site: Site, request: Request) -> Response:
    """The page for who is not let in; it says nothing of what is inside."""
    return site.render(
        "unknown.html",
        401,
        has_oidc=site.oidc is not None,
        one_time=site.one_time is not None,
        had_session=site.cookie in request.cookies,
    )


def _admit(visit: Visit, role: Role | None) -> None:
    """Finds the customer of the path. One for whom somebody has no role does not exist for them."""
    name = visit.request.path_params.get("customer")
    if name is None:
        return
    found, has = visit.site.customers.all.get(name), visit.person.role_for(name)
    if found is None or has is None:
        raise HTTPException(404, gettext('there is no customer "{name}"', name=name[:_SHOWN]))
    visit.customer_found = found
    set_language(visit.site.customers.language(found))
    if role is not None and has < role:
        visit.note(f"refused: {visit.request.method} {visit.request.url.path}")
        raise HTTPException(403, gettext("this takes the role {role}", role=role.name.lower()))


def _session(site: Site, request: Request) -> tuple[Session | None, str | None]:
    """The session of a request; with the cookie to set, where it is a new one of somebody whom the proxy names."""
    session = site.sessions.find(request.cookies.get(site.cookie))
    proxy = site.people.access.proxy
    if proxy is None:
        return session, None
    named = request.headers.getlist(proxy.header)
    if address_of(request) not in proxy.addresses or len(named) != 1:
        return None, None
    person = site.people.person(named[0])
    if person is None:
        site.audit.note(named[0][:200], "sign-in refused", address=address_of(request))
        return None, None
    if session is not None and session.person == person:
        return session, None
    value, session = begin_session(site, person, request)
    return session, value


def begin_session(site: Site, person: Person, request: Request) -> tuple[str, Session]:
    """Begins a session of somebody; the one that the browser had is over. Returns its cookie, too."""
    site.sessions.end(request.cookies.get(site.cookie))
    begun = site.sessions.begin(person)
    site.audit.note(person.name, "sign-in", address=address_of(request))
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
    visit = Visit(site=site, request=request, person=person)
    _admit(visit, role)
    return await handler(visit)


Route: TypeAlias = tuple[str, str, Handler, Role | None]
"""Method, path, handler, and the role that it takes."""
