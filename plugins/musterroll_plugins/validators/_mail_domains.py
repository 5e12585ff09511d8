"""Domains of the large mail providers, and slips of the pen in them: gmial.com, hotmail.con."""

from __future__ import annotations

from musterroll import is_one_slip

# The providers whose names are long enough that one slip of the pen does not make another real name.
_PROVIDERS = {
    "gmail": "com",
    "googlemail": "com",
    "hotmail": "com co.uk de fr it es nl be ch at ca gr se no dk fi com.br com.ar com.mx com.tr co.jp",
    "outlook": "com de fr it es at be dk ie pt cz hu sk com.br com.ar com.au co.uk jp",
    "yahoo": "com co.uk de fr it es nl be ch at ca gr se no dk ie pl ro in co.in co.jp co.id com.br com.mx com.au",
    "icloud": "com",
    "protonmail": "com ch",
    "fastmail": "com fm",
    "rocketmail": "com",
    "rediffmail": "com",
    "btinternet": "com",
    "comcast": "net",
    "bellsouth": "net",
    "sbcglobal": "net",
    "t-online": "de",
    "wanadoo": "fr",
}
_REAL = frozenset({"grail"})  # one slip away, and somebody's own
# Endings that are typed for others; no mail provider above has an address there.
_MISTYPED = {
    "com": "con cim cmo cm co om comm coom ccom vom xom cpm ocm clm dom cok c0m",
    "net": "ent nte nett bet met ne",
}
_ENDINGS = {wrong: right for right, wrongs in _MISTYPED.items() for wrong in wrongs.split()}
_DOMAINS = {name: frozenset(endings.split()) for name, endings in _PROVIDERS.items()}


def meant_domain(domain: str) -> str | None:
    """Returns the domain that a misspelt one seems to be; None for any that may be real."""
    name, _, ending = domain.lower().partition(".")
    if name in _REAL or ending in _DOMAINS.get(name, ()):
        return None
    if name in _DOMAINS:
        corrected = _ENDINGS.get(ending)
        return f"{name}.{corrected}" if corrected in _DOMAINS[name] else None
    corrected = _ENDINGS.get(ending, ending)
    for provider, endings in _DOMAINS.items():
        # The first letter is seldom wrong, and mail.com, ymail.com, email.com and cloud.com are real.
        begins_alike = name[:1] == provider[0] or name[:2] == provider[1::-1]
        right = ending if ending in endings else corrected
        if begins_alike and right in endings and is_one_slip(name, provider):
            return f"{provider}.{right}"
    return None
