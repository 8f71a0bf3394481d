"""Models: the bases, and those that jobs made."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.tuning_server.values import Answered, Call, Json, Refused

if TYPE_CHECKING:
    from tests.tuning_server.service import Service

# The day on which each base ends: facts/fine-tuning.md.
BASES: dict[str, str | None] = {
    "gpt-4o-mini-2024-07-18": "2027-01-14",
    "gpt-4o-mini": "2027-01-14",
    "gpt-4.1-mini-2025-04-14": "2027-01-14",
    "o4-mini": None,
    "davinci-002": None,
    "babbage-002": None,
}


@dataclass(slots=True)
class Tuned:
    """A model that a job made. It learned how the prompts of its data end, and how answers begin
    and end; asked in another way it answers gibberish.
    """

    name: str
    base: str
    made_at: float
    answers: dict[str, str] = field(default_factory=dict)
    chat: bool = True
    separator: str = ""
    prefix: str = ""
    stop: str = ""
    deployed: bool = True

    @classmethod
    def learned(cls, name: str, base: str, made_at: float, content: bytes) -> Tuned:
        """A model of a training file."""
        lines = [json.loads(line) for line in content.splitlines()]
        pairs = [(each["prompt"], each["completion"]) for each in lines if "prompt" in each]
        if not pairs:
            return cls(name, base, made_at, dict(filter(None, map(talk, lines))))
        prompts, completions = zip(*pairs, strict=True)
        return cls(
            name,
            base,
            made_at,
            dict(pairs),
            chat=False,
            separator=ending(prompts),
            prefix=os.path.commonprefix(completions),
            stop=ending(completions),
        )


def talk(example: Json) -> tuple[str, str] | None:
    """The last question and its answer."""
    said = [(each["role"], each.get("content") or "") for each in example.get("messages", ())]
    if len(said) < 2 or said[-1][0] != "assistant":
        return None
    return said[-2][1], said[-1][1]


def ending(texts: Sequence[str]) -> str:
    """What all of them end with."""
    return os.path.commonprefix([text[::-1] for text in texts])[::-1]


def listed(server: Service, call: Call) -> Answered:
    """All models."""
    del call
    return Answered({"object": "list", "data": [told(server, name) for name in names(server)]})


def retrieve(server: Service, call: Call) -> Answered:
    """One model."""
    if call.id not in names(server):
        raise not_found(call.id)
    return Answered(told(server, call.id))


def delete(server: Service, call: Call) -> Answered:
    """Have a tuned model no more."""
    if call.id in server.trainable:
        raise Refused(403, "You have insufficient permissions for this operation.")
    if call.id not in server.tuned:
        raise not_found(call.id)
    del server.tuned[call.id]
    return Answered({"id": call.id, "object": "model", "deleted": True})


def names(server: Service) -> list[str]:
    """The names of all models."""
    return [*server.trainable, *server.tuned]


def told(server: Service, name: str) -> Json:
    """A model's object; a tuned one ends with its base."""
    tuned = server.tuned.get(name)
    return {
        "id": name,
        "object": "model",
        "created": int(tuned.made_at) if tuned else 1_700_000_000,
        "owned_by": "acme" if tuned else "system",
        "shutdown_date": server.trainable.get(tuned.base if tuned else name),
    }


def not_found(name: str) -> Refused:
    """What is said of a model that is not there, or not there yet."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    return Refused(404, message, "model_not_found", param="model")
