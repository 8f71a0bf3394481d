"""Envelopes are read for what they mean; what Slack would not send harms nobody."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.events import Did, Moved, Throttled, Written, key_of, read

ME = "U0BOT"
SAID = {"type": "message", "channel": "C1", "user": "U0ANN", "ts": "1.0", "text": "Hello"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def told(**event: Any) -> dict[str, Any]:
    """An envelope with an event."""
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}


def test_message_is_known_by_its_team_channel_and_time() -> None:
    message = read(told(**SAID), ME)
    mention = read(told(**{**SAID, "type": "app_mention"}), ME)
    assert isinstance(message, Written)
    assert isinstance(mention, Written)
    assert message.key == mention.key == "T1/C1/1.0"


@pytest.mark.parametrize("subtype", [None, "file_share", "thread_broadcast", "me_message"])
def test_what_people_write_is_heard(subtype: str | None) -> None:
    assert isinstance(read(told(**SAID, subtype=subtype), ME), Written)


@pytest.mark.parametrize(
    "more",
    [
        {"bot_id": "B1"},
        {"user": ME},
        {"user": "USLACKBOT"},
        {"user": None},
        {"hidden": True},
        {"subtype": "message_changed", "message": SAID},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "bot_message"},
        {"subtype": "assistant_app_thread"},
    ],
)
def test_bots_and_slack_itself_start_nothing(more: dict[str, Any]) -> None:
    assert read(told(**{**SAID, **more}), ME) is None


def test_first_message_of_a_thread_stands_at_top_level() -> None:
    message = read(told(**SAID, thread_ts="1.0"), ME)
    assert isinstance(message, Written)
    assert not message.thread


@pytest.mark.parametrize(
    ("payload", "deed"),
    [
        ({"command": "/tunebot", "user_id": "U0ANN"}, "command"),
        ({"type": "block_actions", "user": {"id": "U0ANN"}}, "action"),
        (told(type="app_home_opened", user="U0ANN"), "home"),
        (told(type="reaction_added", user="U0ANN"), "reaction"),
        (told(type="reaction_removed", user="U0ANN"), "reaction"),
        (told(type="agent_session_stopped", user="U0ANN"), "stopped"),
        (told(type="tokens_revoked"), "gone"),
        (told(type="app_uninstalled"), "gone"),
    ],
)
def test_deeds_are_told_apart(payload: dict[str, Any], deed: str) -> None:
    did = read(payload, ME)
    assert isinstance(did, Did)
    assert did.deed == deed


def test_stop_waits_for_nothing() -> None:
    did = read(told(type="agent_session_stopped", user="U0ANN"), ME)
    assert isinstance(did, Did)
    assert not did.queue


def test_channel_that_moved_and_slack_that_withholds_are_understood() -> None:
    moved = told(type="channel_id_changed", old_channel_id="C1", new_channel_id="C2")
    assert read(moved, ME) == Moved("C1", "C2")
    assert read({"type": "app_rate_limited"}, ME) == Throttled()


def test_what_is_nothing_to_the_bot_is_nothing() -> None:
    assert read(told(type="member_joined_channel"), ME) is None
    assert read({"type": "something_new"}, ME) is None
    assert read({}, ME) is None


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ({"event_id": "Ev1"}, "Ev1"),
        ({"trigger_id": "1.2.3", "command": "/tunebot"}, "1.2.3"),
        ({"event_id": None}, ""),
        ({}, ""),
    ],
)
def test_envelope_is_known_by_slacks_own_id(payload: dict[str, Any], key: str) -> None:
    assert key_of(payload) == key


@given(
    st.sampled_from(["message", "app_mention", "reaction_added", "channel_id_changed"]),
    st.dictionaries(st.sampled_from([*SAID, "files", "subtype", "thread_ts"]), JSON),
)
def test_hostile_events_are_refused_in_known_ways(kind: str, more: dict[str, Any]) -> None:
    event = json.loads(json.dumps({**SAID, **more, "type": kind}))
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        read(told(**event), ME)
