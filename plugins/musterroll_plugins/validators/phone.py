"""Telephone numbers: a calling code, and the local part apart from it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field as Default

from musterroll import Context, Options, Origin, Problem, Row, Severity, ValidatorType, Value, hookimpl
from musterroll_plugins.validators._characters import legible
from musterroll_plugins.validators._fields import FieldName, heading, is_too_long

if TYPE_CHECKING:
    from musterroll_plugins.validators._numbering import NumberingPlan

# What people set digits apart with, and the invisible marks that address books put around a number.
_FORMATTING = re.compile(r"[\s().\-/‐‑‒–—−·\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+")


class PhoneOptions(Options):
    """Options of `phone`.

    Attributes:
        phone: the field of the local part.
        calling_code: the field of the country's telephone code.
        strict: accept only ranges that are known to be assigned. Without it a number counts when its length
            and first digits are possible, so that ranges newer than this program, or kept for examples, do
            not stop an import.
    """

    phone: FieldName = Default("phone", validate_default=False)
    calling_code: FieldName = Default("calling_code", validate_default=False)
    strict: bool = False


class Phone:
    """The codes `calling_code.*` and `phone.*`; at most one for each of the two fields."""

    def __init__(self, options: PhoneOptions, context: Context) -> None:
        from musterroll_plugins.validators import _numbering  # noqa: PLC0415 -- the metadata is heavy

        self._numbering, self._context, self._strict = _numbering, context, options.strict
        self._phone, self._code = options.phone, options.calling_code
        self._phone_heading, self._code_heading = (
            heading(context, options.phone),
            heading(context, options.calling_code),
        )
        spec = context.fields.get(options.calling_code)
        default = spec.default if spec is not None else None
        self._default_code = default if isinstance(default, str) else ""
        self._plans: dict[str, NumberingPlan | None] = {}

    def check(self, row: Row) -> Iterable[Problem]:
        """Yields the problems of the two fields."""
        phone, code = _readable(row.value(self._phone)), _readable(row.value(self._code))
        if not phone.text:
            return self._check_code_alone(row, phone, code)
        text = code.text or self._default_code
        if not text:
            return self._check_without_code(row, phone, code)
        plan = self._plan(text)
        if plan is None:
            return self._invalid_code(row, text)
        digits = phone.text
        # The usual case, in a microsecond or two: nothing needs a closer look.
        if not self._strict and plan.has_shape(digits) and not plan.may_have_prefix(digits):
            return ()
        if is_too_long(self._context, self._phone, digits):
            return ()
        return self._check_number(row, digits, plan)

    def _plan(self, code: str) -> NumberingPlan | None:
        if code not in self._plans:
            known = self._numbering.is_calling_code(code)
            self._plans[code] = self._numbering.NumberingPlan(code) if known else None
        return self._plans[code]

    def _check_code_alone(self, row: Row, phone: Value, code: Value) -> Iterator[Problem]:
        if phone.is_blank and code.origin is Origin.CELL:
            message = (
                f"{self._code_heading} is filled in but {self._phone_heading} is empty; "
                f"fill in {self._phone_heading} or empty {self._code_heading}"
            )
            yield row.problem(self._code, "calling_code.unexpected", message)
        elif not phone.is_blank and code.text and self._plan(code.text) is None:
            yield from self._invalid_code(row, code.text)

    def _check_without_code(self, row: Row, phone: Value, code: Value) -> Iterator[Problem]:
        if code.is_blank:
            message = f"{self._code_heading} is missing although there is a phone number; fill it in, e.g. 44"
            yield row.problem(self._code, "calling_code.required", message, suggestion=self._code_in(phone.text))
        if _digits(phone.text.removeprefix("+")) is None and not is_too_long(self._context, self._phone, phone.text):
            yield self._invalid(row, f"{self._phone_heading} must be digits only")

    def _code_in(self, phone: str) -> str | None:
        """Returns the calling code that an international number begins with."""
        digits = _digits(phone.removeprefix("+")) or ""
        if not phone.startswith("+"):
            digits = digits[2:] if digits.startswith("00") else ""
        for length in (1, 2, 3):  # no code is the beginning of another
            plan = self._plan(digits[:length])
            if plan is not None and plan.has_shape(digits[length:]):
                return plan.code
        return None

    def _invalid_code(self, row: Row, text: str) -> Iterator[Problem]:
        if is_too_long(self._context, self._code, text):
            return
        digits = (_digits(text.removeprefix("+")) or "").lstrip("0")
        suggestion = digits if digits and digits != text and self._plan(digits) is not None else None
        if text.isascii() and text.isdigit() and suggestion is None:
            message = f"{self._code_heading} is not the telephone code of a country; correct it, e.g. 44"
        else:
            message = f"{self._code_heading} must be the digits of the country's telephone code only, e.g. 44"
        yield row.problem(self._code, "calling_code.invalid", message, suggestion=suggestion)

    def _check_number(self, row: Row, text: str, plan: NumberingPlan) -> Iterator[Problem]:
        digits = _digits(text.removeprefix("+"))
        if digits is None:
            yield self._invalid(row, f"{self._phone_heading} must be digits only")
            return
        fits = self._numbering.Fit
        need = fits.VALID if self._strict else fits.SHAPE
        whole = fits.NO if text.startswith("+") else plan.fit(digits)
        # What is left without a prefix must fit better than the whole: local numbers may begin with any digits.
        better = fits(min(max(need, whole + 1), fits.VALID)) if whole < fits.VALID else None
        local = self._first(plan, plan.without_code(digits), better)
        if local is not None:
            message = f"{self._phone_heading} repeats the calling code {plan.code}; leave it out"
            yield row.problem(self._phone, "phone.includes_calling_code", message, suggestion=local)
            return
        local = self._first(plan, plan.without_trunk(digits), better)
        if digits != text:
            corrected = local or (digits if whole >= need else None)
            wrong = 'and no "+"' if text.startswith("+") else "without spaces or signs"
            message = f"{self._phone_heading} must be the digits of the local part only, {wrong}"
            yield self._invalid(row, message, suggestion=corrected)
        elif local is not None:
            prefix = digits[: len(digits) - len(local)]
            message = (
                f'{self._phone_heading} begins with "{prefix}", which is dialled inside the country only; leave it out'
            )
            yield row.problem(
                self._phone,
                "phone.trunk_prefix",
                message,
                severity=Severity.WARNING,
                suggestion=local,
            )
        elif whole < need:
            yield self._invalid(row, self._misfit(digits, plan))

    def _first(self, plan: NumberingPlan, candidates: Iterable[str], better: int | None) -> str | None:
        if better is None:
            return None
        valid = self._numbering.Fit.VALID
        for candidate in candidates:
            if plan.fit(candidate) is valid if better == valid else plan.has_shape(candidate):
                return candidate
        return None

    def _misfit(self, digits: str, plan: NumberingPlan) -> str:
        if len(digits) < plan.shortest():
            what = f"{self._phone_heading} is too short for calling code {plan.code}"
        elif len(digits) > plan.longest():
            what = f"{self._phone_heading} is too long for calling code {plan.code}"
        else:
            what = f"{self._phone_heading} cannot be a number of calling code {plan.code}"
        example = f", e.g. {plan.example}" if plan.example else ""
        return f"{what}; correct it and give the local part only{example}"

    def _invalid(self, row: Row, message: str, suggestion: str | None = None) -> Problem:
        return row.problem(self._phone, "phone.invalid", message, suggestion=suggestion)


def _readable(value: Value) -> Value:
    text = legible(value.text)
    return value if text is value.text else value._replace(text=text)


def _digits(text: str) -> str | None:
    """Returns the digits of a number without formatting, in ASCII; None where other characters are in it."""
    digits = "".join(str(unicodedata.digit(c, c)) for c in _FORMATTING.sub("", text))
    return digits if digits.isascii() and digits.isdigit() else None


@hookimpl
def musterroll_validators() -> Iterator[ValidatorType[Any]]:
    """Announces the validator."""
    yield ValidatorType(
        name="phone", summary="Phone numbers must fit their calling code", options=PhoneOptions, build=Phone
    )
