"""The question and command interfaces in data: what is asked, what is answered, and what is wrong
with it.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from adapters.http.errors import Refusal
from bot.messages import Document, Usage

VERSION = "1.0.0"
MINUTE = "60"  # seconds after which somebody who was too fast may ask again
LONGEST_ID = 128
LONGEST_QUESTION = 32_000

NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]*$"

M = TypeVar("M", bound=BaseModel)

FinishReason = Literal["stop", "length", "content_filter", "stopped", "error"]
NewId = Annotated[str, Field(max_length=LONGEST_ID, pattern=NO_CONTROL)]
Id = Annotated[NewId, Field(min_length=1)]
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_QUESTION, pattern=r"^[^\x00]*$")]

COMMAND = r"^/[A-Za-z][A-Za-z0-9_-]*([ \t\r\n][^\x00]*)?$"  # "/usr/bin" is a question

HALVES = re.compile(r"\\u[dD][89a-fA-F]")  # of a surrogate pair: each may be alone

WRONG = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this interface",
    "string_type": "is not a text",
    "string_too_short": "is empty",
    "string_too_long": "has more than {max_length} characters",
    "string_pattern_mismatch": "has control characters",
    "bool_type": "is neither true nor false",
    "literal_error": "is not {expected}",
    "model_type": "is not an object",
    "no_command": 'is no command: those begin with "/", as "/help" does; ask at /api/question',
}


def command(text: str) -> str:
    """A text that is a command."""
    if not re.search(COMMAND, text):
        raise PydanticCustomError("no_command", "is no command")
    return text


CommandText = Annotated[
    Text, AfterValidator(command), Field(json_schema_extra={"pattern": COMMAND})
]


class Strict(BaseModel):
    """Nothing is converted, nothing is passed over."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Pars(Strict):
    """A question of a user in a group, who share a memory with nobody. The same `question_id`
    again has the same answer; an empty one gets a new one.
    """

    user_id: Id
    question: Text
    group_id: Id
    question_id: NewId
    stream: bool = False


class Question(Strict):
    """What is asked."""

    version: Literal["1.0.0"]
    pars: Pars


class CommandPars(Strict):
    """A command of a user in a group. The same `question_id` again has the same answer, and nothing
    is done twice; an empty one gets a new one.
    """

    user_id: Id
    command: CommandText
    group_id: Id
    question_id: NewId


class Command(Strict):
    """What is to be done."""

    version: Literal["1.0.0"]
    pars: CommandPars


class TokenUsage(BaseModel):
    """What the model read and wrote."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


def token_counts(usage: Usage) -> dict[str, int]:
    """A TokenUsage."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


class AnswerPars(BaseModel):
    """An answer. `finish_reason` "error" says that `answer` is a sentence about why there is none,
    or not all of it; a new question_id asks again.
    """

    user_id: str
    group_id: str
    question_id: str
    answer: str
    finish_reason: FinishReason
    usage: TokenUsage


class Answer(BaseModel):
    """What is answered."""

    version: Literal["1.0.0"]
    pars: AnswerPars


class Choice(BaseModel):
    """A way to go on: a button for a person, and the command that pressing it says."""

    label: str
    command: str


class File(BaseModel):
    """A file that came with what was said; `content` is base64."""

    name: str
    media_type: str
    content: str


def file_of(document: Document) -> dict[str, str]:
    """A File."""
    content = b64encode(document.content).decode()
    return {"name": document.name, "media_type": document.media_type, "content": content}


class ReplyPars(BaseModel):
    """What a command says, as Markdown. `failed` says that `text` is a sentence about why it did
    not do what it was told; `buttons` are what can be done next.
    """

    user_id: str
    group_id: str
    question_id: str
    text: str
    failed: bool
    buttons: list[Choice]
    file: File | None


class Reply(BaseModel):
    """What a command says."""

    version: Literal["1.0.0"]
    pars: ReplyPars


def parsed(body: bytes) -> Any:
    """A body as data. Raises Refusal (400) for what is no JSON that every reader reads alike."""
    try:
        text = body.decode()
        data = json.loads(text, object_pairs_hook=unique, parse_constant=no_number)
        if HALVES.search(text):
            json.dumps(data, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except UnicodeEncodeError:
        reason = "half of a surrogate pair stands alone"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)
    else:
        return data
    raise Refusal(400, f"The body is not JSON: {reason}.", field="body")


def unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object; readers differ in which of two equal keys they take."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def no_number(name: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(f"{name} is no number")


def read(model: type[M], body: bytes) -> M:
    """The model that a body holds. Raises Refusal: 400 for what is no JSON, else 422 with the
    field.
    """
    try:
        return model.model_validate(parsed(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(step) for step in first["loc"]) or "body"
    wrong = WRONG.get(first["type"], "cannot be used").format(**first.get("ctx", {}))
    raise Refusal(422, f"{field.encode(errors='replace').decode()} {wrong}.", field=field)
