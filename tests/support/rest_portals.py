"""Portals for `use = "rest"`: the mini portal described, and backends on any of them."""

from __future__ import annotations

import tomllib
from typing import Any

from musterroll import Field, UserBackend
from musterroll.testing import build_backend, make_context
from musterroll_plugins.backends import rest

MINI = """
[users]
username = "username"
active = "enabled"
groups = "groups"
key = "attributes.musterroll"
get = "GET /users/{user}"
delete = "DELETE /users/{user}"
update = "PUT /users/{user}"
activate = { request = "PUT /users/{user}", body = { enabled = true } }
deactivate = { request = "PUT /users/{user}", body = { enabled = false } }
set_password = { request = "PUT /users/{user}", body = { password = "{password}" } }
find = { request = "GET /search?field=username&value={value}" }
all = { request = "GET /users", by = "offset", size = 500, size_param = "max", start_param = "first" }

[users.create]
request = "POST /users"
body = { password = "{password}" }

[users.fields]
email = "email"
forename = "firstName"
surname = "lastName"
department = "attributes.department"
calling_code = "attributes.calling_code"
phone = "attributes.phone"

[groups]
parent = "parent"
key = "key"
all = { request = "GET /groups", by = "offset", size_param = "max", start_param = "first" }
add = "PUT /groups/{group}/members/{user}"
remove = "DELETE /groups/{group}/members/{user}"
delete = "DELETE /groups/{group}"

[groups.create]
request = "POST /groups"
body = { name = "{name}", parent = "{parent}", key = "{key}" }
"""


def open_rest(url: str, *, read_only: bool = False, **options: Any) -> UserBackend:
    """Builds a backend with the options of a pipeline file."""
    context = make_context(Field(name="department", heading="Department"), read_only=read_only)
    return build_backend(rest, "rest", context, url=url, **options)


def open_mini(url: str, *, read_only: bool = False, **options: Any) -> UserBackend:
    """Builds a backend on the mini portal."""
    return open_rest(url, read_only=read_only, matching="case", **{**tomllib.loads(MINI), **options})
