"""E-mail addresses: whether one could be delivered to, judged by its form alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache, lru_cache

from pydantic import Field as Default

from musterroll import (
    Batch,
    Component,
    Context,
    FieldName,
    FieldType,
    Guidance,
    Options,
    Problem,
    Row,
    Severity,
    ValidatorType,
    gettext,
    hookimpl,
    language,
)
from musterroll_plugins.validators._characters import legible, unquoted
from musterroll_plugins.validators._fields import is_too_long
from musterroll_plugins.validators._mail_domains import is_top_domain, meant_domain

# The library's rule for an unquoted ASCII local part (RFC 5322 dot-atom), and its limit for an address.
_ATOM = r"[A-Za-z0-9_!#$%&'*+\-/=?^`{|}~]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# Lines that are such addresses, or blank: their domains.
_DOMAINS = re.compile(rf"\n(?:{_ATOM}(?:\.{_ATOM})*@([A-Za-z0-9.\-]+))?$", re.MULTILINE)
_MOST_BYTES = 254
_KNOWN = 1 << 16  # so many domains are known without another look
# Domains of which it has nothing to say: it takes a fiftieth of a second to load.
_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"
_USUAL_DOMAIN = re.compile(
    rf"(?!.{{200}})(?:{_LABEL}\.)+(?:com|edu|net|org|example|[a-z]{{2}})", re.ASCII | re.IGNORECASE
)
# Addresses in private networks and rehearsals are in use, but the library knows public mail only. It sees
# such a domain under a public ending of the same length, so that everything else about it is still judged.
_PRIVATE = re.compile(r"\.(?:(test)|local)\Z", re.IGNORECASE)

_BETWEEN_ANGLES = re.compile(r"[^<>@]*<([^<>]+)>")
_MAILTO = re.compile(r"\s*mailto:\s*", re.IGNORECASE)
# Only where the domain has no dot yet: elsewhere a comma may come between two things.
_COMMA_FOR_DOT = re.compile(r"@([\w-]+),(?=([\w.-]+)\Z)")
_AROUND_AT, _AROUND_DOT, _DOTS = re.compile(r"\s*@\s*"), re.compile(r"\s*\.\s*"), re.compile(r"\.{2,}")


class EmailOptions(Options):
    """Options of `email`.

    Attributes:
        field: the field that holds the address. Where it is not said, the fields of `type = "email"` are looked at as
            well.
    """

    field: FieldName = Default("email", validate_default=False)


class Email:
    """`email.invalid`: what is there cannot be an e-mail address. Internationalised ones are allowed.

    `email.misspelt_domain`: it can be one, but its domain is a large provider's, misspelt.
    """

    def __init__(self, options: EmailOptions, context: Context) -> None:
        self._context, self._fields = context, [options.field]
        if "field" not in options.model_fields_set:
            self._fields += context.fields.of_type(FieldType.EMAIL)
        # Thousands of addresses share a few domains, and the domain is what costs.
        self._domain_is_valid = lru_cache(maxsize=_KNOWN)(_domain_is_valid)
        self._meant_domain = lru_cache(maxsize=_KNOWN)(meant_domain)
        self._good = {""}  # domains of which nothing is to be said, and what a blank cell has

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields at most one problem for each field."""
        for name in self._fields:
            if text := legible(row.value(name).text):
                yield from self._check(row, name, text)

    def _check(self, row: Row, name: str, text: str) -> Iterator[Problem]:
        if self.is_valid(text):
            local, _, domain = text.rpartition("@")
            if (meant := self._meant_domain(domain)) is not None:
                yield row.problem(
                    name,
                    "email.misspelt_domain",
                    "{heading} is at {domain}, which is probably meant to be {meant}; check it",
                    severity=Severity.WARNING,
                    suggestion=f"{local}@{meant}",
                    domain=domain,
                    meant=meant,
                )
            return
        if is_too_long(self._context, name, text):
            return
        suggestion, is_certain = self._suggestion(text)
        yield row.problem(
            name,
            "email.invalid",
            "{heading} is not a valid address: {reason}",
            suggestion=suggestion,
            safe=is_certain and text == row[name],  # else the characters come first
            reason=self._reason(text),
        )

    def suspects(self, batch: Batch) -> Collection[int]:
        """Suspects what is no plain ASCII address at a good domain."""
        return {place for name in self._fields for place in self._suspects(batch, name)}

    def _suspects(self, batch: Batch, name: str) -> list[int]:
        texts, joined = batch.texts(name), batch.joined(name)
        domains: list[str | None] = _DOMAINS.findall(joined)
        are_lines = joined.count("\n") == len(texts) and max(map(len, texts), default=0) <= _MOST_BYTES
        if not are_lines:
            domains = [_domain_of(text) for text in texts]
        elif len(domains) != len(texts):
            domains = [None if other else domain for domain, other in _lines().findall(joined)]
        if new := set(domains).difference(self._good):
            if len(self._good) > _KNOWN:
                self._good, new = {""}, set(domains)
            self._good.update(domain for domain in new if domain is not None and self._is_plain(domain))
        good = self._good
        return [] if good.issuperset(new) else [place for place, domain in enumerate(domains) if domain not in good]

    def guidance(self, name: str) -> Guidance | None:
        """Says what every address has."""
        if name not in self._fields:
            return None
        return Guidance(text=gettext("One address, with an @ in it."), problem="email.invalid", contains="@")

    def _is_plain(self, domain: str) -> bool:
        if not domain:
            return True  # of a blank cell
        is_valid = "xn--" not in domain.lower() and self._domain_is_valid(domain)
        return is_valid and self._meant_domain(domain) is None

    def is_valid(self, text: str) -> bool:
        """Whether the address is valid; the same verdict as the library's, sooner."""
        local, at, domain = text.partition("@")
        if not at:
            return False
        # A domain in punycode is measured in its readable form too, so its length matters together with the rest.
        if text.isascii() and _LOCAL.fullmatch(local) and "xn--" not in domain.lower():
            return len(text) <= _MOST_BYTES and self._domain_is_valid(domain)
        return _fault(text) is None

    def _reason(self, text: str) -> str:
        local, at, domain = text.partition("@")
        if not at:
            return gettext('there is no "@" in it')
        if "@" in domain:
            return gettext('it has more than one "@"; give one address only')
        if any(character.isspace() for character in text):
            return gettext("it has a space in it")
        if not local:
            return gettext('there is nothing before the "@"')
        if not domain:
            return gettext('there is nothing after the "@"')
        if "." not in domain:
            return gettext('the part after the "@" is not complete, e.g. example.com')
        return self._library_reason(text)

    def _library_reason(self, text: str) -> str:
        fault = _fault(text) or ""
        # Of some names the library says what is wrong in the terms of standards that nobody need know.
        if not fault or any(word in fault for word in ("IDNA", "odepoint", "Punycode", "U+")):
            return gettext('the part after the "@" is not the name of a domain')
        if language() != "en":  # the library has no other, and it need not be understood
            return gettext("it has something that an address cannot have")
        return (fault[0].lower() + fault[1:]).rstrip(".")

    def _suggestion(self, text: str) -> tuple[str | None, bool]:
        """Returns what may have been meant, and whether nothing else can have been."""
        if len(text) > 2 * _MOST_BYTES:  # no slip of the hand, and the patterns would take their time
            return None, False
        certain = unquoted(text.replace("＠", "@"))
        if angles := _BETWEEN_ANGLES.fullmatch(certain):
            certain = angles[1]
        certain = _AROUND_AT.sub("@", _MAILTO.sub("", certain, count=1)).strip().rstrip(".,;")
        comma = _COMMA_FOR_DOT.search(certain)
        if comma is not None and is_top_domain(comma[2].rpartition(".")[2]):
            certain = _COMMA_FOR_DOT.sub(r"@\1.", certain)
        guess = _COMMA_FOR_DOT.sub(r"@\1.", _DOTS.sub(".", _AROUND_DOT.sub(".", certain)))
        for repaired in (certain, guess):
            if repaired != text and self.is_valid(repaired):
                return repaired, repaired == certain
        return None, False


