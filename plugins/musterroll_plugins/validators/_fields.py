"""What the validators share: headings for messages, and a check of the field names in options."""

from __future__ import annotations

from musterroll import Context, Options
from musterroll.errors import Mistake, PipelineError
from musterroll.text import did_you_mean


def heading(context: Context, name: str) -> str:
    """Returns the heading of a field as the person knows it; of an unknown field, its name."""
    spec = context.fields.get(name)
    return spec.heading if spec is not None else name


def check_names(context: Context, options: Options, *names: str) -> None:
    """Checks that the field names which the pipeline file gives are fields of this pipeline.

    Defaults are not checked: a pipeline without a phone column can keep the standard `phone` validator.

    Args:
        context: knows the fields.
        options: the validator's.
        names: which of the options hold a field's name, or a tuple of them.

    Raises:
        PipelineError: a name is not a field.
    """
    mistakes = []
    for option in names:
        if option not in options.model_fields_set:
            continue
        value: str | tuple[str, ...] = getattr(options, option)
        for name in (value,) if isinstance(value, str) else value:
            if name not in context.fields:
                message = f'there is no field "{name}"{did_you_mean(name, context.fields)}'
                mistakes.append(Mistake(f"{context.instance}.options.{option}", message, "pipeline"))
    if mistakes:
        raise PipelineError(mistakes)


def is_too_long(context: Context, name: str, text: str) -> bool:
    """Whether `length` reports this value, so that nobody else need say anything about it."""
    spec = context.fields.get(name)
    return spec is not None and spec.max_length is not None and len(text) > spec.max_length
