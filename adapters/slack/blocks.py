"""What stands in a message: its text as a markdown block, and buttons below it.

A button carries in JSON what a press means, 2,000 characters at most; `pressed` reads it back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from adapters.slack.safe import escaped, plain, visible
from bot.messages import Button

Block = dict[str, Any]
SAY, STOP, OPINION = "say", "stop", "opinion"  # how action_ids begin, before a colon
MOST_LABEL = 75  # characters
MOST_A_ROW = 25
A_SECTION = 500  # characters; escaped, a section holds 3,000
THUMBS = {"positive_button": ("👍", "Good answer", 1), "negative_button": ("👎", "Bad answer", -1)}


@dataclass(frozen=True, slots=True)
class Says:
    """A button that says something for `person`, Slack's id of who was asked, "" for anyone, in the
    conversation of that thread of the message's channel, "" for the channel itself.
    """

    text: str
    person: str = ""
    thread: str = ""

    def may(self, user: str) -> bool:
        """Whether that user may press it."""
        return self.person in {"", user}


@dataclass(frozen=True, slots=True)
class Stop:
    """The button below an answer that grows: the same as /stop in its thread."""

    thread: str = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a person thinks of an answer: 1 or -1. `before` are the messages that show the same part
    of it above the one whose button was pressed; usually there are none.
    """

    value: int
    before: tuple[str, ...] = ()

    def handle(self, ts: str) -> str:
        """The core's handle of the answer, below which the button stands in the message `ts`."""
        return handle_of([*self.before, ts])


def handle_of(messages: Sequence[str]) -> str:
    """What the core keeps of the messages that show one part."""
    return "+".join(messages)


def messages_of(handle: str) -> list[str]:
    """The messages that a handle names."""
    return handle.split("+") if handle else []


def markdown(text: str) -> Block:
    """A text as Slack's own Markdown shows it; made safe before."""
    return {"type": "markdown", "text": text}


def literal(text: str) -> list[Block]:
    """A text as it was written, where Slack cannot read its Markdown."""
    pieces = [text[at : at + A_SECTION] for at in range(0, len(text), A_SECTION)]
    return [section(visible(escaped(piece))) for piece in pieces or [""]]


def section(text: str) -> Block:
    """A text in Slack's older markup, for a response_url; 3,000 characters at most."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def buttons(several: Sequence[Button], person: str, thread: str) -> list[Block]:
    """The buttons of a card, which say something for a person."""
    shown = [
        button(f"{SAY}:{number}", each.label, asdict(Says(each.says, person, thread)))
        for number, each in enumerate(several)
    ]
    rows = [shown[at : at + MOST_A_ROW] for at in range(0, len(shown), MOST_A_ROW)]
    return [{"type": "actions", "elements": row} for row in rows]


def stop(thread: str) -> Block:
    """The button below an answer that grows."""
    return {"type": "actions", "elements": [button(STOP, "Stop", asdict(Stop(thread)))]}


def feedback(before: Sequence[str] = ()) -> Block:
    """👍 and 👎 below an answer."""
    thumbs = {
        name: {
            "text": {"type": "plain_text", "text": sign, "emoji": True},
            "accessibility_label": label,
            "value": json.dumps(asdict(Opinion(value, tuple(before)))),
        }
        for name, (sign, label, value) in THUMBS.items()
    }
    element = {"type": "feedback_buttons", "action_id": OPINION, **thumbs}
    return {"type": "context_actions", "elements": [element]}


def button(action: str, label: str, means: Mapping[str, Any]) -> Block:
    """One button."""
    text = {"type": "plain_text", "text": plain(label)[:MOST_LABEL] or "…", "emoji": True}
    return {"type": "button", "action_id": action, "text": text, "value": json.dumps(means)}


def pressed(action: Mapping[str, Any]) -> Says | Stop | Opinion | None:
    """What an action of a block_actions payload means; None for one that is not of an answer."""
    kind = str(action.get("action_id", "")).partition(":")[0]
    try:
        means = json.loads(action.get("value") or "")
        match kind:
            case "say":
                return Says(str(means["text"]), str(means["person"]), str(means["thread"]))
            case "stop":
                return Stop(str(means["thread"]))
            case "opinion" if means["value"] in {1, -1}:
                return Opinion(means["value"], tuple(map(str, means["before"])))
    except (ValueError, KeyError, TypeError):
        pass
    return None