def _domain_is_valid(domain: str) -> bool:
    return _USUAL_DOMAIN.fullmatch(domain) is not None or _fault("a@" + domain) is None


def _fault(text: str) -> str | None:
    """What the library says against an address."""
    from email_validator import validate_email  # noqa: PLC0415 -- only where an address is no usual one

    try:
        validate_email(_PRIVATE.sub(_public, text), check_deliverability=False)
    except ValueError as error:  # the library's own errors, and encodings that fail inside it
        return str(error)
    return None


@cache  # a sheet of good addresses needs none of it
def _lines() -> re.Pattern[str]:
    """Lines that are plain addresses, or blank, with their domains; and the others, whole."""
    return re.compile(rf"\n(?:(?:{_ATOM}(?:\.{_ATOM})*@([A-Za-z0-9.\-]+))?$|(.+))", re.MULTILINE)


def _domain_of(text: str) -> str | None:
    """The domain of a plain address; None of anything else."""
    found = _DOMAINS.fullmatch(f"\n{text}") if len(text) <= _MOST_BYTES else None
    return None if found is None else found[1] or ""


def _public(ending: re.Match[str]) -> str:
    return ".info" if ending.group(1) else ".email"


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(name="email", summary="E-mail addresses must be valid", options=EmailOptions, build=Email)
