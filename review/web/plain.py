"""What pages show, as JSON has it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel


def plain(value: Any) -> Any:
    """Models and named tuples as objects, days and times in ISO 8601, amounts as numbers, anything else as it is."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case BaseModel():
            return {name: plain(getattr(value, name)) for name in type(value).model_fields}
        case Mapping():
            return {str(name): plain(one) for name, one in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return {name: plain(one) for name, one in value._asdict().items()}
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case date():
            return value.isoformat()
        case _:
            return [plain(one) for one in value]
