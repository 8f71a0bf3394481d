"""What Slack must know of the app: all that the code uses, and nothing more."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft7Validator

import adapters.slack
from adapters.slack import Settings
from adapters.slack.commands import said
from adapters.slack.events import DEEDS
from adapters.slack.manifest import EVENTS, FEATURES, METHODS, SCOPES, manifest
from bot.cli import main
from bot.commands import infos
from bot.errors import ConfigError
from bot.ports import CommandInfo
from tests.shared import shared
from tests.slack_server.events import KINDS

FINETUNE = CommandInfo("/finetune start", "FILE MODEL", "Start a job.", operator=True)
MESSAGES = {"app_mention", "channel_id_changed", *KINDS.values()}
SOURCES = {
    file.name: ast.parse(file.read_text())
    for file in sorted(Path(adapters.slack.__file__).parent.glob("*.py"))
}

text = {"type": "string", "minLength": 1}
url = {"type": "string", "pattern": "^https://", "maxLength": 3000}


def fields(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """The schema of an object with these fields and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


def at_most(length: int) -> dict[str, Any]:
    """The schema of a text."""
    return {**text, "maxLength": length}


def several(most: int, items: dict[str, Any]) -> dict[str, Any]:
    """The schema of a list."""
    return {"type": "array", "minItems": 1, "maxItems": most, "items": items, "uniqueItems": True}


yes_no = {"type": "boolean"}
# The part of version 2 of Slack's schema that is used here (github.com/slackapi/manifest-schema).
SCHEMA = fields(
    {
        "_metadata": fields({"major_version": {"const": 2}, "minor_version": {"type": "integer"}}),
        "display_information": fields({"name": at_most(35), "description": at_most(140)}),
        "features": fields(
            {
                "app_home": fields(
                    {
                        "home_tab_enabled": {"const": True},
                        "messages_tab_enabled": {"const": True},
                        "messages_tab_read_only_enabled": {"const": False},
                    }
                ),
                "bot_user": fields({"display_name": at_most(80), "always_online": yes_no}),
                "agent_view": fields(
                    {
                        "agent_description": at_most(300),
                        "suggested_prompts": several(4, fields({"title": text, "message": text})),
                    }
                ),
                "shortcuts": several(
                    10,
                    fields(
                        {
                            "name": at_most(24),
                            "type": {"enum": ["message", "global"]},
                            "callback_id": at_most(255),
                            "description": at_most(150),
                        }
                    ),
                ),
                "slash_commands": several(
                    50,
                    fields(
                        {
                            "command": {**at_most(32), "pattern": "^/"},
                            "description": at_most(2000),
                            "usage_hint": at_most(1000),
                            "should_escape": yes_no,
                        },
                        url=url,
                    ),
                ),
            }
        ),
        "oauth_config": fields({"scopes": fields({"bot": several(255, at_most(50))})}),
        "settings": fields(
            {
                "event_subscriptions": fields(
                    {"bot_events": several(100, at_most(50))}, request_url=url
                ),
                "interactivity": fields({"is_enabled": {"const": True}}, request_url=url),
                "org_deploy_enabled": yes_no,
                "socket_mode_enabled": yes_no,
                "token_rotation_enabled": yes_no,
            }
        ),
    }
)


def made(url: str = "", **settings: Any) -> dict[str, Any]:
    """The manifest with some settings, and a registry that has /finetune."""
    commands = [*infos(), FINETUNE]
    return manifest("slack", Settings.model_validate(settings), commands, url)


def called_in(tree: ast.AST) -> set[str]:
    """The methods of Slack's Web API that a source calls by slack_sdk's client."""
    return {
        each.attr.replace("_", ".")
        for each in ast.walk(tree)
        if isinstance(each, ast.Attribute)
        and isinstance(each.value, ast.Attribute | ast.Name)
        and (each.value.attr if isinstance(each.value, ast.Attribute) else each.value.id)
        == "client"
    }


def used_of_api() -> set[str]:
    """What the other sources use of `Api`."""
    used: set[str] = {"auth_test"}
    for tree in SOURCES.values():
        for each in ast.walk(tree):
            if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Attribute | ast.Name):
                of = each.value
                name = of.attr if isinstance(of, ast.Attribute) else of.id
                if name in {"api", "_api"}:
                    used.add(each.attr)
    return used


