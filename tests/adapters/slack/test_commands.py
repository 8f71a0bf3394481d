"""What people type, in the words of the core's commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.commands import families, is_command, said, typed, within
from bot.ports import CommandInfo

COMMANDS = [
    CommandInfo("/help", "[COMMAND]", "List the commands.", operator=False),
    CommandInfo("/stop", "", "Stop the answer.", operator=False),
    CommandInfo("/forget", "", "Forget me.", operator=False),
    CommandInfo("/model", "[NAME]", "Choose a model.", operator=False),
    CommandInfo("/system", "[TEXT]", "Set the system prompt.", operator=True),
    CommandInfo("/finetune start", "FILE MODEL", "Start a job.", operator=True),
    CommandInfo("/finetune status", "[JOB]", "Show a job.", operator=False),
    CommandInfo("/finetune jobs old", "", "Old jobs.", operator=False),
    CommandInfo("/finetune jobs", "", "All jobs.", operator=False),
]

SAID = [
    ("finetune status ft-7", "/finetune status ft-7"),
    ("/finetune status ft-7", "/finetune status ft-7"),
    ("Finetune  STATUS   FT-7", "/finetune status FT-7"),
    ("  finetune status\nft-7  ", "/finetune status ft-7"),
    ("finetune status?", "/finetune status"),
    ("finetune start data.jsonl gpt-4o-mini", "/finetune start data.jsonl gpt-4o-mini"),
    ("finetune jobs old", "/finetune jobs old"),
    ("finetune jobs older", "/finetune jobs older"),
    ("finetune", "/finetune"),
    ("finetune my model, please", "finetune my model, please"),
    ("stop", "/stop"),
    ("Stop!", "/stop"),
    ("stop …", "/stop"),
    ("help", "/help"),
    ("help?", "/help"),
    ("help me write a mail", "help me write a mail"),
    ("model support", "model support"),
    ("/model support", "/model support"),
    ("/model  Support  ", "/model  Support"),
    ("/nosuch thing", "/nosuch thing"),
    ("/usr/bin/env is what?", "/usr/bin/env is what?"),
    ("stop the war", "stop the war"),
    ("forget it", "forget it"),
    ("what is love?", "what is love?"),
    ("stopped", "stopped"),
    ("", ""),
    ("...", "..."),
]

TYPED = [
    ("model support", "/model support"),
    ("Model Support", "/model Support"),
    ("/model x", "/model x"),
    ("model which one is best?", "model which one is best?"),
    ("help", "/help"),
    ("help model", "/help model"),
    ("help me write a mail", "help me write a mail"),
    ("forget", "/forget"),
    ("forget it", "forget it"),
    ("stop the war", "stop the war"),
    ("system You are kind, and brief.", "/system You are kind, and brief."),
    ("finetune status ft-7", "/finetune status ft-7"),
    ("what is love?", "what is love?"),
    ("/usr/bin is what?", "/usr/bin is what?"),
    ("", ""),
]

WITHIN = [
    ("status ft-7", "/finetune status ft-7"),
    ("Status ft-7", "/finetune Status ft-7"),
    ("  status\tft-7 ", "/finetune status\tft-7"),
    ("start data.jsonl gpt-4o-mini", "/finetune start data.jsonl gpt-4o-mini"),
    ("/finetune status x", "/finetune status x"),
    ("finetune status x", "/finetune status x"),
    ("stauts x", "/finetune stauts x"),
    ("finetune", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "meaning"), SAID)
def test_words_after_a_mention_are_the_command_that_they_name(text: str, meaning: str) -> None:
    assert said(text, COMMANDS) == meaning


@pytest.mark.parametrize(("text", "meaning"), TYPED)
def test_words_after_the_slash_command_may_have_arguments(text: str, meaning: str) -> None:
    assert typed(text, COMMANDS) == meaning


@pytest.mark.parametrize(("text", "meaning"), WITHIN)
def test_a_family_of_commands_takes_the_rest_of_the_name(text: str, meaning: str) -> None:
    assert within("/finetune", text) == meaning


@given(st.text())
def test_whatever_is_typed_stays_or_becomes_a_known_command(text: str) -> None:
    known = (*(each.name for each in COMMANDS), *families(COMMANDS))
    for meaning in (said(text, COMMANDS), typed(text, COMMANDS)):
        assert meaning == text.strip() or meaning.startswith(known)
        assert said(meaning, COMMANDS) == meaning, "the core is told what it means already"


@given(st.text(), st.sampled_from(["/finetune", "finetune", ""]))
def test_a_family_says_nothing_but_commands(text: str, before: str) -> None:
    meaning = within("/finetune", f"{before} {text}")
    assert is_command(meaning) or not meaning
