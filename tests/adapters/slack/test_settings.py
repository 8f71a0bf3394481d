"""The start: what must be there, what is checked, and that the tokens are told to nobody."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from adapters.slack import Settings, create
from bot.errors import ConfigError

BOT = {"SLACK_BOT_TOKEN": "xoxb-1-2-secret"}
APP = {"SLACK_APP_TOKEN": "xapp-1-A1-2-secret"}
HTTP = {"mode": "http"}


@pytest.mark.parametrize(
    ("settings", "environment", "sentence"),
    [
        ({}, {}, "SLACK_BOT_TOKEN is not set: install the app"),
        ({}, {"SLACK_BOT_TOKEN": "xoxp-1-secret"}, "SLACK_BOT_TOKEN does not look like one"),
        ({}, {"SLACK_BOT_TOKEN": "xapp-1-secret"}, "SLACK_BOT_TOKEN does not look like one"),
        ({}, BOT, "SLACK_APP_TOKEN is not set: .* connections:write"),
        ({}, {**BOT, "SLACK_APP_TOKEN": "xoxb-1-secret"}, "SLACK_APP_TOKEN does not look like one"),
        (HTTP, {**BOT, **APP}, "SLACK_SIGNING_SECRET is not set: .* Basic Information"),
        (HTTP, {**BOT, "SLACK_SIGNING_SECRET": "ä b"}, "SLACK_SIGNING_SECRET does not look"),
        ({"command": "/finetune"}, {**BOT, **APP}, "adapters.slack.finetune_command is /finetune"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(
    settings: dict[str, str], environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence) as refused:
        create("slack", Settings.model_validate(settings), environment)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "polling"},
        {"token": "x"},
        {"sockets": 0},
        {"sockets": 6},
        {"command": "tunebot"},
        {"command": "/Tune Bot"},
        {"timeout": 0},
        {"channel_rate": -1},
    ],
)
def test_wrong_setting_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(settings)


def test_slack_libraries_are_loaded_only_for_an_adapter() -> None:
    code = "import sys, adapters.slack; print({'slack_bolt', 'slack_sdk'} & set(sys.modules))"
    found = subprocess.check_output([sys.executable, "-c", code])  # noqa: S603  our own code
    assert found.strip() == b"set()"
