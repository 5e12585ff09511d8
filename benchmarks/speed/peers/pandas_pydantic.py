"""Checks a sheet with pandas, pydantic and phonenumbers."""

from __future__ import annotations

import sys
from typing import Annotated, Literal, Self

import pandas as pd
from pydantic import BaseModel, EmailStr, Field, StringConstraints, ValidationError, model_validator

from speed.peers import rules


def _text(heading: str, *, needed: bool = False) -> StringConstraints:
    return StringConstraints(
        min_length=int(needed), max_length=rules.LONGEST.get(heading), pattern=rules.NO_CONTROL_CHARACTERS
    )


class User(BaseModel):
    """A row."""

    email: EmailStr | Literal[""] = Field(alias="Email", max_length=rules.LONGEST["Email"])
    username: Annotated[str, _text("Username", needed=True)] = Field(alias="Username")
    forename: Annotated[str, _text("Forename", needed=True)] = Field(alias="Forename")
    surname: Annotated[str, _text("Surname")] = Field(alias="Surname")
    password: Annotated[str, _text("Password", needed=True)] = Field(alias="Password")
    calling_code: str = Field(alias="Calling Code")
    phone: Annotated[str, _text("Phone")] = Field(alias="Phone")
    groups: Annotated[str, StringConstraints(pattern=rf"^$|{rules.GROUPS}")] = Field(alias="Groups")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        faults = (
            rules.password_fault(self.password, self.username),
            rules.phone_fault(self.calling_code, self.phone),
        )
        for fault in faults:
            if fault is not None:
                raise ValueError(fault)
        return self


def _read(path: str) -> pd.DataFrame:
    options = {"dtype": str, "keep_default_na": False, "skiprows": [1]}
    return pd.read_csv(path, **options) if path.endswith(".csv") else pd.read_excel(path, engine="calamine", **options)


def main() -> None:
    """Prints which rows are bad."""
    table = _read(sys.argv[1])
    is_repeated = table["Username"].map(rules.folded).duplicated()
    bad = [int(index) + rules.FIRST_ROW for index in table.index[is_repeated]]
    for number, record in enumerate(table.to_dict("records"), rules.FIRST_ROW):
        try:
            User.model_validate(record)
        except ValidationError:
            bad.append(number)
    rules.tell(len(table), bad)


if __name__ == "__main__":
    main()
