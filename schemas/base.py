"""What all models share."""

from functools import cache
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value: it can't change after it was made, and unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    @classmethod
    def one_of_many(cls, **values: Any) -> Self:
        """A value with all its fields, as this program itself gives them: not checked, and in half the memory, since
        all of these share the set of their fields' names."""
        return cls.model_construct(_names_of(cls), **values)


@cache
def _names_of(kind: type[BaseModel]) -> set[str]:
    return set(kind.model_fields)
