"""Backends `ldap` for tests."""

from __future__ import annotations

from typing import Any

from musterroll import Context, FieldSet, UserBackend
from musterroll_plugins.backends.ldap import LdapOptions, build
from support.ldap_servers import IMPORTER, PASSWORD, SUFFIX, Slapd

PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"


def open_ldap(server: Slapd, *, read_only: bool = False, **options: Any) -> UserBackend:
    """Builds a backend with the options of a pipeline file."""
    context = Context(instance="backend", fields=FieldSet([]), read_only=read_only)
    return build(LdapOptions.model_validate({**slapd_options(server), **options}), context)


def slapd_options(server: Slapd) -> dict[str, Any]:
    """What is needed to work with a server."""
    return {
        "servers": [server.url],
        "security": "none",
        "user": IMPORTER,
        "password": PASSWORD,
        "base": PEOPLE,
        "users": PEOPLE,
        "groups": GROUPS,
        "retries": 1,
    }
