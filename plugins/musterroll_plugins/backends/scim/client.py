"""HTTP with the portal: what SCIM adds to it, and when to stop trying.

Everything here runs in the event loop of the backend's pump.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

from musterroll import BackendError, Context, Secret
from musterroll_http import HttpAnswer, HttpClient, Meaning
from musterroll_plugins.backends.scim.answers import explained
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.paths import Json
from musterroll_simple import ListLock

_JSON = "application/scim+json"
# A portal that breaks over one request does so again; one that is about to come up says 502, 503 or 504.
_RETRIES_OF_500 = 2
BUSY = (429, 503)
_GATEWAY = (502, 504)


class ScimClient(HttpClient):
    """Sends requests to one portal.

    Args:
        options: of the backend.
        context: of the backend.

    Raises:
        PipelineError: a secret cannot be read.
        BackendError: the certificate file cannot be read.
    """

    def __init__(self, options: ScimOptions, context: Context) -> None:
        super().__init__(
            options,
            context,
            BackendError,
            name="the portal",
            requests_per_second=options.requests_per_second,
            all_wait=False,  # many portals are too busy for one thing, and not for another
            max_answer=options.max_answer,
            too_large="ask for less at once (page_size), or raise max_answer",
        )
        self._options = options
        self.lists = ListLock()

    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> HttpAnswer:
        """Reads; see `ask`."""
        return await self.ask("GET", path, params=params)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        hide: Sequence[Secret] = (),
        patient: bool = True,
    ) -> HttpAnswer:
        """Sends a request, and again where that may help; a POST that may have arrived is for `once` to repeat.

        Args:
            method: POST is what must not be done twice.
            path: after the address of the service, with a leading slash.
            params: the query.
            body: sent as JSON.
            headers: besides the usual ones.
            hide: the passwords in it, which no answer may show.
            patient: whether it is repeated when the portal breaks over it.

        Raises:
            HttpError: there was no answer that settles it.
        """
        most_of_500 = min(_RETRIES_OF_500, self._options.retries)
        repeats_500 = patient and method != "POST" and 500 not in self._options.duplicate_status

        def means(status: int, attempt: int) -> Meaning:
            if status in BUSY:  # to a POST that is no proof that it did nothing
                return Meaning.DOUBTFUL if method == "POST" else Meaning.NOT_DONE
            if status in _GATEWAY or (status == 500 and repeats_500 and attempt < most_of_500):
                return Meaning.DOUBTFUL
            return Meaning.FINAL

        every = {"Accept": f"{_JSON}, application/json;q=0.9", **(headers or {})}
        if body is not None:
            every["Content-Type"] = _JSON
        async with nullcontext() if method == "GET" else self.lists.change():
            answer = await self.request(
                method,
                path,
                params=params,
                body=body,
                headers=every,
                hide=hide,
                repeatable=method != "POST",
                means=means,
            )
        if answer.status == 401:
            self.stop(explained(answer, "", self._options.url))
        return answer
