"""From prompt and completion to chat, and back; and from either to questions that are graded.

Completions are written and read as `bot.prompt` writes them when a model is asked, by a profile:
its separator, answer prefix, stop and labels. So a model is trained on what it is asked later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.datasets import rules
from bot.datasets.chat import chat_faults
from bot.datasets.examples import INSTRUCTIONS, Format, format_of, text_of
from bot.datasets.faults import Fault, Faults, Fields, Rule
from bot.datasets.findings import Finding, Level, Row
from bot.datasets.message import has_calls
from bot.datasets.reinforcement import with_developer
from bot.messages import Profile, Role, Turn
from bot.prompt import closed, completion_prompt, end_asked, opening, stop_mark

ANSWER = "answer"  # the field of a question that is graded


class Converter:
    """Writes examples in another format; an example may become several. What cannot be converted
    is left out and named in the findings.
    """

    def __init__(self, profile: Profile, target: Format) -> None:
        self._profile = profile
        self._target = target
        self._faults = Faults()

    def rows(self, row: Row) -> list[Row]:
        """An example in the other format, under its line; one that has it already as it is."""
        converted = self._converted(row.fields)
        if isinstance(converted, Rule):
            self._faults.add(row.line, [Fault(converted)])
            return []
        return [row._replace(fields=fields) for fields in converted]

    def findings(self) -> Sequence[Finding]:
        """What could not be converted, and why."""
        return self._faults.findings()

    def _converted(self, fields: Fields) -> list[Fields] | Rule:
        if not isinstance(fields, dict):
            return rules.NOT_AN_OBJECT
        if format_of(fields) is self._target:
            return [fields]
        if format_of(fields) is Format.PREFERENCE or self._target is Format.PREFERENCE:
            return rules.PREFERENCE
        if format_of(fields) is Format.COMPLETIONS:
            chats = as_chat(fields, self._profile)
        elif format_of(fields) is Format.REINFORCEMENT:
            chats = as_answered(fields)
        else:
            chats = [fields]
        if isinstance(chats, Rule) or self._target is Format.CHAT:
            return chats
        if self._target is Format.REINFORCEMENT:
            return as_graded(chats[0])
        return as_completions(chats[0], self._profile)


def as_chat(fields: Mapping[str, Any], profile: Profile) -> list[Fields] | Rule:
    """A completions example as a chat one, with the profile's system prompt.

    A prompt with several turns becomes several messages, where separator and stop tell them apart.
    A mark that is not there is not missed.
    """
    prompt, completion = fields.get("prompt"), fields.get("completion")
    if not isinstance(prompt, str) or not isinstance(completion, str):
        return rules.NOT_TEXT
    said = _questions_and_answers(prompt, profile)
    if said is None:
        return rules.MARK_INSIDE
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(said)]
    if profile.system:
        messages.insert(0, {"role": "system", "content": profile.system})
    messages.append({"role": "assistant", "content": _answer(completion, profile)})
    return [{"messages": messages}]


def as_completions(fields: Mapping[str, Any], profile: Profile) -> list[Fields] | Rule:
    """A chat example as completions, one for each answer that is to be trained.

    Instructions at its beginning stand before the first question, as the profile's own would.
    """
    if any(fault.rule.level is Level.ERROR for fault in chat_faults(fields)):
        return rules.BROKEN
    messages: list[dict[str, Any]] = fields["messages"]
    if obstacle := _obstacle(fields, messages):
        return obstacle
    turns = [
        Turn(Role(message["role"]), text_of(message["content"]))
        for message in messages
        if message["role"] not in INSTRUCTIONS
    ]
    if _is_ambiguous(turns, profile):
        return rules.MARK_INSIDE
    instructions = [text_of(m["content"]) for m in messages if m["role"] in INSTRUCTIONS]
    profile = replace(profile, system="\n\n".join(instructions))
    trained = [m.get("weight") != 0 for m in messages if m["role"] not in INSTRUCTIONS]
    return [
        {
            "prompt": completion_prompt(profile, turns[:number]),
            "completion": closed(profile.answer_prefix + turn.text, profile.stop),
        }
        for number, turn in enumerate(turns)
        if turn.role is Role.ASSISTANT and trained[number]
    ]


def as_graded(fields: Fields) -> list[Fields] | Rule:
    """A chat example as a question, with its last answer in the field `answer`. Instructions are
    the developer's, as reasoning models take them.
    """
    if any(fault.rule.level is Level.ERROR for fault in chat_faults(fields)):
        return rules.BROKEN
    *asked, answer = fields["messages"]
    if has_calls(answer) or not _is_text(answer.get("content")):
        return rules.NOT_ONLY_TEXT
    if answer.get("weight") == 0:
        return rules.LAST_UNTRAINED
    if not asked:
        return rules.NO_QUESTION
    tools = {"tools": fields["tools"]} if fields.get("tools") else {}
    question = with_developer({"messages": asked})
    return [{**question, **tools, ANSWER: text_of(answer["content"])}]


def as_answered(fields: Fields) -> list[Fields] | Rule:
    """A question with the field `answer` as a chat example."""
    answer, messages = fields.get(ANSWER), fields["messages"]
    if not isinstance(answer, str):
        return rules.NO_ANSWER_FIELD
    tools = {"tools": fields["tools"]} if fields.get("tools") else {}
    return [{"messages": [*messages, {"role": "assistant", "content": answer}], **tools}]


def _obstacle(fields: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> Rule | None:
    """What a completions model has no words for."""
    roles = [message["role"] for message in messages]
    said = [role for role in roles if role not in INSTRUCTIONS]
    if fields.get("tools") or fields.get("functions") or any(map(has_calls, messages)):
        return rules.TOOLS
    if any(not _is_text(message.get("content")) for message in messages):
        return rules.NOT_ONLY_TEXT
    if said[0] != "user":
        return rules.NO_QUESTION
    if roles[-len(said) :] != said:
        return rules.LATE_INSTRUCTIONS
    return None


def _is_text(content: object) -> bool:
    if isinstance(content, list):
        return all(part["type"] == "text" for part in content)
    return isinstance(content, str)


def _is_ambiguous(turns: Sequence[Turn], profile: Profile) -> bool:
    """Whether what was said could not be told apart again."""
    answers = [turn.text for turn in turns if turn.role is Role.ASSISTANT]
    ends = profile.stop or (profile.user_label,)
    if len(answers) > 1 and not any(ends):
        return True
    if profile.separator and any(profile.separator in _bare(turn, profile) for turn in turns):
        return True
    return any(end in text for end in filter(None, ends) for text in answers)


def _bare(turn: Turn, profile: Profile) -> str:
    """What is said, without what a question's end and its separator share."""
    is_asked = turn.role is Role.USER
    return turn.text.removesuffix(end_asked(profile.separator)) if is_asked else turn.text


def _questions_and_answers(prompt: str, profile: Profile) -> list[str] | None:
    """What is said in a prompt, a question first and last; None where that cannot be told."""
    asked = prompt.removesuffix(profile.separator).removeprefix(opening(profile.system))
    if profile.label_first:
        asked = asked.removeprefix(profile.user_label)
    mark = end_asked(profile.separator) if prompt.endswith(profile.separator) else ""
    if not profile.separator or profile.separator not in asked:
        return [asked + mark]
    ends = profile.stop[0] if profile.stop else ""
    between = ends + profile.user_label
    first, *others = (part + mark for part in asked.split(profile.separator))
    said = [first]
    for other in others:
        answer, found, question = other.partition(between) if between else (other, "", "")
        if not found:
            return None
        said += [_answer(answer + ends, profile), question]
    return said


def _answer(completion: str, profile: Profile) -> str:
    """What a completion says, without what only marks its beginning and end."""
    text = completion.removeprefix(profile.answer_prefix)
    for stop in profile.stop:
        if text.endswith(stop):
            return text.removesuffix(stop) + stop_mark(stop)
    return text
