"""Tokens of examples, and what training on them takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.config import load
from bot.config.usual import complete
from bot.datasets import counting
from bot.datasets.cost import default_epochs, duration, estimate, roughly
from bot.datasets.counting import MOST_KEPT, Counted, Different, TokenCount, trained_window
from bot.datasets.examples import answer_of
from bot.messages import Price, Provider, Usage
from bot.models.prices import cost, training_price
from bot.models.tokens import Tokens
from tests.datasets.examples import (
    call,
    calling,
    chat,
    message,
    numbered,
    passed,
    preference,
    tool,
)
from tests.shared import FOLDER

MODEL = "gpt-4o-mini"
COUNTER = Tokens()


def counted(*examples: Any, model: str = MODEL, context: int = 0) -> Counted:
    """The tokens of examples."""
    count = TokenCount(model, context)
    rows = numbered(examples)
    assert passed([count], rows)[0] == rows
    return count.counted


def test_chat_is_counted_as_requests_are() -> None:
    messages = [message("system", "Be brief."), message("user", "お誕生日おめでとう", name="Ada"),
                message("assistant", [{"type": "text", "text": "Hello world"}])]  # fmt: skip
    for model in (MODEL, "gpt-3.5-turbo"):
        expected = COUNTER.count_messages(model, messages)
        assert counted(chat(*messages), model=model).tokens == expected


@pytest.mark.parametrize(
    ("example", "tokens"),
    [
        ({"prompt": "hello", "completion": " world"}, 2),
        ({"prompt": None, "completion": " world"}, 1),
        (chat(message("user", "hello"), message("assistant", "hello")), 3 + 5 + 5),
        (preference("hello", "hello world", message("user", "hello")), 13 + 14),
        ({}, 0),
    ],
)
def test_every_format_is_counted(example: Any, tokens: int) -> None:
    assert counted(example).tokens == tokens


def test_tools_and_calls_are_counted() -> None:
    bare = chat(message("user", "hello"), message("assistant", ""))
    with_call = chat(message("user", "hello"), calling(call()), tools=[tool()])
    texts = [json.dumps(with_call["tools"]), "1", "function", "weather", "{}"]
    more = sum(COUNTER.count(MODEL, text) for text in texts)
    assert counted(with_call).tokens == counted(bare).tokens + more


def test_tokens_beyond_the_window_are_not_counted_but_told() -> None:
    count = counted(
        {"prompt": "word " * 300, "completion": ""}, {"prompt": "word", "completion": ""},
        model="smollm2", context=100,
    )  # fmt: skip
    assert count == Counted(2, 101, 301, 1, answers=1)


def test_large_file_is_estimated_closely_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [
        chat(
            message("user", f"{n} " * (n % 7 + 1)), message("assistant", "Yes, you can." * (n % 5))
        )
        for n in range(2_000)
    ]
    exact = counted(*examples)
    assert not exact.is_estimated
    monkeypatch.setattr(counting, "EXACTLY", 10_000)
    estimated = counted(*examples)
    assert estimated.is_estimated
    assert estimated.tokens == pytest.approx(exact.tokens, rel=0.05)
    count = TokenCount(MODEL)
    (finding,) = passed([count], numbered(examples))[1]
    assert finding.says.startswith("About ")


@pytest.mark.parametrize(
    ("model", "context", "tokens"),
    [
        ("gpt-4o-mini-2024-07-18", 0, 65_536),
        ("gpt-4.1", 0, 65_536),
        ("gpt-3.5-turbo-0125", 0, 16_385),
        ("davinci-002", 0, 16_384),
        ("smollm2", 2_048, 2_048),
        ("smollm2", 0, 0),
    ],
)
def test_window_of_training(model: str, context: int, tokens: int) -> None:
    assert trained_window(model, context) == tokens


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [(0, 25), (1, 25), (4, 25), (10, 10), (33, 3), (34, 3), (8_333, 3), (8_334, 2), (12_501, 1),
     (25_001, 1), (1_000_000, 1)],
)  # fmt: skip
def test_default_epochs(examples: int, epochs: int) -> None:
    assert default_epochs(examples) == epochs


PRICES = {
    "gpt-4o-mini": Price(0.15, 0.6, training=3.0),
    "ft:gpt-4o": Price(3.75, 15.0),
    "gpt-4o": Price(2.5, 10.0, training=25.0),
    "babbage-002": Price(0.4, 0.4),
}


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("gpt-4o-mini", 3.0),
        ("gpt-4o-mini-2024-07-18", 3.0),
        ("ft:gpt-4o-mini-2024-07-18:org::id", 3.0),
        ("ft:gpt-4o:org::id", 25.0),
        ("babbage-002", None),
        ("davinci-002", None),
    ],
)
def test_price_of_training(model: str, price: float | None) -> None:
    assert training_price(PRICES, model) == price


def test_estimate_multiplies_tokens_by_epochs_and_price() -> None:
    known = estimate(Counted(100, 1_000_000, 12_000, 7), PRICES, "gpt-4o-mini-2024-07-18")
    assert (known.epochs, known.billed) == (3, 3_000_000)
    assert known.dollars == pytest.approx(9.0)
    assert "about $9.00" in known.says
    assert "very roughly" in known.says


def test_unknown_price_is_said_and_never_zero() -> None:
    unknown = estimate(Counted(100, 1_000, 20, 1, is_estimated=True), PRICES, "davinci-002", 1)
    assert unknown.dollars is None
    assert "price unknown" in unknown.says
    assert "about 1,000 tokens × 1 epoch " in unknown.says


def test_training_on_this_machine_is_free() -> None:
    config = load(None, {})
    here = estimate(Counted(50, 1_000, 100, 1), config.prices, config.profile.model)
    assert here.dollars == 0
    assert "it costs nothing; very roughly" in here.says


def test_what_is_tuned_on_this_machine_costs_nothing() -> None:
    config = load(None, {})
    for model in (
        "ft:smollm2-135m-instruct:local:faq:1",
        "ft:smollm2-135m-instruct:local::1:ckpt-step-2",
    ):
        assert cost(config.prices, model, Usage(1_000, 1_000)) == 0
    own = Provider("own", kind="local", model_file="/models/mine.gguf")
    prices = complete(
        config.model_copy(update={"providers": {**config.providers, "own": own}})
    ).prices
    assert cost(prices, "ft:mine:local::1", Usage(1_000, 1_000)) == 0
    assert training_price(prices, "mine") == 0


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (109, "1 min 49 s"),
        (3600, "1 h"),
        (3629, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_time_is_said_in_its_two_largest_units(seconds: float, says: str) -> None:
    assert duration(seconds) == says


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0, "1 min"),
        (130, "2 min"),
        (240, "5 min"),
        (1_234, "20 min"),
        (5_400, "2 h"),
        (36_000, "10 h"),
    ],
)
def test_rough_time_is_said_roughly(seconds: float, says: str) -> None:
    assert duration(roughly(seconds)) == says


def test_different_answers_are_counted_and_of_many_their_share() -> None:
    rows = [{"prompt": f"{number}?", "completion": f"{number % 13}"} for number in range(500)]
    assert counted(*rows, model="davinci-002").answers == 13
    different = Different()
    for number in range(10 * MOST_KEPT):
        different.add(str(number // 2))
    assert different.count == pytest.approx(5 * MOST_KEPT, rel=0.01)


def test_all_that_a_conversation_teaches_is_its_answer() -> None:
    said = [message(role, f"{role} {n}") for n in (1, 2) for role in ("user", "assistant")]
    assert answer_of(chat(*said)) == "assistant 1\nassistant 2"


def test_cookbook_file_is_counted_as_the_cookbook_does() -> None:
    """Its notebook, "Data preparation and analysis for chat model fine-tuning", bills 4,306 tokens
    an epoch where examples are cut at 4,096, and goes through them 20 times.
    """
    file = FOLDER / "data/openai_cookbook/toy_chat_fine_tuning.jsonl"
    if not file.exists():
        pytest.skip("../shared/data/openai_cookbook is not here")
    examples = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    count = counted(*examples, model="gpt-3.5-turbo-0613")
    assert (count.examples, count.tokens, default_epochs(5)) == (5, 4_306, 20)
