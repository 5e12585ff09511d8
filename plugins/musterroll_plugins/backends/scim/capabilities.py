"""What the portal says that it can do, and what the options add to that or take from it."""

from __future__ import annotations

from musterroll import Capabilities, Matching
from musterroll_plugins.backends.scim.discovery import ServiceProvider
from musterroll_plugins.backends.scim.mapping import ScimMapping
from musterroll_plugins.backends.scim.options import ScimOptions


def capabilities(options: ScimOptions, portal: ServiceProvider, mapping: ScimMapping) -> Capabilities:
    """Returns what can be done with a portal; one that publishes no schemas is taken to be able to do everything."""
    name, password = portal.user_attribute("userName"), portal.user_attribute("password")
    active = portal.user_attribute("active")
    published = name is not None
    matching = Matching.CASE if name is not None and not name.case_exact else Matching.EXACT
    takes_passwords = not published or (password is not None and password.writable)
    return Capabilities(
        groups=portal.has_groups,
        nested_groups=options.nesting != "none",
        passwords=takes_passwords,
        reset_passwords=takes_passwords and can_reset_passwords(options, portal),
        deactivate=not published or (active is not None and active.writable),
        delete=True,
        rename=name is None or name.mutability.lower() == "readwrite",
        stores_key=mapping.keeps_keys,
        unique_email=is_email_unique(options, portal),
        matching=Matching(options.matching) if options.matching else matching,
        fields=mapping.fields,
    )


def can_reset_passwords(options: ScimOptions, portal: ServiceProvider) -> bool:
    """Whether the password of an existing user can be set. What is not sent cannot be called done."""
    password = portal.user_attribute("password")
    changeable = password is None or password.mutability.lower() != "immutable"
    return portal.change_password and changeable and "password" not in options.leave_out


def is_email_unique(options: ScimOptions, portal: ServiceProvider) -> bool:
    """Whether an address may belong to one user only."""
    if options.unique_email is not None:
        return options.unique_email
    emails = portal.user_attribute("emails")
    value = emails.subs.get("value") if emails is not None else None
    return any(one is not None and one.uniqueness.lower() in ("server", "global") for one in (emails, value))
