"""How the portal's misbehaviour is written on the command line."""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator

from musterroll import did_you_mean

TOKEN_VARIABLE = "MUSTERROLL_PORTAL_TOKEN"  # noqa: S105 -- the name of a variable
_AFTER = "-after-commit"
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s)")


class Kind(StrEnum):
    """What goes wrong."""

    TOO_MANY = "429"
    BROKEN = "500"
    UNAVAILABLE = "503"
    TIMEOUT = "timeout"
    RESET = "reset"


class FaultSetting(NamedTuple):
    """One kind of misbehaviour.

    Attributes:
        kind: what goes wrong.
        after_commit: whether the request is carried out before; reading requests then are spared.
        rate: the share of the requests, 0 to 1.
    """

    kind: Kind
    after_commit: bool
    rate: float

    def __str__(self) -> str:
        return f"{self.kind}{_AFTER if self.after_commit else ''}"


def parse_fault(text: object) -> FaultSetting:
    """Reads `KIND:RATE`, e.g. `reset-after-commit:0.01` or `429:5%`.

    Raises:
        ValueError: it is not.
    """
    if isinstance(text, FaultSetting):
        return text
    name, colon, share = str(text).partition(":")
    kinds = [f"{kind}{after}" for kind in Kind for after in ("", _AFTER)]
    if not colon:
        raise ValueError("write KIND:RATE, e.g. 429:0.05")
    if name not in kinds:
        raise ValueError(f'there is no kind "{name}"' + (did_you_mean(name, kinds) or f"; they are {', '.join(Kind)}"))
    try:
        rate = float(share.removesuffix("%")) / (100 if share.endswith("%") else 1)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise ValueError("the rate must be from 0 to 1, e.g. 0.05, or a percentage")
    return FaultSetting(Kind(name.removesuffix(_AFTER)), name.endswith(_AFTER), rate)


def parse_seconds(text: object) -> float:
    """Reads a time, e.g. `50ms` or `1.5s`, in seconds.

    Raises:
        ValueError: it is none.
    """
    if isinstance(text, int | float):
        return float(text)
    found = _TIME.fullmatch(str(text).strip())
    if found is None:
        raise ValueError("write a time with its unit, e.g. 50ms or 1.5s")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


def known_status(status: int) -> int:
    """Lets a status through that HTTP knows as an error.

    Raises:
        ValueError: it is none.
    """
    if status < HTTPStatus.BAD_REQUEST or status not in set(HTTPStatus):
        raise ValueError("should be a status of an error, e.g. 409 or 500")
    return status


def is_loopback(host: str) -> bool:
    """Whether an address is one that only this computer reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


Fault = Annotated[FaultSetting, BeforeValidator(parse_fault)]
Seconds = Annotated[float, BeforeValidator(parse_seconds)]
ErrorStatus = Annotated[int, AfterValidator(known_status)]
