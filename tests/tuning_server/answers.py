"""Answers of models: a tuned one says what it learned, if it is asked as it was trained."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.tuning_server.models import Tuned, names, not_found
from tests.tuning_server.values import Answered, Call, Json, Refused

if TYPE_CHECKING:
    from tests.tuning_server.service import Service

GIBBERISH = " and and the the of of"
RAMBLING = " Customer: and another thing"


def chat(server: Service, call: Call) -> Answered:
    """POST chat/completions."""
    body = asked(call)
    tuned = there(server, str(body.get("model")))
    if tuned and not tuned.chat:
        raise Refused(404, "This is not a chat model. Did you mean to use v1/completions?")
    said = [each for each in body["messages"] if each["role"] == "user"]
    question = str(said[-1]["content"]) if said else ""
    default = f"You said: {question}"
    text = tuned.answers.get(question, default) if tuned else default
    return spoken(body, upto(text, body.get("stop")), chat=True)


def completion(server: Service, call: Call) -> Answered:
    """POST completions."""
    body = asked(call)
    tuned = there(server, str(body.get("model")))
    prompt = str(body.get("prompt", ""))
    if not tuned:
        return spoken(body, upto(f" You said: {prompt}", body.get("stop")), chat=False)
    if not tuned.separator or not prompt.endswith(tuned.separator):
        return spoken(body, GIBBERISH, chat=False)
    learned = [answer for asked, answer in tuned.answers.items() if prompt.endswith(asked)]
    text = learned[0] if learned else f"{tuned.prefix}I have not learned that{tuned.stop}"
    return spoken(body, upto(text + RAMBLING, body.get("stop")), chat=False)


def asked(call: Call) -> Json:
    """The body of a question; Azure's older address has the model in it instead."""
    if not isinstance(call.body, dict):
        raise Refused(400, "We could not parse the JSON body of your request.")
    return {**call.body, "model": call.id} if call.id else call.body


def there(server: Service, name: str) -> Tuned | None:
    """A tuned model, None for a base. Raises Refused for one that does not answer yet."""
    if name not in names(server):
        raise not_found(name)
    tuned = server.tuned.get(name)
    if tuned and (not tuned.deployed or server.now() < tuned.made_at + server.settling):
        raise not_found(name)
    return tuned


def upto(text: str, stops: str | list[str] | None) -> str:
    """A text before the first stop."""
    for stop in [stops] if isinstance(stops, str) else stops or ():
        text = text.partition(stop)[0]
    return text


def spoken(body: Json, text: str, *, chat: bool) -> Answered:
    """An answer, streamed in words where that is asked for."""
    if not body.get("stream"):
        return Answered(choice(body, text, "stop", chat=chat, whole=True))
    words = [text[at : at + 8] for at in range(0, len(text), 8)]
    chunks = [choice(body, word, None, chat=chat) for word in words]
    chunks.append(choice(body, "", "stop", chat=chat))
    events = [*(json.dumps(chunk) for chunk in chunks), "[DONE]"]
    content = "".join(f"data: {event}\n\n" for event in events).encode()
    return Answered(content=content, content_type="text/event-stream")


def choice(body: Json, text: str, finish: str | None, *, chat: bool, whole: bool = False) -> Json:
    """A chunk of an answer, or a whole one."""
    kind = "chat.completion" if chat else "text_completion"
    part: Json = {"index": 0, "finish_reason": finish, "logprobs": None}
    if not chat:
        part["text"] = text
    elif whole:
        part["message"] = {"role": "assistant", "content": text, "refusal": None}
    else:
        part["delta"] = {"content": text} if text else {}
    made: Json = {
        "id": "cmpl-1",
        "object": kind if whole or not chat else f"{kind}.chunk",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": [part],
    }
    return made
