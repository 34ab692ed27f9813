"""What all models share."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value: it can't change after it was made, and unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")
