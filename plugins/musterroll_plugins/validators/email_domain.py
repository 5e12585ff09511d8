"""The domains that e-mail addresses may, or may not, belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Self

from pydantic import Field as Default
from pydantic import field_validator, model_validator

from musterroll import (
    Batch,
    Component,
    Context,
    FieldName,
    Guidance,
    Options,
    Problem,
    Row,
    ValidatorType,
    gettext,
    gettext_noop,
    hookimpl,
    nearest,
)
from musterroll_plugins.validators._characters import legible
from musterroll_plugins.validators._fields import is_too_long, listed
from musterroll_plugins.validators.email import Email, EmailOptions

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_ASCII = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NAMED = 5  # a message lists no more domains than these
_NEAR = 0.8  # gmial.com is near gmail.com; acme.com is not acme.example


class EmailDomainOptions(Options):
    """Options of `email-domain`.

    Attributes:
        domains: the only domains that addresses may have; all but the forbidden ones by default.
        forbidden: domains that addresses must not have.
        subdomains: the domains below those named count like them, in both lists.
        field: the field that holds the address.
    """

    domains: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    subdomains: bool = False
    field: FieldName = Default("email", validate_default=False)

    @field_validator("domains", "forbidden")
    @classmethod
    def _are_domains(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name.startswith("*."):
                raise ValueError(f'write "{name[2:]}" and subdomains = true instead of "{name}"')
            if "@" in name:
                raise ValueError(f'write what comes after the "@" only, instead of "{name}"')
            if ascii_domain(name) is None:
                raise ValueError(f'"{name}" is not the name of a domain, e.g. acme.example')
        return names

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.domains and not self.forbidden:
            raise ValueError('name the domains, e.g. domains = ["acme.example"], or those that are forbidden')
        both = {ascii_domain(name) for name in self.domains} & {ascii_domain(name) for name in self.forbidden}
        if both:
            raise ValueError(f"{', '.join(sorted(filter(None, both)))} cannot be both allowed and forbidden")
        return self


def ascii_domain(name: str) -> str | None:
    """Returns a domain as it goes over the network (`xn--mller-kva.example`); None for what is no domain."""
    name = name.strip().lower()
    if not name.isascii():
        import idna  # noqa: PLC0415 -- its tables are large, and such domains are rare

        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except UnicodeError:
            return None
    return name if _ASCII.fullmatch(name) else None


class EmailDomain:
    """`email.domain`: the address is good, but of a domain that it must not have."""

    def __init__(self, options: EmailDomainOptions, context: Context) -> None:
        self._options, self._context = options, context
        self._field = options.field
        self._allowed = {ascii_domain(name): name for name in options.domains}
        self._forbidden = {ascii_domain(name): name for name in options.forbidden}
        self._is_address = Email(EmailOptions(), context).is_valid
        self._may_have = lru_cache(maxsize=65536)(self._judge)

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields at most one problem; of what is no address, `email` says so."""
        text = legible(row.value(self._field).text)
        local, _, domain = text.rpartition("@")
        if not text or self._may_have(domain):
            return
        if is_too_long(self._context, self._field, text) or not self._is_address(text):
            return
        yield row.problem(
            self._field,
            "email.domain",
            self._message(domain),
            suggestion=self._near(local, domain),
            domain=domain,
            allowed=listed(self._allowed.values(), _NAMED),
        )

    def suspects(self, batch: Batch) -> list[int]:
        """Suspects what is not plain ASCII, or at a domain that it may not have."""
        domains = [text.rpartition("@")[2] if text else None for text in batch.texts(self._field)]
        bad = {one for one in set(domains) if one is not None and not (one.isascii() and self._may_have(one))}
        texts = zip(batch.texts(self._field), domains, strict=True)
        return [
            place
            for place, (text, domain) in enumerate(texts)
            if domain in bad or not (text.isascii() and text.isprintable())
        ]

    def guidance(self, name: str) -> Guidance | None:
        """Names the domains that are allowed; those that are forbidden are nobody's first thought."""
        if name != self._field or not self._allowed:
            return None
        text = gettext("An address at {domains}.", domains=listed(self._allowed.values(), _NAMED))
        return Guidance(text=text, problem="email.domain")

    def _judge(self, domain: str) -> bool:
        name = ascii_domain(domain)
        if name is None or self._listed(name, self._forbidden):
            return False
        return not self._allowed or self._listed(name, self._allowed) is not None

    def _listed(self, name: str, domains: dict[str | None, str]) -> str | None:
        """Returns the domain in the list that this one is, or is below."""
        if name in domains or not self._options.subdomains:
            return domains.get(name)
        above = name
        while above:
            _, _, above = above.partition(".")
            if above in domains:
                return domains[above]
        return None

    def _message(self, domain: str) -> str:
        if not self._allowed or self._listed(ascii_domain(domain) or "", self._forbidden):
            return gettext_noop("{heading} must not be an address at {domain}; give another one")
        if len(self._allowed) == 1:
            below = gettext_noop("{heading} must be an address at {allowed}, or below it")
            return below if self._options.subdomains else gettext_noop("{heading} must be an address at {allowed}")
        below = gettext_noop("{heading} must be an address at one of {allowed}, or below one of them")
        return below if self._options.subdomains else gettext_noop("{heading} must be an address at one of {allowed}")

    def _near(self, local: str, domain: str) -> str | None:
        if any(domain.lower().endswith(f".{name.lower()}") for name in self._allowed.values()):
            return None  # a name below it is no slip of the pen
        found = nearest(domain, self._allowed.values(), cutoff=_NEAR)
        return f"{local}@{found}" if found else None


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(
        name="email-domain",
        summary="Addresses must be in one of these domains",
        options=EmailDomainOptions,
        build=EmailDomain,
    )
