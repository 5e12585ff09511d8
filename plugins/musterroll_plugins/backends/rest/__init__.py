"""The backend `rest`: a portal with a REST API that is described in the pipeline file, without code."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from musterroll import BackendError, Context, UserBackend, UserBackendType, hookimpl
from musterroll_plugins.backends.rest.options import RestPortalOptions

__all__ = ["RestPortalOptions", "build", "musterroll_user_backends"]


def build(options: RestPortalOptions, context: Context) -> UserBackend:
    """Gets ready; the portal is asked when something is wanted of it.

    Raises:
        BackendError: the extra is not installed, or a file, an address, a token or a header cannot be used.
        PipelineError: a secret cannot be read.
    """
    if find_spec("aiohttp") is None:
        raise BackendError('the backend "rest" needs aiohttp: pip install "musterroll[rest]"', code="extra.missing")
    from musterroll_plugins.backends.rest.backend import RestPortal  # noqa: PLC0415 -- quick start-up

    return RestPortal(options, context)


@hookimpl
def musterroll_user_backends() -> Iterator[UserBackendType[RestPortalOptions]]:
    """Announces the backend."""
    yield UserBackendType(
        name="rest",
        summary="A portal with a REST API, described in the pipeline file",
        options=RestPortalOptions,
        build=build,
    )
