"""The backend `ldap`: users and groups of a directory, OpenLDAP and its like or Active Directory."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from musterroll import BackendError, Context, UserBackend, UserBackendType, hookimpl
from musterroll_plugins.backends.ldap.options import LdapOptions

__all__ = ["LdapOptions", "build", "musterroll_user_backends"]


def build(options: LdapOptions, context: Context) -> UserBackend:
    """Gets ready; the directory is asked when something is wanted of it.

    Raises:
        BackendError: the extra is not installed, or the certificate file cannot be read.
        PipelineError: the password cannot be read.
    """
    if find_spec("ldap") is None:
        raise BackendError(
            'the backend "ldap" needs python-ldap: pip install "musterroll[ldap]" '
            "(it is compiled: first the packages libldap-dev and libsasl2-dev, or what they are called here)",
            code="extra.missing",
        )
    from musterroll_plugins.backends.ldap.backend import LdapBackend  # noqa: PLC0415 -- quick start-up

    return LdapBackend(options, context)


@hookimpl
def musterroll_user_backends() -> Iterator[UserBackendType[LdapOptions]]:
    """Announces the backend."""
    yield UserBackendType(
        name="ldap",
        summary="A directory: OpenLDAP and its like, or Active Directory",
        options=LdapOptions,
        build=build,
    )
