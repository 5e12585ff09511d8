"""The notifier `smtp`: e-mails through a mail server."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll import Component, Context, Notifier, NotifierType, hookimpl
from musterroll_plugins.notifiers.smtp.options import SmtpOptions

__all__ = ["SmtpOptions", "build", "musterroll_notifiers"]


def build(options: SmtpOptions, context: Context) -> Notifier:
    """Gets ready; the server is called when something is to be sent.

    Raises:
        NotifierError: the certificate file cannot be read.
        PipelineError: the password cannot be read.
    """
    from musterroll_plugins.notifiers.smtp.notifier import Smtp  # noqa: PLC0415 -- quick start-up

    return Smtp(options, context)


@hookimpl
def musterroll_notifiers() -> Iterator[Component]:
    """Announces the notifier."""
    yield NotifierType(
        name="smtp",
        summary="Sends e-mails through a mail server",
        options=SmtpOptions,
        build=build,
    )
