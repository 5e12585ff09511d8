"""What each part costs that is missing from the description of a portal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from musterroll_plugins.backends.rest.templates import PASSWORD

if TYPE_CHECKING:
    from musterroll_plugins.backends.rest.options import RestPortalOptions


def remarks_on(options: RestPortalOptions) -> Iterator[str]:
    """Says what a portal cannot do as it is described, and for want of what."""
    users, groups, create = options.users, options.groups, options.users.create
    joint = "phone" in users.fields and "calling_code" not in users.fields
    stored = [name for name, path in users.fields.items() if path]
    fields = ", ".join(["a username", *stored, *(["calling_code"] if joint else [])])
    ignored = ", ".join(name for name, path in users.fields.items() if not path)
    passed_over = f"; {ignored} are passed over" if ignored else ""
    yield f"users have {fields}, and no other fields{passed_over} (users.fields)"
    for is_missing, text in (
        (create is None, "cannot create users (users.create)"),
        (
            create is not None and PASSWORD not in create.names,
            "cannot set the password of a new user ({password} in users.create.body)",
        ),
        (users.update is None, "cannot change users (users.update)"),
        (users.update is not None and not users.rename, "cannot rename users (users.rename)"),
        (users.set_password is None, "cannot reset passwords (users.set_password)"),
        (users.deactivate is None, "cannot deactivate users (users.activate, users.deactivate, users.active)"),
        (users.delete is None, "cannot delete users (users.delete)"),
        (users.invite is None, "cannot invite users by itself (users.invite)"),
        (users.get is None, "has to show all users to show one (users.get)"),
        (users.find is None, "has to show all users where it is in doubt whether one was created (users.find)"),
        (not users.key, "does not keep who created a user (users.key): in doubt that is judged by the user's looks"),
    ):
        if is_missing:
            yield text
    if groups.all is None:
        yield "has no groups (groups.all)"
        return
    for is_missing, text in (
        (groups.create is None, "cannot create groups (groups.create)"),
        (not options.nests, "has no groups inside groups (groups.create_inside, or groups.separator)"),
        (groups.add is None, "cannot add members to groups (groups.add)"),
        (groups.remove is None, "cannot take members out of groups (groups.remove)"),
        (groups.delete is None, "cannot delete groups (groups.delete)"),
    ):
        if is_missing:
            yield text
