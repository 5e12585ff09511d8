"""Telephone numbers: a calling code, and the local part apart from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from operator import call
from typing import TYPE_CHECKING, Any

from pydantic import Field as Default

from musterroll import (
    Batch,
    Component,
    Context,
    FieldName,
    FieldType,
    Guidance,
    Options,
    Origin,
    Problem,
    Row,
    Severity,
    ValidatorType,
    Value,
    calling_code_of,
    gettext,
    hookimpl,
    one_number,
    split_whole,
)
from musterroll_plugins.validators._characters import legible, unquoted
from musterroll_plugins.validators._fields import is_too_long

if TYPE_CHECKING:
    from musterroll_plugins.validators._numbering import NumberingPlan


_BLANK, _NOTHING = re.compile(""), re.compile("(?!)")


class PhoneOptions(Options):
    """Options of `phone`.

    Attributes:
        phone: the field of the local part; of the whole number (`+44 7712345678`) where the sheet has no calling code.
            Where it is not said, the fields of `type = "phone"` are looked at as well: those hold whole numbers.
        calling_code: the field of the country's telephone code.
        strict: accept only ranges that are known to be assigned. Without it a number counts when its length
            and first digits are possible, so that ranges newer than this program, or kept for examples, do
            not stop an import.
    """

    phone: FieldName = Default("phone", validate_default=False)
    calling_code: FieldName = Default("calling_code", validate_default=False)
    strict: bool = False


class _Proofs(dict[str, Callable[[str], object]]):
    """The proof of each calling code, made when it is needed."""

    def __init__(self, make: Callable[[str], Callable[[str], object]]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, code: str) -> Callable[[str], object]:
        proof = self[code] = self._make(code)
        return proof


class Phone:
    """The codes `calling_code.*` and `phone.*`; at most one for each of the two fields.

    Where the sheet has no column for the calling code, the phone is the whole number, and everything is said of it. So
    it is with the fields of type `phone`.
    """

    def __init__(self, options: PhoneOptions, context: Context) -> None:
        self._numbers = [_Numbers(options, context)]
        if "phone" not in options.model_fields_set:
            typed = context.fields.of_type(FieldType.PHONE)
            self._numbers += (_Numbers(options.model_copy(update={"phone": name}), context, own=True) for name in typed)

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields the problems of the numbers."""
        for one in self._numbers:
            yield from one.check(row)

    def suspects(self, batch: Batch) -> Collection[int]:
        """Suspects what no pattern of its calling code proves to be a number."""
        return {place for one in self._numbers for place in one.suspects(batch)}

    def guidance(self, name: str) -> Guidance | None:
        """Says how numbers are written."""
        return next((found for one in self._numbers if (found := one.guidance(name)) is not None), None)


