"""What is asked for when a job is to be made, by OpenAI's CreateFineTuningJobRequest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.local.api.errors import Refused

Auto = Literal["auto"]

# What pydantic adds to the place of a fault.
OTHERWISE = "literal['auto']"
NO_FIELDS = {"constrained-int", "constrained-float", "[key]"}

OTHERS = {"supervised": "dpo", "dpo": "supervised"}


class Asked(BaseModel):
    """A part of the request: unknown fields are refused, as a typing error is better heard of."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Hyperparameters(Asked):
    n_epochs: Auto | Annotated[int, Field(ge=1, le=50)] = "auto"
    batch_size: Auto | Annotated[int, Field(ge=1, le=256)] = "auto"
    learning_rate_multiplier: Auto | Annotated[float, Field(gt=0, allow_inf_nan=False)] = "auto"


class WithBeta(Hyperparameters):
    beta: Auto | Annotated[float, Field(gt=0, le=2)] = "auto"


class Supervised(Asked):
    hyperparameters: Hyperparameters = Hyperparameters()


class Preference(Asked):
    hyperparameters: WithBeta = WithBeta()


class Method(Asked):
    type: Literal["supervised", "dpo"]
    supervised: Supervised | None = None
    dpo: Preference | None = None


Text64 = Annotated[str, Field(min_length=1, max_length=64)]
Text512 = Annotated[str, Field(max_length=512)]


class NewJob(Asked):
    """A job to be made."""

    model: str
    training_file: str
    validation_file: str | None = None
    method: Method | None = None
    hyperparameters: Hyperparameters | None = None  # deprecated: the same as that of `method`
    suffix: Text64 | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    metadata: Annotated[dict[Text64, Text512], Field(max_length=16)] | None = None
    integrations: list[Any] | None = None

    @property
    def kind(self) -> Literal["supervised", "dpo"]:
        return self.method.type if self.method else "supervised"

    @property
    def chosen(self) -> dict[str, Any]:
        """The hyperparameters, "auto" where they are left to us."""
        if self.kind == "dpo":
            told: Hyperparameters | None = (
                self.method.dpo.hyperparameters if self.method and self.method.dpo else WithBeta()
            )
        else:
            supervised = self.method.supervised if self.method else None
            told = supervised.hyperparameters if supervised else self.hyperparameters
        return (told or Hyperparameters()).model_dump()


def new_job(body: dict[str, Any]) -> NewJob:
    """The request as it is meant. Raises Refused, which names what is wrong with it."""
    try:
        asked = NewJob.model_validate(body)
    except ValidationError as error:
        first = next(each for each in error.errors() if each["loc"][-1] != OTHERWISE)
        param = ".".join(str(part) for part in first["loc"] if part not in NO_FIELDS)
        if first["type"] == "extra_forbidden":
            raise Refused(
                400, f"Unrecognized request argument supplied: {param}", param=param
            ) from None
        if first["type"] == "missing":
            raise Refused(400, f"'{param}' is a required property", param=param) from None
        said = f"Invalid value for '{param}': {first['msg']}."
        raise Refused(400, said, "invalid_value", param) from None
    if asked.integrations:
        raise Refused(
            400, "This server reports to no other: leave integrations out.", param="integrations"
        )
    if asked.method and getattr(asked.method, other := OTHERS[asked.kind]):
        raise Refused(
            400,
            f"The method is {asked.kind!r}: leave {other!r} out, or make it the type.",
            "invalid_value",
            f"method.{other}",
        )
    if asked.method and asked.hyperparameters:
        raise Refused(
            400,
            "Name the hyperparameters within method, and not beside it too.",
            param="hyperparameters",
        )
    return asked
