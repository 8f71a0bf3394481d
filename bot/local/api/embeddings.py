"""What an embedding is asked with, and what is answered. Pure.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

import binascii
from typing import Any

from bot.local.api.bodies import value_of
from bot.local.api.errors import Refused
from bot.local.api.questions import require_kinds
from bot.local.api.refusals import NO_ANSWER

MOST_INPUTS = 2048
FORMATS = "float", "base64"
FLOAT = 4  # bytes

Json = dict[str, Any]


def require_embeddable(body: Json) -> None:
    """Raise Refused for a request that has no answer."""
    require_kinds(body, {"dimensions": int})
    inputs = body.get("input")
    if inputs is None:
        raise Refused(400, "Missing required parameter: 'input'.", None, "input")
    if not is_input(inputs) and not is_list_of_inputs(inputs):
        raise Refused(
            400,
            "Invalid 'input': write a text, an array of texts, an array of tokens or an array of "
            "such arrays, none of them empty.",
            None,
            "input",
        )
    if not is_input(inputs) and len(inputs) > MOST_INPUTS:
        said = f"Invalid 'input': {len(inputs)} are too many, send {MOST_INPUTS} at most at once."
        raise Refused(400, said, None, "input")
    if (wanted := body.get("encoding_format")) is not None and wanted not in FORMATS:
        said = f"Invalid value for 'encoding_format': expected one of {', '.join(FORMATS)}."
        raise Refused(400, said, "invalid_value", "encoding_format")


def is_input(value: Any) -> bool:
    """Whether it is one text, or the tokens of one."""
    if isinstance(value, list):
        return bool(value) and all(type(each) is int for each in value)
    return isinstance(value, str) and bool(value)


def is_list_of_inputs(value: Any) -> bool:
    """Whether it is a list of texts, or one of their tokens."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(is_input(each) and type(each) is type(value[0]) for each in value)
    )


def answered(body: Json, said: bytes) -> Json:
    """What a model server said as OpenAI writes it: vectors in the order of the inputs, under the
    name that was asked for. Raises Refused, also for a length that the model's vectors do not have.
    """
    try:
        answer = value_of(said)
        vectors = {each["index"]: each["embedding"] for each in answer["data"]}
        in_order = [vectors[index] for index in range(len(answer["data"]))]
        length, usage = max(map(length_of, in_order), default=0), dict(answer["usage"])
    except (ValueError, KeyError, TypeError):
        raise Refused(502, NO_ANSWER) from None
    wanted = body.get("dimensions")
    if wanted is not None and wanted != length:
        raise Refused(
            400,
            f"This model's embeddings have {length} dimensions, not {wanted}: ask for {length}, or "
            f"leave dimensions out.",
            None,
            "dimensions",
        )
    data = [
        {"object": "embedding", "index": index, "embedding": vector}
        for index, vector in enumerate(in_order)
    ]
    return {"object": "list", "model": body["model"], "data": data, "usage": usage}


def length_of(vector: str | list[float]) -> int:
    """The numbers of a vector, which may be written in base64."""
    if isinstance(vector, str):
        return len(binascii.a2b_base64(vector, strict_mode=True)) // FLOAT
    return len(vector)
