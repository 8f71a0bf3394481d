"""The modal in which a question is asked, alone or about a message. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from adapters.slack.given import optional

QUESTION = "question"  # the id of the input and of its block
ASKED = "asked"  # the callback_id of the modal
MOST_QUESTION = 3_000  # characters that Slack lets people type there
MOST_METADATA = 3_000
MOST_SECTION = 3_000


@dataclass(frozen=True, slots=True)
class Shortcut:
    """An entry in Slack's menus, of everything ("global") or of a message."""

    callback_id: str
    type: Literal["global", "message"]
    name: str
    description: str


ASK = Shortcut("ask", "global", "Ask tunebot", "Ask a question; the answer is a direct message.")
ASK_ABOUT = Shortcut(
    "ask_about",
    "message",
    "Ask about this message",
    "Ask tunebot about a message; the answer stands in its thread.",
)
SHORTCUTS = (ASK, ASK_ABOUT)


@dataclass(frozen=True, slots=True)
class Subject:
    """The message that is asked about, in Slack's own writing; what a modal remembers of it.

    `thread` is the ts of its thread, or its own. `response_url` reaches who asks, for half an hour
    from `asked` in Unix seconds.
    """

    channel: str = ""
    thread: str = ""
    text: str = ""
    author: str = ""
    response_url: str = ""
    asked: float = 0.0

    def metadata(self) -> str:
        """As a view carries it: the text is cut where Slack takes no more."""
        fields = asdict(self)
        written = json.dumps(fields, ensure_ascii=False)
        while len(written) > MOST_METADATA:
            fields["text"] = cut(fields["text"], len(fields["text"]) - len(written) + MOST_METADATA)
            written = json.dumps(fields, ensure_ascii=False)
        return written


def subject_of(metadata: str) -> Subject:
    """What a modal remembers. Raises ValueError or TypeError for what is none of ours."""
    return Subject(**json.loads(metadata))


def question(subject: Subject, shortcut: Shortcut) -> dict[str, Any]:
    """The modal that asks for a question."""
    shown = [quoted(subject.text)] if subject.text.strip() else []
    return {
        "type": "modal",
        "callback_id": ASKED,
        "private_metadata": subject.metadata(),
        "title": plain(shortcut.name),
        "submit": plain("Ask"),
        "close": plain("Cancel"),
        "blocks": [*shown, question_input()],
    }


def question_input() -> dict[str, Any]:
    """Where the question is typed."""
    return {
        "type": "input",
        "block_id": QUESTION,
        "label": plain("Your question"),
        "element": {
            "type": "plain_text_input",
            "action_id": QUESTION,
            "multiline": True,
            "max_length": MOST_QUESTION,
            "focus_on_load": True,
        },
    }


def sorry(sentence: str, shortcut: Shortcut) -> dict[str, Any]:
    """The modal for who may not ask."""
    return {
        "type": "modal",
        "title": plain(shortcut.name),
        "close": plain("Close"),
        "blocks": [{"type": "section", "text": plain(sentence)}],
    }


def quoted(text: str) -> dict[str, Any]:
    """A message as Slack wrote it, so that names stand where it has ids; a modal wakes nobody."""
    lines = "\n".join(f">{line}" for line in text.splitlines())
    return {"type": "section", "text": {"type": "mrkdwn", "text": cut(lines, MOST_SECTION)}}


def typed_in(view: Mapping[str, Any]) -> str:
    """The question as it was submitted; "" where nothing was typed."""
    return optional(view, "state", "values", QUESTION, QUESTION, "value").strip()


def plain(text: str) -> dict[str, Any]:
    """Text as it is."""
    return {"type": "plain_text", "text": text}


def cut(text: str, most: int) -> str:
    """A text of so many characters at most, which says where it was cut."""
    return text if len(text) <= most else f"{text[: max(most - 1, 0)]}…"
