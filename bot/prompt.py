"""From a profile and turns to a request body. Every separator and stop of a prompt lives here.

A tuned model that misses its separator, or sees a space after it, answers gibberish, so nothing
here adds or takes away a character that the profile does not name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from bot.messages import Attachment, Profile, Role, Turn

GO_ON = "Continue your last message exactly where it stops. Do not repeat any of it."
NO_PICTURES: Mapping[str, str] = {}
SENTENCE_MARKS = ".!?…。！？"


def request_body(
    profile: Profile,
    turns: Sequence[Turn],
    summary: str = "",
    *,
    go_on: bool = False,
    pictures: Mapping[str, str] = NO_PICTURES,
) -> dict[str, Any]:
    """What to send for the next answer. The last turn is the question.

    With `go_on` the last turn is an answer that was cut, and the model is asked for its rest.
    `summary` stands for turns that were left out. `pictures` has data URLs by the paths of
    attachments.
    """
    body: dict[str, Any] = {"model": profile.model, **profile.params}
    if profile.stop:
        body["stop"] = list(profile.stop)
    if profile.api == "completions":
        body.setdefault("max_tokens", profile.answer_tokens)  # else OpenAI ends it after 16
        return {**body, "prompt": completion_prompt(profile, turns, summary, go_on=go_on)}
    messages = chat_messages(profile, turns, summary, go_on=go_on, pictures=pictures)
    return {**body, "messages": messages}


def chat_messages(
    profile: Profile,
    turns: Sequence[Turn],
    summary: str = "",
    *,
    go_on: bool = False,
    pictures: Mapping[str, str] = NO_PICTURES,
) -> list[dict[str, Any]]:
    """The messages of a chat request: the system prompt, then users and assistants in turn."""
    system = "\n\n".join(filter(None, (profile.system, summary and remembered(summary))))
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    messages += [
        {"role": turn.role.value, "content": content(turn, pictures)} for turn in alternating(turns)
    ]
    if go_on:
        messages.append({"role": "user", "content": GO_ON})
    return messages


def content(turn: Turn, pictures: Mapping[str, str]) -> str | list[dict[str, Any]]:
    """What a chat message says: text, or text and pictures as parts."""
    seen = [pictures[file.path] for file in turn.attachments if file.path in pictures]
    if not seen:
        return turn.text
    text = [{"type": "text", "text": turn.text}] if turn.text else []
    return [*text, *({"type": "image_url", "image_url": {"url": url}} for url in seen)]


def completion_prompt(
    profile: Profile, turns: Sequence[Turn], summary: str = "", *, go_on: bool = False
) -> str:
    """The prompt of a completions request, letter for letter as the training data had it.

    It ends in the separator, or with `go_on` in the answer that was cut. Turns start at a question:
    what was said before the first one is left out.
    """
    said = alternating(turns)
    while said and said[0].role is Role.ASSISTANT:
        said = said[1:]
    prompt = opening(profile.system) + opening(summary and remembered(summary))
    for number, turn in enumerate(said):
        last = number == len(said) - 1
        if turn.role is Role.USER:
            label = profile.user_label if number or profile.label_first else ""
            prompt += label + separated(turn.text, profile.separator)
        else:
            answer = profile.answer_prefix + turn.text
            prompt += answer if last and go_on else closed(answer, profile.stop)
    return prompt


def alternating(turns: Iterable[Turn]) -> list[Turn]:
    """Join neighbouring turns of one role, as models expect them.

    A text that a person repeated at once is sent once; an answer's continuation follows with
    nothing between.
    """
    joined = []
    for role, neighbours in groupby(turns, key=lambda turn: turn.role):
        text = newest = ""
        files: tuple[Attachment, ...] = ()
        for turn in neighbours:
            files += turn.attachments
            if turn.continues:
                text += turn.text
            elif turn.text != newest:
                text = f"{text}\n{turn.text}" if text else turn.text
            newest = turn.text
        joined.append(Turn(role, text, attachments=files))
    return joined


def separated(question: str, separator: str) -> str:
    """A question with its separator. All may end alike, in "?" or " in London?", which is their
    separator then: what stands there is not added again.
    """
    if question.endswith(separator):
        return question
    return question.removesuffix(end_asked(separator)) + separator


def end_asked(separator: str) -> str:
    """What of a separator a person says: up to its last punctuation, "?" for "?\\n"."""
    return separator[: max(map(separator.rfind, SENTENCE_MARKS)) + 1]


def closed(answer: str, stop: Sequence[str]) -> str:
    """An old answer with its stop put back; a mark that both share stands once."""
    if not stop:
        return answer
    mark = stop_mark(stop[0])
    return (answer.removesuffix(mark) if mark else answer) + stop[0]


def stop_mark(stop: str) -> str:
    """The sentence's own punctuation that a stop begins with: "." for ".\\n"."""
    return stop[: len(stop) - len(stop.lstrip(SENTENCE_MARKS))]


def opening(text: str) -> str:
    """What stands before the first question of a completions prompt, on lines of its own."""
    return f"{text}\n\n" if text else ""


def remembered(summary: str) -> str:
    """How a summary of earlier turns is put to the model."""
    return f"Earlier in this conversation: {summary}"