def test_methods_are_those_that_the_code_calls() -> None:
    wrappers = {
        each.name: called_in(each)
        for each in ast.walk(SOURCES["api.py"])
        if isinstance(each, ast.AsyncFunctionDef)
    }
    used = used_of_api()
    called = set().union(*(calls for name, calls in wrappers.items() if name in used))
    for name, tree in SOURCES.items():
        assert name == "api.py" or not called_in(tree) & set(shared("specs/slack/methods.json"))
    assert called == set(METHODS)


def test_scopes_are_those_that_methods_events_and_features_need() -> None:
    methods, events = shared("specs/slack/methods.json"), shared("specs/slack/events.json")
    for method, scopes in METHODS.items():
        offered = set(methods[method]["scope"].get("bot", ()))
        assert bool(scopes) == bool(offered), method
        assert set(scopes) <= offered, method
    known = {each["name"]: each.get("scopes", ()) for each in events}
    for event, scope in EVENTS.items():
        needed = [each.replace(".", ":") for each in known[event]]
        assert needed == ([scope] if scope else []), event
    assert set(SCOPES) == {*EVENTS.values(), *sum(METHODS.values(), ()), *FEATURES} - {""}


def test_events_are_those_that_are_read() -> None:
    assert set(EVENTS) == {*DEEDS, *MESSAGES}


@pytest.mark.parametrize("mode", ["socket", "http"])
def test_manifest_is_one_that_slack_takes(mode: str) -> None:
    manifest = made("https://bot.example.org", mode=mode)
    Draft7Validator(SCHEMA).validate(manifest)


def test_http_mode_names_one_request_url_for_everything() -> None:
    manifest = made("https://bot.example.org/", mode="http")
    url = "https://bot.example.org/slack"
    assert manifest["settings"]["event_subscriptions"]["request_url"] == url
    assert manifest["settings"]["interactivity"]["request_url"] == url
    assert {each["url"] for each in manifest["features"]["slash_commands"]} == {url}
    assert not manifest["settings"]["socket_mode_enabled"]


@pytest.mark.parametrize("url", ["", "http://bot.example.org", "bot.example.org"])
def test_http_mode_without_an_address_says_what_to_add(url: str) -> None:
    with pytest.raises(ConfigError, match=r"--url https://"):
        made(url, mode="http")


def test_slash_commands_have_the_configured_names() -> None:
    manifest = made(command="/bot-dev", finetune_command="/tune")
    names = [each["command"] for each in manifest["features"]["slash_commands"]]
    assert names == ["/bot-dev", "/tune"]


def test_a_registry_without_finetune_has_no_such_slash_command() -> None:
    one = CommandInfo("/help", "[COMMAND]", "Help.", operator=False)
    (command,) = manifest("slack", Settings.model_validate({}), [one])["features"]["slash_commands"]
    assert command["usage_hint"] == "help [COMMAND]"


def test_any_number_of_commands_fits_into_the_hint() -> None:
    many = [CommandInfo(f"/{'c' * 30}{n}", "A B", "x", operator=False) for n in range(500)]
    Draft7Validator(SCHEMA).validate(manifest("slack", Settings.model_validate({}), many))


def test_suggested_prompts_are_commands_that_there_are() -> None:
    names = {each.name for each in infos()}
    for prompt in made()["features"]["agent_view"]["suggested_prompts"]:
        assert said(prompt["message"], infos()) in names


def test_command_line_prints_the_same_in_both_formats(tmp_path: Path) -> None:
    config = tmp_path / "tunebot.toml"
    config.write_text('[adapters.slack]\ncommand = "/ask"\n')
    runner = CliRunner()
    told = {
        written: runner.invoke(main, ["manifest", "--format", written, "--config", str(config)])
        for written in ("json", "yaml")
    }
    assert all(each.exit_code == 0 for each in told.values())
    assert json.loads(told["json"].stdout) == yaml.safe_load(told["yaml"].stdout)
    assert json.loads(told["json"].stdout)["features"]["slash_commands"][0]["command"] == "/ask"


def test_command_line_names_the_key_that_is_wrong(tmp_path: Path) -> None:
    config = tmp_path / "tunebot.toml"
    config.write_text('[adapters.slack]\ncommand = "Ask Me"\n')
    told = CliRunner().invoke(main, ["manifest", "--config", str(config)])
    assert told.exit_code == 2
    assert "adapters.slack.command" in told.stderr