class _Numbers:
    """One kind of numbers.

    Args:
        options: whose fields they are.
        context: the pipeline's fields.
        own: whether they are whole numbers in a field of the customer's own, with no calling code beside it.
    """

    def __init__(self, options: PhoneOptions, context: Context, *, own: bool = False) -> None:
        from musterroll_plugins.validators import _numbering  # noqa: PLC0415 -- the metadata is heavy

        self._numbering, self._context, self._strict = _numbering, context, options.strict
        self._need = _numbering.Fit.VALID if options.strict else _numbering.Fit.SHAPE
        self._phone, self._code = options.phone, "" if own else options.calling_code
        spec = context.fields.get(self._code)
        default = spec.default if spec is not None else None
        self._default_code = default if isinstance(default, str) else ""
        self._is_own = own
        self._is_whole = own or (spec is not None and spec.omitted and spec.compose is None)
        self._plans: dict[str, NumberingPlan | None] = {}
        self._proofs = _Proofs(self._proof)

    def check(self, row: Row) -> Iterable[Problem]:
        """Yields the problems of the two fields."""
        phone, code = _readable(row.value(self._phone)), _readable(row.value(self._code))
        if not phone.text:
            return self._check_code_alone(row, phone, code)
        if self._is_whole and code.origin is not Origin.DEFAULT:
            return self._check_whole(row, phone.text, code)
        text = code.text or self._default_code
        if not text:
            return self._check_without_code(row, phone, code)
        plan = self._plan(text)
        if plan is None:
            return self._invalid_code(row, text, phone.text)
        digits = phone.text
        # The usual case, in a microsecond or two: nothing needs a closer look.
        if not self._strict and plan.has_shape(digits) and not plan.may_have_prefix(digits):
            return ()
        if is_too_long(self._context, self._phone, digits):
            return ()
        return self._check_number(row, digits, plan)

    def suspects(self, batch: Batch) -> list[int]:
        """Suspects what no pattern of its calling code proves to be a number."""
        if self._is_own:
            phones = batch.texts(self._phone)
            known = {text: self._is_certain(text) for text in set(phones)}
            return [place for place, text in enumerate(phones) if not known[text]]
        phones, codes = batch.texts(self._phone), batch.texts(self._code)
        proofs = self._proofs
        answers = list(map(call, map(proofs.__getitem__, codes), phones))
        doubtful = [place for place, answer in enumerate(answers) if answer is None] if None in answers else []
        return [place for place in doubtful if not self._is_assigned(codes[place], phones[place])]

    def guidance(self, name: str) -> Guidance | None:
        """Says where nothing but digits belongs, and where the whole number."""
        if name == self._phone and self._is_own:
            text = gettext("The whole number with its calling code, e.g. {example}.", example="+44 7712 345678")
            return Guidance(text=text, problem="phone.invalid")
        if name == self._phone and not self._is_whole:
            return Guidance(text=gettext("Digits only."), problem="phone.invalid", digits=True)
        if name == self._code:
            return Guidance(text=gettext("Digits only."), problem="calling_code.invalid", digits=True)
        return None

    def _is_certain(self, text: str) -> bool:
        parts = split_whole(text)
        return not text or (parts is not None and bool(self._proofs[parts[0]](parts[1]) or self._is_assigned(*parts)))

    def _is_assigned(self, code: str, phone: str) -> bool:
        plan = self._plan(code)
        return plan is not None and bool(plan.assigned.fullmatch(phone))

    def _proof(self, code: str) -> Callable[[str], object]:
        """What tells quickly that a text can only be a local number of that code, or is blank where the code is."""
        plan = self._plan(code)
        if plan is None:
            return (_NOTHING if code else _BLANK).fullmatch
        return (_NOTHING if self._strict else plan.certain).fullmatch

    def _plan(self, code: str) -> NumberingPlan | None:
        if code not in self._plans:
            known = self._numbering.is_calling_code(code)
            self._plans[code] = self._numbering.NumberingPlan(code) if known else None
        return self._plans[code]

    def _check_code_alone(self, row: Row, phone: Value, code: Value) -> Iterator[Problem]:
        if phone.is_blank and code.origin is Origin.CELL:
            yield row.problem(
                self._code,
                "calling_code.unexpected",
                "{heading} is filled in but {phone} is empty; fill in {phone} or empty {heading}",
                phone=row.heading(self._phone),
            )
        elif not phone.is_blank and code.text and not self._is_whole and self._plan(code.text) is None:
            yield from self._invalid_code(row, code.text, "")

    def _check_without_code(self, row: Row, phone: Value, code: Value) -> Iterator[Problem]:
        if code.is_blank:
            yield row.problem(
                self._code,
                "calling_code.required",
                "{heading} is missing although there is a phone number; fill it in, e.g. 44",
                **self._code_in_front(row, phone.text),
            )
        if one_number(phone.text) is None and not is_too_long(self._context, self._phone, phone.text):
            yield self._invalid(row, "{heading} must be digits only")

    def _check_whole(self, row: Row, text: str, code: Value) -> Iterable[Problem]:
        """Checks a whole number; the sheet stage has taken it apart where it could, and where the fields are its."""
        parts = (code.text, text) if code.text else split_whole(text)
        if parts is None and self._default_code:  # then a local number is one of that country
            parts = (self._default_code, text)
        if parts is None:
            return () if is_too_long(self._context, self._phone, text) else (self._not_whole(row, text),)
        plan = self._plan(parts[0])
        if plan is None:
            unknown = "+{code} is not the telephone code of a country; correct {heading}, e.g. +44 7712345678"
            return (self._invalid(row, unknown, code=parts[0]),)
        if not self._strict and plan.has_shape(parts[1]) and not plan.may_have_prefix(parts[1]):
            return ()
        return self._check_number(row, parts[1], plan)

    def _not_whole(self, row: Row, text: str) -> Problem:
        message = (
            "{heading} must be one number, without an extension or other words; write it like +44 7712345678"
            if text.startswith(("+", "00"))
            else "{heading} must be the whole number, with + and the country's telephone code; "
            "write it like +44 7712345678"
        )
        return self._invalid(row, message)

    def _code_in_front(self, row: Row, phone: str) -> dict[str, Any]:
        """Says what to suggest for a blank calling code: the one that the number begins with."""
        parts = split_whole(phone)
        if parts is None or self._code_in(phone) is None:
            return {}
        return {"suggestion": parts[0], "safe": True, "also": {self._phone: parts[1]}}

    def _code_in(self, phone: str) -> str | None:
        """Returns the calling code that an international number begins with."""
        parts = split_whole(phone)
        plan = self._plan(parts[0]) if parts is not None else None
        return plan.code if parts is not None and plan is not None and plan.has_shape(parts[1]) else None

    def _invalid_code(self, row: Row, text: str, phone: str) -> Iterator[Problem]:
        if is_too_long(self._context, self._code, text):
            return
        digits = (one_number(unquoted(text)) or "").removeprefix("+").lstrip("0")
        message = "{heading} must be the digits of the country's telephone code only, e.g. 44"
        values = dict[str, Any]()
        suggestion = None
        if digits and digits != text and self._plan(digits) is not None:
            suggestion = digits
        elif digits and (found := self._with_area_code(digits, phone)):
            suggestion, whole = found
            message = (
                "{heading} is the telephone code {code} together with the area code {area}; "
                "write {code} here and {whole} in {phone}"
            )
            values = {"code": suggestion, "area": digits.removeprefix(suggestion), "whole": whole}
        elif text.isascii() and text.isdigit():
            message = "{heading} is not the telephone code of a country; correct it, e.g. 44"
        also = {self._phone: str(values["whole"])} if "whole" in values else None
        values["phone"] = row.heading(self._phone)
        yield row.problem(
            self._code, "calling_code.invalid", message, suggestion=suggestion, safe=True, also=also, **values
        )

    def _with_area_code(self, digits: str, phone: str) -> tuple[str, str] | None:
        """Returns the calling code of one that an area code follows, and the local number with that area code."""
        code, local = calling_code_of(digits), one_number(phone)
        area, plan = digits[len(code) :], self._plan(code)
        if plan is None or not area or local is None:
            return None
        fitting = [whole for whole in (area + local, local) if whole.startswith(area) and plan.fit(whole) >= self._need]
        return (code, fitting[0]) if len(fitting) == 1 else None

    def _check_number(self, row: Row, text: str, plan: NumberingPlan) -> Iterator[Problem]:
        number = one_number(unquoted(text))
        if number is None:
            yield self._invalid(row, "{heading} must be one number in digits only, without an extension")
            return
        digits = number.removeprefix("+")
        fits = self._numbering.Fit
        whole = fits.NO if number != digits else plan.fit(digits)
        # What is left without a prefix must fit better than the whole: local numbers may begin with any digits.
        better = fits(min(max(self._need, whole + 1), fits.VALID)) if whole < fits.VALID else None
        local = self._first(plan, plan.without_code(digits), better)
        if local is not None:
            yield row.problem(
                self._phone,
                "phone.includes_calling_code",
                "{heading} repeats the calling code {code}; leave it out",
                suggestion=self._suggested(row, local, plan),
                safe=True,
                code=plan.code,
            )
            return
        other = self._code_in(number)
        if other is not None and other != plan.code and whole < self._need:
            message = (
                "{heading} begins with the telephone code {other}, but the calling code is {code}; "
                "correct one of the two"
            )
            yield self._invalid(row, message, other=other, code=plan.code)
            return
        local = self._first(plan, plan.without_trunk(digits), better)
        if digits != text:
            certain = local or (digits if whole >= self._need else None)
            corrected = certain or (self._with_zero(digits, plan) if digits == number else None)
            message = (
                '{heading} must be the digits of the local part only, and no "+"'
                if text.startswith("+")
                else "{heading} must be the digits of the local part only, without spaces or signs"
            )
            yield self._invalid(row, message, self._suggested(row, corrected, plan), safe=certain is not None)
        elif local is not None:
            yield row.problem(
                self._phone,
                "phone.trunk_prefix",
                '{heading} begins with "{prefix}", which is dialled inside the country only; leave it out',
                severity=Severity.WARNING,
                suggestion=self._suggested(row, local, plan),
                safe=True,
                prefix=digits[: len(digits) - len(local)],
            )
        elif whole < self._need:
            yield self._misfit(row, digits, plan)

    def _first(self, plan: NumberingPlan, candidates: Iterable[str], better: int | None) -> str | None:
        if better is None:
            return None
        valid = self._numbering.Fit.VALID
        for candidate in candidates:
            if plan.fit(candidate) is valid if better == valid else plan.has_shape(candidate):
                return candidate
        return None

    def _with_zero(self, digits: str, plan: NumberingPlan) -> str | None:
        """Returns the number with the 0 that belongs to it in some countries, and that spreadsheet programs drop."""
        return f"0{digits}" if digits[0] != "0" and plan.fit(f"0{digits}") is self._numbering.Fit.VALID else None

    def _misfit(self, row: Row, digits: str, plan: NumberingPlan) -> Problem:
        if (corrected := self._with_zero(digits, plan)) is not None:
            message = (
                "{heading} lacks the 0 in front, which belongs to the number in the country of calling code {code} "
                "(spreadsheet programs drop it); format the column as text and type the 0"
            )
            return self._invalid(row, message, self._suggested(row, corrected, plan), code=plan.code)
        if len(digits) < plan.shortest():
            message = "{heading} is too short for calling code {code}; {remedy}"
        elif len(digits) > plan.longest():
            message = "{heading} is too long for calling code {code}; {remedy}"
        else:
            message = "{heading} cannot be a number of calling code {code}; {remedy}"
        remedy = gettext("correct it") if self._is_whole else gettext("correct it and give the local part only")
        if plan.example:
            example = f"+{plan.code} {plan.example}" if self._is_whole else plan.example
            remedy = gettext("{remedy}, e.g. {example}", remedy=remedy, example=example)
        return self._invalid(row, message, code=plan.code, remedy=remedy)

    def _suggested(self, row: Row, local: str | None, plan: NumberingPlan) -> str | None:
        """Returns what to type: the whole number where the sheet asks for that."""
        if local is None or _has_line_breaks(row.value(self._phone).text):  # of two lines each may be a number
            return None
        whole = self._is_whole and row.value(self._code).origin is not Origin.DEFAULT
        return f"+{plan.code}{local}" if whole else local

    def _invalid(
        self, row: Row, message: str, suggestion: str | None = None, *, safe: bool = False, **values: Any
    ) -> Problem:
        return row.problem(self._phone, "phone.invalid", message, suggestion=suggestion, safe=safe, **values)


def _readable(value: Value) -> Value:
    text = legible(value.text)
    return value if text is value.text else value._replace(text=text)


def _has_line_breaks(text: str) -> bool:
    return not text.isprintable() and legible(text) != legible(text, gap=" ")


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(
        name="phone", summary="Phone numbers must fit their calling code", options=PhoneOptions, build=Phone
    )
