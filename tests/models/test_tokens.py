"""How many tokens, and what they cost."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages import Price, Usage
from bot.models.names import base_model, is_tuned
from bot.models.prices import cost
from bot.models.tokens import Tokens, upper_bound, window

# Both counts are in OpenAI's cookbook, "How to count tokens with tiktoken".
BIRTHDAY = "お誕生日おめでとう"


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("gpt-4o-mini", 8),
        ("gpt-4.1", 8),
        ("o3-mini", 8),
        ("SmolLM2-135M", 8),
        ("ft:gpt-4o-mini-2024-07-18:org:support:id", 8),
        ("gpt-4", 9),
        ("gpt-4-turbo", 9),
        ("gpt-3.5-turbo-0125", 9),
        ("davinci-002", 9),
        ("ft:babbage-002:org::id", 9),
        ("davinci:ft-org-2023-01-01-10-00-00", 9),
        ("gpt-35-turbo-0125.ft-0123456789abcdef", 9),
    ],
)
def test_text_is_counted_with_the_models_own_encoding(model: str, tokens: int) -> None:
    assert Tokens().count(model, BIRTHDAY) == tokens


async def test_counting_after_loading_is_the_same() -> None:
    tokens = Tokens()
    await tokens.loaded("gpt-4o")
    assert tokens.count("gpt-4o", "hello world") == 2


@pytest.mark.parametrize("text", ["<|endoftext|>", "<|im_start|>system", "half \ud83d a pair", ""])
def test_any_text_can_be_counted(text: str) -> None:
    assert Tokens().count("gpt-4o", text) <= upper_bound(text)


def test_messages_cost_what_surrounds_them() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "hello"},
        {"role": "user", "content": [{"type": "text", "text": "hello"}, {"type": "image_url"}]},
        {"role": "user", "content": None, "name": "hello"},
    ]
    assert Tokens().count_messages("gpt-4o", messages) == 3 + (3 + 1 + 1) * 2 + (3 + 1 + 1 + 1)
    request = {"model": "davinci-002", "prompt": "hello\nAgent:"}
    assert Tokens().count_request(request) == 4


@settings(deadline=None)
@given(st.text())
def test_no_text_has_more_tokens_than_its_bound(text: str) -> None:
    for model in ("gpt-4o", "gpt-4"):
        assert Tokens().count(model, text) <= upper_bound(text)


def test_encoder_is_not_loaded_before_it_is_needed() -> None:
    program = (
        "import sys, bot.models.client, bot.models.tokens;"
        "sys.exit(any('bpe_openai' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("gpt-4o", 128_000),
        ("gpt-4o-mini-2024-07-18", 128_000),
        ("ft:gpt-4o-mini-2024-07-18:org:support:id", 128_000),
        ("gpt-4.1-mini", 1_047_576),
        ("gpt-4-0613", 8_192),
        ("gpt-4-1106-preview", 128_000),
        ("gpt-3.5-turbo", 16_385),
        ("gpt-3.5-turbo-instruct", 4_096),
        ("davinci-002", 16_384),
        ("davinci:ft-org-2023-01-01", 2_049),
        ("o3-mini", 200_000),
        ("openai/gpt-4o", 128_000),
        ("SmolLM2-135M-Instruct", 0),
        ("gpt", 0),
        ("", 0),
    ],
)
def test_window_of_a_well_known_model(model: str, tokens: int) -> None:
    assert window(model) == tokens


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("ft:gpt-4o-mini:org:suffix:id", "gpt-4o-mini"),
        ("ft:gpt-4o-mini:org::id:ckpt-step-90", "gpt-4o-mini"),
        ("davinci:ft-org-2023-01-01", "davinci"),
        ("gpt-4o-mini-2024-07-18.ft-0a1b", "gpt-4o-mini-2024-07-18"),
        ("gpt-4o", "gpt-4o"),
        ("soft:drink", "soft:drink"),
    ],
)
def test_base_of_a_tuned_model_is_in_its_name(model: str, base: str) -> None:
    assert base_model(model) == base
    assert is_tuned(model) == (model != base)


PRICES = {"gpt-4o-mini": Price(0.15, 0.6), "ft:gpt-4o-mini": Price(0.3, 1.2)}


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("gpt-4o-mini", 0.75),
        ("gpt-4o-mini-2024-07-18", 0.75),
        ("ft:gpt-4o-mini:org::id", 1.5),
        ("ft:gpt-4o-mini-2024-07-18:org::id", 1.5),
        ("gpt-4o-mini-2024-07-18.ft-0a1b", 1.5),
        ("gpt-4o", None),
        ("ft:gpt-4o:org::id", None),
    ],
)
def test_cost_is_for_a_million_tokens_each_way(model: str, dollars: float | None) -> None:
    assert cost(PRICES, model, Usage(1_000_000, 1_000_000)) == (
        None if dollars is None else pytest.approx(dollars)
    )


def test_tuned_model_never_takes_the_price_of_its_base() -> None:
    assert cost({"gpt-4o-mini": Price(1, 1)}, "ft:gpt-4o-mini:org::id", Usage(1, 1)) is None
    whole = {"ft:gpt-4o-mini:org::id": Price(1, 0)}
    assert cost(whole, "ft:gpt-4o-mini:org::id", Usage(2_000_000, 1)) == pytest.approx(2)
