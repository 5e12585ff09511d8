"""What a directory's refusals mean, in sentences; and which of them mean that the line is lost."""

from __future__ import annotations

import re
from collections.abc import Iterable

import ldap

from musterroll import BackendError, Secret, Status
from musterroll_http import masked

LOST = (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.TIMEOUT)
"""The line is gone, or nobody answers: what was asked for may have been done or not."""

BUSY = (ldap.BUSY, ldap.UNAVAILABLE, ldap.ADMINLIMIT_EXCEEDED, ldap.TIMELIMIT_EXCEEDED)
"""The server says that it did not do it now."""

_LONGEST = 300
_GENERAL: dict[type[ldap.LDAPError], str] = {
    ldap.INSUFFICIENT_ACCESS: "the account that musterroll signs in as may not do this",
    ldap.UNDEFINED_TYPE: "the directory's schema does not have an attribute",
    ldap.OBJECT_CLASS_VIOLATION: "it does not fit the object classes",
    ldap.INVALID_SYNTAX: "the directory does not take a value",
    ldap.INVALID_DN_SYNTAX: "the directory does not take the entry's name",
    ldap.NAMING_VIOLATION: "the entry cannot have this name",
    ldap.CONSTRAINT_VIOLATION: "the directory does not take a value",
    ldap.NO_SUCH_OBJECT: "the entry, or the one above it, is not there",
    ldap.UNWILLING_TO_PERFORM: "the directory does not do this",
    ldap.REFERRAL: "this server is only a copy; name the one that takes changes in the option servers",
    ldap.CONFIDENTIALITY_REQUIRED: 'the server wants an encrypted line; set security to "tls"',
    ldap.STRONG_AUTH_REQUIRED: 'the server wants an encrypted line; set security to "tls"',
    ldap.SIZELIMIT_EXCEEDED: "the server shows this account only a part of its entries; have the limit lifted for it",
}


def said(error: ldap.LDAPError) -> str:
    """Returns what the server itself says, in one line; empty where it says nothing."""
    about = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    text = about.get("info") or about.get("desc") or ""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:_LONGEST]


def described(error: ldap.LDAPError) -> str:
    """Says what a refusal means, with the server's own words behind it."""
    what, words = _GENERAL.get(type(error), "the directory refused it"), said(error)
    return f"{what} ({words})" if words else what


def hidden(text: str, secrets: Iterable[Secret | None]) -> str:
    """Takes passwords out of what a server says."""
    return masked(text, [secret.reveal() for secret in secrets if secret is not None])


def status_of(error: ldap.LDAPError) -> Status:
    """Whether a refused request is worth being tried again."""
    return Status.NOT_DONE if isinstance(error, BUSY) else Status.FAILED


def cannot(doing: str, error: ldap.LDAPError) -> BackendError:
    """Makes the error of a directory that cannot be worked with.

    Args:
        doing: what cannot be done, e.g. `read its users`.
        error: why.
    """
    return BackendError(f"the directory cannot {doing}: {described(error)}")


_CODE = re.compile(r"\b([0-9A-Fa-f]{8}):")
_SIGN_IN = re.compile(r"\bdata ([0-9a-fA-F]+)\b")


def windows_code(error: ldap.LDAPError) -> str:
    """Returns the code at the beginning of what Active Directory says, as `0000052D`."""
    found = _CODE.search(said(error))
    return found[1].upper() if found else ""


def sign_in_code(error: ldap.LDAPError) -> str:
    """Returns the code by which Active Directory says why it lets nobody in, as `52e`."""
    found = _SIGN_IN.search(said(error))
    return found[1].lower() if found else ""
