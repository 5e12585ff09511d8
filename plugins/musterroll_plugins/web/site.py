"""What all pages have in common: who is asking, for which customer, and how a page is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

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
from musterroll_plugins.web.desk import LOOKS, Desk, Upload, Work
from musterroll_plugins.web.people import People, Person, Role
from musterroll_plugins.web.sessions import OneTimeAddress, Sessions, Tries


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
        url: the address by which people come, without a path.
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
    url: str
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
        said: dict[str, Any] = {
            "_": gettext,
            "ngettext": ngettext,
            "counted": counted,
            "term": term,
            "language": language,
            "by_hand": words.hand_edit,
        }
        self.templates.globals.update(said)

    @property
    def is_https(self) -> bool:
        """Whether people come by HTTPS."""
        return self.url.startswith("https:")

    @property
    def cookie(self) -> str:
        """The name of the session's cookie.

        It has the port in it: browsers do not tell the servers of a computer apart by their ports, so of two the one
        would overwrite the cookie of the other.
        """
        return f"{'__Host-' if self.is_https else ''}musterroll-{port_of(self.url)}"

    def render(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Makes a page."""
        common = {"words": words, "errors": (), "visit": None, "target": None}
        return HTMLResponse(self.templates.get_template(template).render(**{**common, **values}), status)

    def let_in(self, response: Response, value: str) -> None:
        """Sets the session's cookie."""
        response.set_cookie(self.cookie, value, httponly=True, secure=self.is_https, samesite="strict", path="/")

    def let_out(self, response: Response) -> None:
        """Takes the session's cookie away."""
        # Without `Secure` a browser would not listen, for the sake of a name that begins with `__Host-`.
        response.delete_cookie(self.cookie, httponly=True, secure=self.is_https, samesite="strict", path="/")


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
        needs: the role that it takes; None where everybody may.
    """

    site: Site
    request: Request
    person: Person
    csrf: str = ""
    customer_found: Customer | None = None
    form_sent: FormData | None = None
    needs: Role | None = None

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

    def at(self, customer: Customer) -> None:
        """It is about this customer, and answered in the language of their pages."""
        self.customer_found = customer
        set_language(self.site.customers.language(customer))

    def insist(self) -> None:
        """Refuses who has not the role that it takes.

        Raises:
            HTTPException: that is so (403).
        """
        has = self.person.role_for(self.name)
        if self.needs is not None and (has is None or has < self.needs):
            self.note(f"refused: {self.request.method} {self.request.url.path}")
            raise HTTPException(403, gettext("this takes the role {role}", role=self.needs.name.lower()))

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
        self.site.audit.note(self.person.who, what, customer=customer, about=about, address=address_of(self.request))

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
        file, desk = self.customer.file, self.site.desk
        work = Work(customer=self.name, kind=kind, by=self.person.who, pipeline=str(file) if file else "", **values)
        if kind in LOOKS and (same := desk.under_way(work)) is not None:
            return same
        self.refuse_when_full()
        return desk.begin(work)

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


def too_large(site: Site) -> str:
    """Says that a file is larger than what is taken."""
    return gettext("the file is larger than {size} MB", size=site.max_upload)


def port_of(url: str) -> int:
    """The port that an address has, or means."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


Route: TypeAlias = tuple[str, str, Handler, Role | None]
"""Method, path, handler, and the role that it takes."""
