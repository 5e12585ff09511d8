"""The backend `scim`: any portal that speaks SCIM 2.0 (RFC 7643, RFC 7644)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from musterroll import BackendError, Component, Context, UserBackend, UserBackendType, hookimpl
from musterroll_plugins.backends.scim.options import ScimOptions

__all__ = ["ScimOptions", "build", "musterroll_user_backends"]


def build(options: ScimOptions, context: Context) -> UserBackend:
    """Gets ready; the portal is asked when something is wanted of it.

    Raises:
        BackendError: the extra is not installed, or the certificate file cannot be read.
        PipelineError: a secret cannot be read.
    """
    if find_spec("aiohttp") is None:
        raise BackendError('the backend "scim" needs aiohttp: pip install "musterroll[scim]"', code="extra.missing")
    from musterroll_plugins.backends.scim.backend import ScimBackend  # noqa: PLC0415 -- quick start-up

    return ScimBackend(options, context)


@hookimpl
def musterroll_user_backends() -> Iterator[Component]:
    """Announces the backend."""
    yield UserBackendType(
        name="scim",
        summary="Any portal that speaks SCIM 2.0",
        options=ScimOptions,
        build=build,
    )
