"""What the world's numbering plans say about local telephone numbers, from the metadata of `phonenumbers`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from functools import cached_property

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberType,
    example_number_for_type,
    is_valid_number,
    national_significant_number,
)

_LONGEST_CODE = 3
# What people type before the calling code: nothing or "+", and what is dialled in most countries and in America.
_INTERNATIONAL = ("", "00", "011")
_NO_REGION = "001"  # freephone and satellite codes, which belong to no country


class Fit(IntEnum):
    """How well digits fit a numbering plan."""

    NO = 0
    SHAPE = 1  # the length and the first digits are those of some number
    VALID = 2  # in a range that was assigned when the metadata was made


def is_calling_code(text: str) -> bool:
    """Whether these digits are a calling code, without leading zeros."""
    short = text.isascii() and text.isdigit() and len(text) <= _LONGEST_CODE and text[0] != "0"
    return short and int(text) in COUNTRY_CODE_TO_REGION_CODE


class NumberingPlan:
    """The local numbers of one calling code, in all its regions.

    Args:
        code: one that `is_calling_code` accepts.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        self._regions = COUNTRY_CODE_TO_REGION_CODE[int(code)]
        plans = [PhoneMetadata.metadata_for_region_or_calling_code(int(code), region) for region in self._regions]
        known = [plan for plan in plans if plan is not None]
        general = [plan.general_desc for plan in known if plan.general_desc is not None]
        described = [(one.national_number_pattern, one.possible_length) for one in general]
        shapes = dict.fromkeys(_of_lengths(pattern, lengths) for pattern, lengths in described if pattern)
        self._lengths = sorted({length for pattern, lengths in described if pattern for length in lengths})
        self._shape = "|".join(shapes) or "(?!)"
        # Regions that share a calling code share the trunk prefix with the first, the main one.
        main = known[0] if known else None
        self._trunk = (main.national_prefix or "") if main is not None else ""
        # Where a rule rewrites the number, its pattern takes more than a prefix away.
        rewrites = main is None or main.national_prefix_transform_rule is not None
        pattern = None if rewrites or main is None else main.national_prefix_for_parsing
        self._other_trunks = re.compile(pattern) if pattern and pattern != self._trunk else None

    def fit(self, digits: str) -> Fit:
        """Judges a local number that is digits only."""
        if not self.has_shape(digits):
            return Fit.NO
        return Fit.VALID if is_valid_number(_number(self.code, digits)) else Fit.SHAPE

    def has_shape(self, digits: str) -> bool:
        """Whether `fit` is at least SHAPE; much quicker."""
        return self._matches_shape(digits) is not None

    @cached_property
    def _matches_shape(self) -> Callable[[str], object]:
        return re.compile(self._shape, re.ASCII).fullmatch

    @cached_property
    def certain(self) -> re.Pattern[str]:
        """Matches local numbers that have the shape of one, and do not begin with what `may_have_prefix` looks for."""
        prefixes = "|".join(re.escape(prefix) for prefix in (self.code, self._trunk) if prefix)
        return re.compile(rf"(?!{prefixes})(?:{self._shape})", re.ASCII)

    @cached_property
    def assigned(self) -> re.Pattern[str]:
        """Matches local numbers that are VALID, and not all of them: `is_valid_number` as one pattern."""
        before, regions = "", list[str]()
        for region in self._regions:
            plan = PhoneMetadata.metadata_for_region_or_calling_code(int(self.code), region)
            if plan is None or plan.general_desc is None or not plan.general_desc.national_number_pattern:
                continue
            first = f"(?={plan.leading_digits})" if plan.leading_digits else ""
            kinds = "|".join(_kinds(plan)) or "(?!)"
            general = _of_lengths(plan.general_desc.national_number_pattern, plan.general_desc.possible_length)
            regions.append(rf"{before}{first}(?={general}\Z)(?:{kinds})")
            if plan.leading_digits:  # the library asks no other region then
                before += f"(?!{plan.leading_digits})"
        return re.compile("|".join(regions) or "(?!)", re.ASCII)

    def may_have_prefix(self, digits: str) -> bool:
        """Whether the digits begin as if a calling code or trunk prefix were before the local number."""
        return digits.startswith(self.code) or bool(self._trunk and digits.startswith(self._trunk))

    def without_trunk(self, digits: str) -> Iterator[str]:
        """Yields what is left without what is dialled before the number inside the country only."""
        if self._trunk and digits.startswith(self._trunk):
            yield digits[len(self._trunk) :]
        if self._other_trunks is not None and (match := self._other_trunks.match(digits)) and match.end():
            yield digits[match.end() :]

    def without_code(self, digits: str) -> Iterator[str]:
        """Yields what is left without the calling code, and without a trunk prefix after that."""
        for international in _INTERNATIONAL:
            prefix = international + self.code
            if digits.startswith(prefix):
                rest = digits[len(prefix) :]
                yield rest
                yield from self.without_trunk(rest)

    def longest(self) -> int:
        """Returns the most digits that a local number can have."""
        return max(self._lengths, default=0)

    def shortest(self) -> int:
        """Returns the fewest digits that a local number can have."""
        return min(self._lengths, default=0)

    @cached_property
    def example(self) -> str | None:
        """A local number for messages, a mobile one where there are such."""
        region = self._regions[0]
        number = None if region == _NO_REGION else example_number_for_type(region, PhoneNumberType.MOBILE)
        return None if number is None else national_significant_number(number)


def _of_lengths(pattern: str, lengths: Iterable[int]) -> str:
    """The pattern of texts of these lengths that match a pattern."""
    counts = "|".join(f"[0-9]{{{length}}}" for length in sorted(set(lengths)) if length > 0)
    return rf"(?=(?:{counts or '(?!)'})\Z)(?:{pattern})"


def _kinds(plan: PhoneMetadata) -> Iterator[str]:
    """The patterns of the kinds of numbers that a region has."""
    general = plan.general_desc
    for kind in (
        plan.premium_rate,
        plan.toll_free,
        plan.shared_cost,
        plan.voip,
        plan.personal_number,
        plan.pager,
        plan.uan,
        plan.voicemail,
        plan.fixed_line,
        plan.mobile,
    ):
        if kind is not None and kind.national_number_pattern and general is not None:
            yield _of_lengths(kind.national_number_pattern, kind.possible_length or general.possible_length)


def _number(code: str, digits: str) -> PhoneNumber:
    # The library keeps a number as an integer and its leading zeros beside it.
    zeros = len(digits) - len(digits[:-1].lstrip("0")) - 1
    return PhoneNumber(
        country_code=int(code),
        national_number=int(digits),
        italian_leading_zero=True if zeros else None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
