"""OpenAI's chat completions in data: what is asked, and how it becomes a profile and turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from adapters.http.errors import Refusal
from adapters.http.schema import WRONG, Id, parsed
from bot.messages import Profile, Role, Turn

MOST_STOPS = 4
LENGTHS = ("max_tokens", "max_completion_tokens")
PASSED_ON = (
    *LENGTHS,
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "temperature",
    "top_p",
    "user",
)

# In JSON, 20.0 is an integer, too.
Whole = BeforeValidator(lambda n: int(n) if isinstance(n, float) and n.is_integer() else n)
Integer = Annotated[int, Whole]
Count = Annotated[int, Field(ge=1, lt=2**31), Whole]
Nothing = Annotated[None, Field(default=None)]


OF_A_USER: dict[str, Any] = {
    "type": "object",
    "properties": {"role": {"const": "user"}},
    "required": ["role"],
}


class Lenient(BaseModel):
    """Nothing is converted; what is not known is passed over, as OpenAI's own clients expect."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


class TextPart(Lenient):
    """A piece of a message."""

    type: Literal["text"]
    text: str


class Message(Lenient):
    """What somebody said; "system" and "developer" replace the profile's system prompt."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]

    @property
    def text(self) -> str:
        """All of it."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class TextFormat(Lenient):
    """The only form of an answer."""

    type: Literal["text"]


class StreamOptions(Lenient):
    """Whether the last chunk tells the usage."""

    include_usage: bool | None = None


class ChatRequest(Lenient):
    """A question to a profile. Tools, functions, audio and other forms of an answer are refused."""

    model: str
    messages: list[Message] = Field(min_length=1, json_schema_extra={"contains": OF_A_USER})
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: str | Annotated[list[str], Field(max_length=MOST_STOPS)] | None = None
    seed: Integer | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    user: Id | None = None
    n: Annotated[Literal[1], Whole] | None = None
    response_format: TextFormat | None = None
    modalities: list[Literal["text"]] | None = None
    logprobs: Literal[False] | None = None
    top_logprobs: Annotated[Literal[0], Whole] | None = None
    tools: Nothing
    functions: Nothing
    audio: Nothing

    @property
    def stops(self) -> tuple[str, ...]:
        """Where the answer ends, beyond the profile's own stops."""
        given = (self.stop,) if isinstance(self.stop, str) else self.stop or ()
        return tuple(filter(None, given))

    @property
    def turns(self) -> list[Turn]:
        """What was said, oldest first."""
        return [
            Turn(Role(message.role), message.text)
            for message in self.messages
            if message.role in {"user", "assistant"}
        ]

    @property
    def question(self) -> str:
        """What the user said last."""
        return next(each.text for each in reversed(self.messages) if each.role == "user")

    def changed(self, profile: Profile) -> Profile:
        """A profile with the system prompt, parameters and stops of this request.

        The stops of a completions model are also how its turns are told apart: they stay.
        """
        given = {name: value for name in PASSED_ON if (value := getattr(self, name)) is not None}
        params = dict(profile.params)
        if any(name in given for name in LENGTHS):
            params = {name: value for name, value in params.items() if name not in LENGTHS}
        stop = self.stops or profile.stop
        if profile.api == "completions":
            stop = tuple(dict.fromkeys((*profile.stop, *self.stops)))
        return replace(
            profile, system=self._system or profile.system, params={**params, **given}, stop=stop
        )

    @property
    def _system(self) -> str:
        roles = {"system", "developer"}
        return "\n\n".join(message.text for message in self.messages if message.role in roles)


class Unusable(Exception):
    """A request that cannot be answered. `param` is the field that is wrong."""

    def __init__(self, message: str, param: str, status: int = 400, code: str = "") -> None:
        super().__init__(message)
        self.param = param
        self.status = status
        self.code = code


def read(body: bytes) -> ChatRequest:
    """The request in a body. Raises Unusable."""
    try:
        request = ChatRequest.model_validate(parsed(body))
    except Refusal as refusal:
        raise Unusable(refusal.detail, refusal.field) from None
    except ValidationError as error:
        raise unusable(error) from None
    if all(message.role != "user" for message in request.messages):
        raise Unusable("messages: there is none of a user.", "messages")
    return request


def unusable(error: ValidationError) -> Unusable:
    """The first field that is wrong."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = name_of(first["loc"])
    if first["type"] in {"none_required", "literal_error"}:
        return Unusable(f"{field}: this server does not offer that.", field)
    wrong = WRONG.get(first["type"], f"cannot be used: {first['msg']}")
    return Unusable(f"{field} {wrong.format(**first.get('ctx', {}))}.", field)


def name_of(place: Sequence[Any]) -> str:
    """A field as OpenAI writes it: messages[0].content, without the type that was tried."""
    steps = [step for step in place if isinstance(step, int) or step.isidentifier()]
    names = (
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps if step != "str"
    )
    return "".join(names).lstrip(".") or "body"
