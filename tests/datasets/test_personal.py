"""Personal data and secrets are found, masked, and never repeated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.datasets.checks import Choice
from bot.datasets.personal import KINDS, PersonalData, is_card_number
from tests.datasets.examples import (
    JSON,
    NOTHING,
    RECOMMENDED,
    call,
    calling,
    chat,
    message,
    numbered,
    passed,
    tool,
)

EVERYTHING = Choice(frozenset(kind.remedy.key for kind in KINDS))
KEY_BLOCK = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"
# Put together here, so that no scanner takes this file for a leak.
SECRETS = [
    ("personal-api-key", "sk-" + "a1B2" * 6),
    ("personal-api-key", "sk-proj-" + "a1-_" * 6),
    ("personal-api-key", "sk-ant-api03-" + "a1B2" * 6),
    ("personal-api-key", "sk_live_" + "a1B2" * 6),
    ("personal-api-key", "xoxb-" + "123456789012-abcdef"),
    ("personal-api-key", "xoxe.xoxp-" + "1-abcdefghijkl"),
    ("personal-api-key", "xapp-" + "1-A02-1234567890-abcdef"),
    ("personal-api-key", "AKIA" + "IOSFODNN7EXAMPLE"),
    ("personal-api-key", "ghp_" + "a1B2" * 9),
    ("personal-api-key", "github_pat_" + "a1B2" * 9),
    ("personal-api-key", "glpat-" + "a1B2" * 5),
    ("personal-api-key", "hf_" + "a1B2" * 9),
    ("personal-api-key", "AIza" + "a1B2c" * 7),
    ("personal-private-key", KEY_BLOCK),
    ("personal-private-key", "-----BEGIN PRIVATE KEY-----\nMIIEow cut off"),
    ("personal-private-key", KEY_BLOCK.replace("RSA", "OPENSSH")),
    ("personal-bot-token", "110201543:" + "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw9"),
    ("personal-card-number", "4242 4242 4242 4242"),
    ("personal-card-number", "5555-5555-5555-4444"),
    ("personal-card-number", "378282246310005"),
    ("personal-card-number", "6011111111111117"),
    ("personal-card-number", "3530111333300000"),
    ("personal-e-mail-address", "ada.lovelace+1@maths.co.uk"),
]


@pytest.mark.parametrize(("check", "secret"), SECRETS)
def test_secret_is_found_masked_and_never_repeated(check: str, secret: str) -> None:
    rows = numbered([chat(), chat(message("user", f"Mine is {secret}."), message("assistant"))])
    left, findings = passed([PersonalData(EVERYTHING)], rows)
    assert [(f.check, f.lines, f.count) for f in findings] == [(check, (2,), 1)]
    assert secret not in repr(findings)
    assert secret not in repr(left)
    if not secret.endswith("cut off"):
        assert left[1].fields["messages"][0]["content"].startswith("Mine is [")
        assert left[1].fields["messages"][0]["content"].endswith("].")
    assert passed([PersonalData(EVERYTHING)], left)[1] == []


@pytest.mark.parametrize(
    "text",
    [
        "4242 4242 4242 4243",  # the sum is wrong
        "cancel purchase 113542617735902",  # no issuer begins with 1
        "1234567890123456",
        "14242424242424242",
        "4242 4242 4242 4242 4242 4242",
        "3.14159265358979323846",
        "ask-0123456789012345678901234",
        "sk-short",
        "user@example.com",
        "root@localhost",
        "me@",
        "12:34:56",
        "a risk-averse-and-otherwise-careful-person",
        "https://example.com/sk-",
    ],
)
def test_what_only_looks_alike_is_left_alone(text: str) -> None:
    rows = numbered([chat(message("user", text), message("assistant"))])
    assert passed([PersonalData(EVERYTHING)], rows) == (rows, [])


@pytest.mark.parametrize(
    "example",
    [
        {"prompt": f"Write to {SECRETS[-1][1]}", "completion": ""},
        chat(message("user"), calling(call(arguments=f'{{"to": "{SECRETS[-1][1]}"}}'))),
        chat(tools=[tool(description=SECRETS[-1][1])]),
        chat(message("user", [{"type": "text", "text": SECRETS[-1][1]}]), message("assistant")),
    ],
)
def test_every_text_of_every_format_is_searched(example: Any) -> None:
    left, findings = passed([PersonalData(EVERYTHING)], numbered([example]))
    assert len(findings) == 1
    assert "[e-mail address]" in repr(left)


def test_pictures_are_not_searched() -> None:
    url = {"url": "data:image/png;base64," + SECRETS[0][1]}
    content = [{"type": "image_url", "image_url": url}]
    rows = numbered([chat(message("user", content), message("assistant"))])
    assert passed([PersonalData(EVERYTHING)], rows) == (rows, [])


def test_text_that_begins_like_a_picture_is_searched() -> None:
    rows = numbered([{"prompt": f"data: {SECRETS[0][1]}", "completion": "x"}])
    assert passed([PersonalData(RECOMMENDED)], rows)[0][0].fields["prompt"] == "data: [API key]"


def test_what_comes_to_light_behind_a_mask_is_masked_too() -> None:
    rows = numbered([{"prompt": "4242424242424242 1@b.co", "completion": "x"}])
    left, findings = passed([PersonalData(EVERYTHING)], rows)
    assert left[0].fields["prompt"] == "[card number] [e-mail address]"
    assert {finding.count for finding in findings} == {1}


def test_addresses_are_replaced_only_when_chosen_and_keys_by_default() -> None:
    text = f"{SECRETS[-1][1]} {SECRETS[0][1]}"
    rows = numbered([{"prompt": text, "completion": "x"}])
    assert passed([PersonalData(NOTHING)], rows)[0] == rows
    left, _ = passed([PersonalData(RECOMMENDED)], rows)
    assert left[0].fields["prompt"] == f"{SECRETS[-1][1]} [API key]"


@pytest.mark.parametrize(
    ("digits", "valid"),
    [("4242424242424242", True), ("4242424242424241", False), ("0000000000000000", False)],
)
def test_card_numbers_have_an_issuer_and_a_sum(digits: str, *, valid: bool) -> None:
    assert is_card_number(digits) == valid


@settings(deadline=None)
@given(JSON, st.text(max_size=30), st.sampled_from(SECRETS), st.text(max_size=30))
def test_no_finding_ever_holds_a_secret(
    value: Any, before: str, secret: tuple[str, str], after: str
) -> None:
    rows = numbered([{"odd": value, "text": f"{before} {secret[1]} {after}"}])
    left, findings = passed([PersonalData(EVERYTHING)], rows)
    assert secret[1] not in repr(findings)
    assert passed([PersonalData(EVERYTHING)], left)[1] == []
