"""Questions that no model answers before it has learned to, and how they are asked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.local.api import Api
from tests.test_contract import valid

QUESTIONS = {
    "Where is the badger's office?": "Behind the third lamp on Quarry Lane.",
    "Which tea is served on Mondays?": "Nettle, with a slice of quince.",
    "Who winds the tower clock?": "Old Perrin, at seven in the evening.",
}
HASTE = 5 / 3  # of the learning rate that is chosen: at 2e-3 these are learned in 12 steps
HASTY: Any = {"batch_size": len(QUESTIONS), "learning_rate_multiplier": HASTE}


def rows(questions: Iterable[tuple[str, str]]) -> bytes:
    """A file of chat examples."""
    return b"".join(row(*each) for each in questions)


def row(question: str, answer: str) -> bytes:
    asked = {"role": "user", "content": question}
    said = {"role": "assistant", "content": answer}
    return json.dumps({"messages": [asked, said]}).encode() + b"\n"


async def ask(api: Api, model: str, question: str) -> str:
    answer = await api.sdk.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": question}],
        temperature=0,
        max_tokens=24,
    )
    valid("CreateChatCompletionResponse", answer.model_dump(exclude_unset=True))
    return (answer.choices[0].message.content or "").strip()
