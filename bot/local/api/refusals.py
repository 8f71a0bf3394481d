"""What llama.cpp or a vLLM refuses, as OpenAI words it."""

from __future__ import annotations

import re
from typing import Any

from bot.local.api.bodies import value_of
from bot.local.api.errors import Refused

NO_ANSWER = "The model server answered something else than an answer."
LONGEST = 2000  # characters of a message: some quote the request

FIELD = re.compile(r"Field '(\w+)'")
UNREADABLE = "Failed to parse "  # what llama.cpp says of a request, with status 500
USUAL = {"invalid_request_error", "server_error"}  # types of errors, which say nothing more
# vLLM says it in one of these ways. Where a prompt leaves no room and no limit is asked for, it
# finds fault with the limit that it computes itself.
TOO_LONG = re.compile(
    r"maximum (?:context|model) length|max_model_len|max_tokens must be at least 1, got -",
    re.IGNORECASE,
)

# What llama.cpp says of an input of an embedding, with status 500.
TOO_LARGE = re.compile(r"input \((\d+) tokens\) is too large to process.*size: (\d+)")

Json = dict[str, Any]


def refusal_of(status: int, body: bytes | str) -> Refused:
    """An error as ours. One within a stream may have the status as its code."""
    error = error_in(body)
    message, kind, code = (error.get(key) for key in ("message", "type", "code"))
    if not isinstance(message, str) or not message:
        return Refused(502, NO_ANSWER)
    message = message[:LONGEST]
    if refused := over_context(message, error):
        return refused
    if status in {401, 403}:
        return Refused(502, "The model server refuses the key that this server has for it.")
    if status == 500 and isinstance(code, int) and 400 <= code < 600:
        status = code
    if status in {400, 413, 422} and TOO_LONG.search(message):
        return too_long(message)
    if status == 501 or "input is not supported" in message:  # pictures and sounds
        return Refused(400, f"The model that is served here cannot do this: {message}")
    if message.startswith(UNREADABLE):
        status = 400
    field = FIELD.match(message)
    return Refused(
        status if status >= 400 else 502,
        message,
        kind if isinstance(kind, str) and kind not in USUAL else None,
        field[1] if field else None,
    )


def over_context(message: str, error: Json) -> Refused | None:
    """What llama.cpp says of too many tokens, None for anything else."""
    if error.get("type") == "exceed_context_size_error":
        return too_long(
            f"This model's maximum context length is {error.get('n_ctx')} tokens. However, your "
            f"messages resulted in {error.get('n_prompt_tokens')} tokens."
        )
    if too_large := TOO_LARGE.search(message):
        return too_long(
            f"This server makes embeddings of {too_large[2]} tokens at most. However, your input "
            f"resulted in {too_large[1]} tokens.",
            "input",
        )
    return None


def too_long(message: str, param: str = "messages") -> Refused:
    return Refused(400, message, "context_length_exceeded", param)


def error_in(body: bytes | str) -> Json:
    """The object that tells of an error, {} where there is none: vLLM has it at the top, or a mere
    sentence, where it is old or behind something else.
    """
    try:
        said = value_of(body)
    except ValueError:
        return {}
    error = said.get("error", said) if isinstance(said, dict) else {}
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else {}
