"""A portal with a REST API: `SimpleBackend` with an HTTP client, paging, and what a status means."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from musterroll import BackendError, Context, Secret, SecretRef
from musterroll_http.documents import value_at
from musterroll_http.errors import HttpError
from musterroll_http.options import HttpOptions, check_url
from musterroll_http.paging import Paging
from musterroll_simple import Broke, Busy, Gone, NoAnswer, NotTriedError, Refused, SimpleBackend, Taken

if TYPE_CHECKING:
    from musterroll_http.answer import HttpAnswer, Meaning
    from musterroll_http.client import HttpClient

# A portal that breaks over one request does so again; one that is about to come up says 502, 503 or 504.
_RETRIES_OF_500 = 2
_LONGEST_ID = 1024


def _without_slash(url: str | SecretRef) -> str | SecretRef:
    return url.rstrip("/") if isinstance(url, str) else url


class RestOptions(HttpOptions):
    """Options of a portal with a REST API, to inherit from.

    Attributes:
        tenant: where one address serves several tenants and the token decides: a name that tells them apart.
        requests_per_second: not more requests than these.
        page_size: so many users or groups are asked for at once; 0 leaves it to the portal.
        lag: so many seconds it may take until the portal shows everywhere what was written.
        max_answer: the largest answer, in bytes and decompressed, that is read.
        max_users: a portal that shows more users, or more groups, is not believed.
    """

    url: Annotated[str | SecretRef, BeforeValidator(check_url), AfterValidator(_without_slash)]
    tenant: str = ""
    concurrency: int = Field(16, ge=1, le=256)
    retries: int = Field(6, ge=0, le=100)
    requests_per_second: float | None = Field(None, ge=0.001, le=100_000)
    page_size: int = Field(0, ge=0, le=100_000)
    lag: float = Field(0.0, ge=0, le=600)
    max_answer: int = Field(33554432, ge=65536, le=1_073_741_824)
    max_users: int = Field(2000000, ge=1, le=1_000_000_000)


class RestBackend(SimpleBackend):
    """A user backend over HTTP. Methods of a team are `async def` and ask by `ask` and `pages`.

    `concurrency`, `tries` and `lag` that a class says hold where the person's options say nothing.

    Args:
        options: of the plugin.
        context: of the instance.

    Attributes:
        http: the client.
        kind: what the portal's identity begins with.
        meanings: what is raised for a status; any other refusal is `Refused`.

    Raises:
        PipelineError: a secret cannot be read.
        BackendError: aiohttp is missing, or a file, an address, a token or a header cannot be used.
    """

    kind: str = "rest"
    meanings: Mapping[int, type[Exception]] = {404: Gone, 409: Taken, 410: Gone}

    def __init__(self, options: RestOptions, context: Context) -> None:
        super().__init__(options, context)
        options = self._options = options.model_copy(update=self._said_by_the_class(options))
        self.concurrency, self.tries, self.lag = options.concurrency, options.retries + 1, options.lag
        self.http = self._client(options)

    def _said_by_the_class(self, options: RestOptions) -> dict[str, Any]:
        said = {name for cls in takewhile(lambda cls: cls is not RestBackend, type(self).__mro__) for name in vars(cls)}
        of_class = (("concurrency", self.concurrency), ("tries", self.tries), ("lag", self.lag))
        own: dict[str, Any] = {name: value for name, value in of_class if name in said}
        if "tries" in own:
            own["retries"] = own.pop("tries") - 1
        return {name: value for name, value in own.items() if name not in options.model_fields_set}

    def _client(self, options: RestOptions) -> HttpClient:
        from musterroll_http.client import HttpClient  # noqa: PLC0415 -- quick start-up: it needs an event loop

        return HttpClient(
            options,
            self.context,
            BackendError,
            name="the portal",
            requests_per_second=options.requests_per_second,
            all_wait=False,  # many portals are too busy for one thing, and not for another
            max_answer=options.max_answer,
            too_large="ask for less at once (page_size), or raise max_answer",
        )

    def identity(self) -> str:
        """`kind` with the portal's address, and the tenant where the options name one."""
        url = self._options.url if isinstance(self._options.url, str) else self.http.place
        return identity_of(self.kind, url, self._options.tenant)

    def examine(self) -> str:
        """Asks the portal how many users it has, once.

        Raises:
            BackendError: it does not answer, or does not let us in.
        """
        self.tries = 1
        self.http = self._client(self._options.model_copy(update={"retries": 0}))
        return f"{self.identity()}, {self.count_users() or 0:,} users"

    def begin(self) -> None:
        """Gives the portal another chance."""
        self.http.begin()

    async def closing(self) -> None:
        """Closes all connections."""
        await self.http.close()

    # -- asking ---------------------------------------------------------------------------------------------

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Sends a request and returns the JSON document of its answer; see `answer`."""
        return (await self.answer(method, path, body, **more)).body

    async def answer(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        hide: Iterable[Secret | None] = (),
        repeatable: bool | None = None,
    ) -> HttpAnswer:
        """Sends a request, and again where that may help and does no harm.

        Args:
            method: of HTTP.
            path: after the address in the options, with a leading slash; quote what is put into it with `quoted`.
            body: sent as JSON.
            params: the query.
            headers: besides the usual ones.
            hide: passwords in it, which no answer may show.
            repeatable: whether it may be sent again when it may have been done already; by default all but POST and
                PATCH may.

        Returns:
            A success.

        Raises:
            Busy: the portal wants to be left alone.
            NoAnswer: nothing came back.
            Broke: the portal broke over it.
            Refused: and `Gone`, `Taken`, or what else `meanings` says: the portal refused it.
            BackendError: it does not let us in, or is none.
        """
        again = method not in ("POST", "PATCH") if repeatable is None else repeatable
        try:
            answer = await self.http.request(
                method,
                path,
                params=params,
                body=body,
                headers=headers,
                hide=[secret for secret in hide if secret is not None],
                repeatable=again,
                means=_means_to_repeat if again else _means_to_look,
            )
        except HttpError as error:
            if self.http.stopped is not None:
                raise self.http.stopped from None
            if error.certain:
                raise NotTriedError(error.text) from None
            if error.answer is None:
                raise NoAnswer(error.text) from None
            raise Busy(error.wait, error.text, again=error.again and not again) from None
        if answer.ok:
            return answer
        raise self.refusal(answer)

    def refusal(self, answer: HttpAnswer) -> Exception:
        """Returns what is raised for an answer that is no success; override it for what statuses alone do not tell."""
        status, words = answer.status, answer.reason
        if status in self.meanings:
            return self.meanings[status](words)
        if status == 401:
            text = f"the portal does not accept the token or password ({words}); check it, it may have expired"
        elif 300 <= status < 400:
            text = f"the portal answers with a redirect ({status}); set url to the address that it leads to"
        elif answer.unread and status < 400:
            text = f"the portal answers with {answer.unread} instead of JSON ({status}); check the url"
        else:
            return Broke(words) if status >= 500 else Refused(words)
        return BackendError(text)

    async def pages(
        self, path: str, params: Mapping[str, str | int] | None = None, paging: Paging | None = None
    ) -> AsyncGenerator[Any]:
        """Yields the items of a list, whatever pages it comes in. `page_size` and `max_users` of the options hold.

        Args:
            path: of the list.
            params: of every request, besides those of the page.
            paging: how it comes in pages; by default all at once.

        Raises:
            Exception: see `answer`.
        """

        async def page(where: str, query: Mapping[str, str | int]) -> HttpAnswer:
            return await self.answer("GET", where, params=query)

        async for items in self._paging(paging or Paging()).pages(page, path, params):
            for item in items:
                yield item

    def _paging(self, paging: Paging) -> Paging:
        most = min(paging.most, self._options.max_users)
        if paging.by == "none":  # whoever is asked for all at once must not be asked for so many
            return replace(paging, most=most)
        return replace(paging, size=self._options.page_size or paging.size, most=most)


def quoted(text: str) -> str:
    """Quotes a text for a path, slashes included."""
    return quote(text, safe="", errors="surrogatepass")


def id_in(answer: HttpAnswer, path: str = "id") -> str | None:
    """Returns the id of what was created: by the document at a path, or else by the address in `Location`.

    Raises:
        BackendError: it is none that can be kept.
    """
    shown = value_at(answer.body, path)
    if shown is None or shown == "":
        shown = unquote(answer.headers.get("Location", "").partition("?")[0].rstrip("/").rpartition("/")[2])
    return text_of_id(shown)


def text_of_id(value: Any) -> str | None:
    """Returns an id of a document as a text; None where there is none.

    Raises:
        BackendError: it is none that can be kept.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BackendError("the portal gives something an id that is neither a text nor a number")
    text = str(value)
    if len(text) > _LONGEST_ID or any(char < " " or "\ud800" <= char <= "\udfff" for char in text):
        raise BackendError("the portal gives something an id that cannot be kept; ask those who run it")
    return text


def identity_of(kind: str, url: str, tenant: str) -> str:
    """Returns a portal's identity: its address without what does not matter, and the tenant where there are several."""
    parts = urlsplit(url)
    port = "" if parts.port in (None, {"https": 443, "http": 80}[parts.scheme]) else f":{parts.port}"
    return f"{kind}:{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}{f'#{tenant}' if tenant else ''}"


def _means_to_repeat(status: int, attempt: int) -> Meaning:
    """What a status means where a request can be repeated without harm."""
    from musterroll_http.answer import Meaning, meaning  # noqa: PLC0415 -- quick start-up

    if status in (429, 503):
        return Meaning.NOT_DONE
    return Meaning.FINAL if status == 500 and attempt >= _RETRIES_OF_500 else meaning(status, attempt)


def _means_to_look(status: int, attempt: int) -> Meaning:
    """What a status means where it cannot: neither 429 nor 503 proves that nothing was done."""
    from musterroll_http.answer import Meaning, meaning  # noqa: PLC0415 -- quick start-up

    if status in (425, 429, 503):
        return Meaning.DOUBTFUL
    return Meaning.FINAL if status in (500, 501, 505) else meaning(status, attempt)
