"""A request that got no answer which settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musterroll_http.answer import HttpAnswer


class HttpError(Exception):
    """There is no answer, or none that repeating would not change.

    Attributes:
        text: what happened, in one line; never with a secret.
        certain: whether the request certainly did nothing there; otherwise it may have.
        unusable: whether no request will get there until somebody has changed something.
        again: whether the same request may succeed another time.
        no_host: whether there is no such host: more likely a wrong address than a bad moment.
        answer: the last answer, e.g. that the server is busy; None where there was none.
        wait: so many seconds the server wants to be left alone; None where it does not say.
    """

    def __init__(
        self,
        text: str,
        *,
        certain: bool = True,
        unusable: bool = False,
        again: bool = True,
        no_host: bool = False,
        answer: HttpAnswer | None = None,
        wait: float | None = None,
    ) -> None:
        super().__init__(text)
        self.text, self.certain, self.unusable, self.again, self.no_host = text, certain, unusable, again, no_host
        self.answer, self.wait = answer, wait
