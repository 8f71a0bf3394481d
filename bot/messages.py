"""The values that travel through the core: pure data, imported by everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NamedTuple

OPENAI_URL = "https://api.openai.com/v1"
ANSWER_TOKENS = 512  # of an answer to whose length the profile sets no limit


@dataclass(frozen=True, slots=True)
class ConversationId:
    """One history. channel and thread are the adapter's own ids; never parse them."""

    adapter: str
    channel: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote. `id` is "adapter:user", the form that [access] uses; "page:" is the chat page."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a person sent. `path` is where the adapter put it, below `Core.files`."""

    name: str
    media_type: str
    path: str
    size: int

    @property
    def is_speech(self) -> bool:
        """Whether it is to be listened to."""
        return self.media_type.startswith("audio/")


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """What a platform delivered, in the core's terms.

    `keys` holds every id under which the platform may deliver this message again, unique within
    the adapter; with no key the message is never taken for a repetition. `origin` is the adapter's
    own note of what an answer needs (a message to reply to, a team, a recipient); the core stores
    it and hands it back.

    `question_id` is for platforms that fetch their answer: a message with one is answered by
    itself, what is said to it is kept (see `Core.said`), and the same id in the same conversation
    is the same message. `profile` chooses who answers in the conversation from now on, as /model
    does. `events` has the ids of the RawEvents that the message was read from: they leave the shelf
    in the transaction that stores it.
    """

    conversation: ConversationId
    person: Person
    text: str
    keys: tuple[str, ...] = ()
    origin: str = ""
    attachments: tuple[Attachment, ...] = ()
    question_id: str = ""
    profile: str = ""
    events: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RawEvent:
    """Something as a platform delivered it, committed before anybody has read it. `raw` is the
    adapter's own writing.
    """

    id: int
    raw: str


class Receipt(StrEnum):
    """What became of a message that an adapter handed in; in every case it may be acknowledged."""

    ACCEPTED = "accepted"  # committed; it will be answered
    DUPLICATE = "duplicate"  # seen before; nothing happens
    REFUSED = "refused"  # from a stranger, or over a limit; they were told


class Role(StrEnum):
    """Who said a turn."""

    USER = "user"
    ASSISTANT = "assistant"


class Ending(StrEnum):
    """How an answer ended, or that it has not yet."""

    ASKING = "asking"  # owed: after a crash it is asked again
    WHOLE = "whole"
    LENGTH = "length"  # the model's limit cut it; /continue goes on
    STOPPED = "stopped"  # a person stopped it
    BROKEN = "broken"  # the connection broke in the middle; /retry asks again
    FILTERED = "filtered"  # the provider's content filter cut it
    FAILED = "failed"  # nothing came; the text is the sentence that said so
    REPLACED = "replaced"  # /retry asked again


class Turn(NamedTuple):  # a hundred are made for an answer, in a fifth of a dataclass's time
    """One thing said in a conversation. `at` is in Unix seconds.

    `continues` marks an answer that goes on where the one before it was cut, with nothing between.
    `feedback` is the sum of what people think of an answer: +1 for each who likes it, -1 for each
    who does not.
    """

    role: Role
    text: str
    id: int = 0
    person: str = ""
    at: float = 0.0
    ending: Ending = Ending.WHOLE
    continues: bool = False
    attachments: tuple[Attachment, ...] = ()
    feedback: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one model call. `counted` says that we counted, because the server did not."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used. `cost` is in US dollars, without the `unpriced` answers."""

    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a streamed answer.

    `text` is what may be shown already. `waiting` is a sentence about a delay before the first
    text. The last chunk has `finish` ("stop", "length", "content_filter" …) and the usage.
    """

    text: str = ""
    waiting: str = ""
    finish: str = ""
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file that the bot sends."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Button:
    """A button below a card. Who presses it says `says`, as if it was typed: 48 bytes of UTF-8 at
    most, so that platforms can carry it.
    """

    label: str
    says: str


@dataclass(frozen=True, slots=True)
class Card:
    """A finished text: Markdown, perhaps with a file and buttons; `private` to who asked.

    `failed` says that it is not what was asked for, but a sentence about why not. `board` names the
    follower of a job whose card this is, which is edited in place for as long as the job runs; with
    `beneath` the text stands below that card.
    """

    text: str
    document: Document | None = None
    private: bool = False
    failed: bool = False
    buttons: tuple[Button, ...] = ()
    board: int = 0
    beneath: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What was said to a question: an answer, without the marks that tell how it ended, or what a
    command replied, with its buttons. `key` is the one of its ReplyTo.
    """

    key: str
    text: str
    ending: Ending = Ending.WHOLE
    usage: Usage = field(default_factory=Usage)
    document: Document | None = None
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation in a list. `title` begins its first question, `at` is its newest turn's time
    in Unix seconds.
    """

    conversation: ConversationId
    title: str
    at: float


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Where a reply goes. `key` is the same after a restart: a platform that can look up what was
    sent under it finds a message whose answer was lost. `origin` is the IncomingMessage's own.
    `beneath` is the handle of a message of ours below which it is said, in its thread or as a reply
    to it; "" for none. `answer` says that a model speaks, whom people may judge, and no command.
    """

    conversation: ConversationId
    key: str
    origin: str = ""
    person: str = ""
    private: bool = False
    beneath: str = ""
    answer: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """How to talk to one model; see [profiles] in config.example.toml for each field.

    `context` is the model's window in tokens, 0 when it is not known; `history` the most turns
    that are sent.
    """

    # pydantic validates this dataclass in bot.config and refuses other keys.
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    name: str
    provider: str
    model: str
    api: Literal["chat", "completions"] = "chat"
    system: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    separator: str = ""
    answer_prefix: str = ""
    stop: tuple[str, ...] = ()
    user_label: str = ""
    label_first: bool = False
    context: int = 0
    history: int = 50
    summarise: bool = False
    vision: bool = False

    @property
    def answer_tokens(self) -> int:
        """The tokens that an answer may take."""
        asked = self.params.get("max_completion_tokens") or self.params.get("max_tokens")
        return asked if isinstance(asked, int) else ANSWER_TOKENS


@dataclass(frozen=True, slots=True)
class Provider:
    """Where models are; see [providers] in config.example.toml for each field. Times in seconds."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    name: str
    kind: Literal["openai", "azure", "legacy", "local"] = "openai"
    base_url: str = OPENAI_URL
    api_key_env: str = ""
    organization: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    api_version: str = ""
    connect_timeout: float = 10.0
    idle_timeout: float = 60.0
    retry_deadline: float = 120.0
    transcription: str = ""
    model_file: str = ""
    engine: Literal["numpy", "trl"] = "numpy"
    model_folder: str = ""
    vllm_url: str = ""
    python: str = ""
    slots: int = 2
    slot_context: int = 2048
    threads: int = 0
    training_type: str = "Standard"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens; `training` is None where it is not known."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    input: float
    output: float
    training: float | None = None
