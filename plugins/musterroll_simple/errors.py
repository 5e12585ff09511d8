"""What went wrong, in the words of a portal: raised by the methods that a team writes.

Exceptions of the network (`OSError`, and with it those of `requests` and `urllib`) count as `NoAnswer`. Whatever else
is raised is a mistake in the plugin, and ends the job with its name.
"""

from __future__ import annotations


class Taken(Exception):  # noqa: N818 -- short, as it is written in every method
    """Something of that name, or with that address, is there already. The text tells the person which."""


class Refused(Exception):  # noqa: N818
    """The portal says no, and would say so again. The text tells the person why; never with a password in it."""


class Gone(Refused):
    """The user or the group no longer exists."""


class Broke(Refused):
    """The portal broke over it. It may have been done all the same: what has a name is looked for."""


class NotTriedError(Exception):
    """Certainly nothing was done, and there is no use in trying again now; the text says why."""


class NoAnswer(Exception):  # noqa: N818
    """The request went out and nothing came back: it may have been done."""


class Busy(Exception):  # noqa: N818
    """The portal asks to be left alone for a while. That says nothing of whether the request was done.

    Args:
        retry_after: so many seconds it wants to be left alone; None where it does not say.
        text: its words, for the person.
        again: whether trying again may help; False where somebody has tried long enough already.
    """

    def __init__(
        self, retry_after: float | None = None, text: str = "the portal is busy", *, again: bool = True
    ) -> None:
        super().__init__(text)
        self.retry_after, self.again = retry_after, again
