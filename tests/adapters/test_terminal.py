"""The terminal adapter: against the contract, in a pipe, and on a real pseudo-terminal."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import stat
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TextIO

import pexpect  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.terminal import Settings, Terminal
from adapters.terminal.files import safe_name, save
from adapters.terminal.piped import MOST, messages
from adapters.terminal.text import clean, tail
from bot.errors import BotError, DeliveryRefused, StoreBusy
from bot.messages import ConversationId, Document, IncomingMessage, Person, ReplyTo
from bot.ports import Sink
from tests.adapters.contract import AdapterContract
from tests.adapters.fake_core import FakeCore

ROOT = Path(__file__).parents[2]


class Paper(io.StringIO):
    """A terminal which never scrolls. It knows the codes that a Screen may write, and no others."""

    CODES = re.compile(r"(\x1b\[[\d;]*[AJKm]|\r|\n)|([^\x1b\r\n]+)")

    def isatty(self) -> bool:
        return True

    def read_off(self) -> str:
        """What stands on it."""
        found = self.CODES.findall(self.getvalue())
        assert "".join(code + text for code, text in found) == self.getvalue()
        lines, row, column = [""], 0, 0
        for code, text in found:
            match text or code[-1]:
                case "\n":
                    row, column = row + 1, 0
                    lines += [""] * (row == len(lines))
                case "\r":
                    column = 0
                case "A" if code:
                    row -= int(code[2:-1])
                case "K" if code:
                    lines[row] = lines[row][:column]
                case "J" if code:
                    lines[row:] = [lines[row][:column]]
                case "m" if code:
                    pass
                case _:
                    lines[row] = lines[row][:column] + text + lines[row][column + len(text) :]
                    column += len(text)
        return "\n".join(lines)


class PipedStage:
    """A terminal adapter whose input is a pipe; `stdout` is what it writes to."""

    def __init__(self, folder: Path, stdout: TextIO, read_off: Callable[[], str]) -> None:
        self._reading, self._writing = os.pipe()
        self.stdin = os.fdopen(self._reading, encoding="utf-8")
        self.stderr = io.StringIO()
        self.adapter = Terminal("terminal", Settings(), self.stdin, stdout, self.stderr)
        self._folder = folder
        self._read_off = read_off
        self._keys = map(str, count())

    def reply(self) -> ReplyTo:
        return ReplyTo(ConversationId("terminal", "terminal"), next(self._keys))

    async def seen(self) -> str:
        return self._read_off() + self.stderr.getvalue()

    async def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self._folder.iterdir()}

    async def says(self, *texts: str) -> None:
        self.pipe("\n".join(texts).encode())

    async def listening(self) -> None:
        await asyncio.sleep(0)

    def pipe(self, content: bytes) -> None:
        """Write the whole of standard input, less than what a pipe holds."""
        os.write(self._writing, content)
        self.close()

    def close(self) -> None:
        """The end of standard input."""
        if self._writing != -1:
            os.close(self._writing)
            self._writing = -1


@pytest.fixture
def piped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PipedStage]:
    """Everything through pipes and files."""
    monkeypatch.chdir(tmp_path)
    with (tmp_path.parent / f"{tmp_path.name}.out").open("w+", encoding="utf-8") as stdout:
        stage = PipedStage(tmp_path, stdout, lambda: Path(stdout.name).read_text("utf-8"))
        yield stage
        stage.close()
        stage.stdin.close()


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PipedStage]:
    """Output on a terminal."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    paper = Paper()
    stage = PipedStage(tmp_path, paper, paper.read_off)
    yield stage
    stage.close()
    stage.stdin.close()


class TestPipeKeepsTheContract(AdapterContract):
    @pytest.fixture
    def stage(self, piped: PipedStage) -> PipedStage:
        return piped


class TestScreenKeepsTheContract(AdapterContract):
    @pytest.fixture
    def stage(self, screen: PipedStage) -> PipedStage:
        return screen


# What may reach a terminal


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\tb\nc\r\nd\re", "a\tb\nc\nde"),
        ("\x1b[31mred\x1b[0m \x1b[?25l\x9b2Jx", "red x"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x9dc\x9cd", "abd"),
        ("\x1b]0;never ended\nnext", "]0;never ended\nnext"),
        ("a\x00\x08\x7f\x85b\u202ec\u2066d", "abcd"),
        ("\ud83d!", "\N{REPLACEMENT CHARACTER}!"),
        ("你好 👩‍👩‍👧 e\u0301", "你好 👩‍👩‍👧 e\u0301"),
    ],
)
def test_text_of_a_model_commands_nothing(text: str, seen: str) -> None:
    assert clean(text) == seen


@pytest.mark.parametrize(
    ("markdown", "most", "end"),
    [
        ("short", 10, "short"),
        ("one\ntwo\nthree", 8, "three"),
        ("x" * 20, 5, "xxxxx"),
        ("```py\na = 1\nb = 2\nc = 3", 8, "```py\nc = 3"),
        ("```py\na\n```\nafter it\nend", 5, "end"),
        ("~~~~\n~~~\n```\nstill code", 12, "~~~~\nstill code"),
    ],
)
def test_end_of_a_long_answer_keeps_its_code_block(markdown: str, most: int, end: str) -> None:
    assert tail(markdown, most) == end


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab1. \n\t#*_`~>-+|[]()<>!&;\\\"'\x1b:"), max_size=60))
def test_any_markdown_can_be_drawn(text: str) -> None:
    paper = Paper()
    terminal = Terminal("terminal", Settings(), sys.stdin, paper, sys.stderr)
    terminal.output.show("owner", text)
    terminal.output.drop("owner")
    asyncio.run(terminal.output.say(f"{text}\n\n```\nthe end"))
    assert "the end" in paper.read_off()


async def test_nothing_of_an_answer_disappears_in_its_markdown(screen: PipedStage) -> None:
    sink = screen.adapter.sink(screen.reply())
    await sink.finish(
        0, "a\nb <div>c</div> ![d](http://e) [f](http://g) <http://h> [i]\n\n[i]: j", ""
    )
    assert (await screen.seen()).rstrip().split("\n") == [
        "a",
        "b <div>c</div> !d (http://e) f (http://g) http://h [i]",
        "",
        "[i]: j",
    ]


async def test_growing_answer_never_writes_more_than_a_screenful(screen: PipedStage) -> None:
    sink = screen.adapter.sink(screen.reply())
    await sink.show(0, "line\n" * 500, "")
    assert (await screen.seen()).count("line") == 24 - 2
    await sink.close()
    assert await screen.seen() == ""


async def test_markdown_can_be_left_as_it_is() -> None:
    paper = Paper()
    terminal = Terminal("terminal", Settings(markdown=False), sys.stdin, paper, sys.stderr)
    await terminal.output.say("# a **b**")
    assert paper.read_off() == "# a **b**\n\n"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
async def test_colours_are_left_out_where_nobody_wants_them(
    screen: PipedStage, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    paper = Paper()
    terminal = Terminal("terminal", Settings(), screen.stdin, paper, sys.stderr)
    await terminal.output.say("`code` [a](http://b)")
    assert not re.search(r"\x1b\[[\d;]*3\d", paper.getvalue())
    assert terminal.limits.progress == (value != "dumb")


# Files


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("loss.png", "loss.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        (".bashrc", "bashrc"),
        ("..", "file"),
        ("", "file"),
        ("a\x1b[2J\nb.md", "a b.md"),
        ("é" * 300 + ".jsonl", "é" * 50 + ".jsonl"),
    ],
)
def test_file_name_stays_in_the_folder(name: str, saved: str) -> None:
    assert safe_name(name) == saved


def test_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to("/nowhere")
    document = Document("a.txt", "text/plain", b"new")
    assert [save(document, tmp_path).name for _ in range(2)] == ["a (1).txt", "a (2).txt"]


async def test_person_is_told_when_a_file_cannot_be_saved(
    piped: PipedStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "cwd", lambda: Path("/proc/nothing"))
    with pytest.raises(DeliveryRefused, match=r"a\.txt could not be saved here: No such file"):
        await piped.adapter.sink(piped.reply()).attach(Document("a.txt", "text/plain", b""))
    assert "a.txt could not be saved" in piped.stderr.getvalue()


# In a pipe


@pytest.mark.parametrize(
    ("piped_in", "said"),
    [
        ("hi\n", ["hi"]),
        ("one\n\ntwo\n/three\n", ["one\n\ntwo\n/three"]),
        ("/model x\n\n  /new\nhi\nthere", ["/model x", "/new", "hi\nthere"]),
        ("/help\r\n", ["/help"]),
        (" \n\n", []),
    ],
)
def test_whole_input_is_one_message_after_the_commands(piped_in: str, said: list[str]) -> None:
    assert messages(piped_in) == said


async def test_pipe_gets_answers_only_and_run_returns(piped: PipedStage) -> None:
    core = FakeCore(piped.adapter)
    piped.pipe(b"/model x\ncaf\xe9 \xff?\nsecond line\n")
    await piped.adapter.run(core)
    assert await piped.seen() == (
        "You said: /model x\nYou said: caf\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER}?\n"
        "second line\n"
    )
    assert core.received[0].conversation == ConversationId("terminal", "terminal")
    assert core.received[0].person == Person("terminal:local", core.received[0].person.name)


async def test_too_much_input_is_refused_in_a_sentence(piped: PipedStage) -> None:
    core = FakeCore(piped.adapter)
    run = asyncio.create_task(piped.adapter.run(core))
    await asyncio.to_thread(piped.pipe, b"x" * (MOST + 1))
    with pytest.raises(BotError, match="more than 1024 KiB: send less at a time"):
        await run
    assert core.received == []


async def test_message_that_was_not_taken_is_told_on_standard_error(piped: PipedStage) -> None:
    core = FakeCore(piped.adapter)
    core.failures = [StoreBusy("The database is busy.")]
    piped.pipe(b"/one\ntwo")
    with pytest.raises(BotError, match="Not everything was taken"):
        await piped.adapter.run(core)
    assert piped.stderr.getvalue() == "The database is busy.\n"
    assert [message.text for message in core.received] == ["two"]


async def test_file_may_stand_in_for_the_pipe(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from a file\n")
    with (tmp_path / "file").open() as stdin, (tmp_path / "out").open("w") as stdout:
        terminal = Terminal("terminal", Settings(), stdin, stdout, io.StringIO())
        await terminal.run(FakeCore(terminal))
    assert (tmp_path / "out").read_text() == "You said: from a file\n"


async def test_nothing_piped_in_is_a_sentence(tmp_path: Path) -> None:
    with Path("/dev/null").open() as stdin, (tmp_path / "out").open("w") as stdout:
        terminal = Terminal("terminal", Settings(), stdin, stdout, io.StringIO())
        with pytest.raises(BotError, match="Nothing was piped in"):
            await terminal.run(FakeCore(terminal))


async def test_what_is_no_answer_ends_a_pipe_with_its_sentence(piped: PipedStage) -> None:
    async def refuse(sink: Sink, _: IncomingMessage) -> None:
        await sink.finish(0, "The provider refuses.", "", failed=True)

    piped.pipe(b"hi")
    with pytest.raises(BotError, match="The provider refuses"):
        await piped.adapter.run(FakeCore(piped.adapter, refuse))
    assert await piped.seen() == ""


async def test_reader_who_leaves_ends_it_quietly(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("/one\n/two\nthree")
    reading, writing = os.pipe()
    os.close(reading)
    stderr = io.StringIO()
    with (tmp_path / "in").open() as stdin, os.fdopen(writing, "w") as stdout:
        terminal = Terminal("terminal", Settings(), stdin, stdout, stderr)
        core = FakeCore(terminal)
        await terminal.run(core)
    assert [message.text for message in core.received] == ["/one"]
    assert stderr.getvalue() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
async def test_full_disk_is_told(piped: PipedStage) -> None:
    with os.fdopen(os.open("/dev/full", os.O_WRONLY), "w") as stdout:
        terminal = Terminal("terminal", Settings(), piped.stdin, stdout, piped.stderr)
        with pytest.raises(DeliveryRefused, match="No space left"):
            await terminal.sink(piped.reply()).finish(0, "text", "")
    assert "could not be written: No space left" in piped.stderr.getvalue()


def test_pipe_pays_for_no_terminal() -> None:
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, adapters.terminal as a; a.create('terminal', a.Settings(), {}); "
            "print({'rich', 'prompt_toolkit'} & set(sys.modules))",
        ],
        cwd=ROOT,
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert found.stdout == "set()\n"


# On a pseudo-terminal

# pexpect runs another program at once: that a fork takes no threads along does no harm.
on_a_terminal = pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
PROMPT = re.escape("1m>")
PROGRAM = ("-m", "tests.adapters.terminal_program")
CTRL_C, CTRL_D, PASTE, PASTED = "\x03", "\x04", "\x1b[200~", "\x1b[201~"


class Somebody:
    """A person in front of terminal_program. `sees` waits for what comes next."""

    def __init__(self, folder: Path, term: str = "xterm-256color", redirection: str = "") -> None:
        self.folder = folder
        self.history = folder / "data" / "history"
        self.child = pexpect.spawn(
            "/bin/sh",
            ["-c", f'exec "$0" "$@" {redirection}', sys.executable, *PROGRAM, str(self.history)],
            cwd=str(folder),
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "TERM": term,
                "PROMPT_TOOLKIT_NO_CPR": "1",  # nobody answers where the cursor is
            },
            encoding="utf-8",
            dimensions=(24, 80),
            timeout=20,
        )
        self.child.delaybeforesend = None
        self.output = io.StringIO()
        self.child.logfile_read = self.output

    def types(self, keys: str) -> None:
        self.child.send(keys)

    def sees(self, *patterns: str) -> None:
        for pattern in patterns:
            self.child.expect(pattern)

    def nudges(self) -> None:
        """Let the program go on; see terminal_program."""
        self.child.kill(signal.SIGUSR1)

    def leaves(self) -> None:
        """Ctrl-D at the prompt ends the program and gives the terminal back as it was."""
        self.types(CTRL_D)
        self.is_out()

    def is_out(self) -> None:
        self.child.expect(pexpect.EOF)
        mode = termios.tcgetattr(self.child.child_fd)[3]
        assert mode & termios.ECHO
        assert mode & termios.ICANON
        assert mode & termios.ISIG
        self.child.close()
        assert self.child.exitstatus == 0
        # Pasting brackets would stay on for the shell.
        assert self.output.getvalue().rfind("\x1b[?2004l") >= self.output.getvalue().rfind(
            "\x1b[?2004h"
        )


@pytest.fixture
def somebody(tmp_path: Path) -> Iterator[Somebody]:
    """Somebody who has just started the program."""
    person = Somebody(tmp_path)
    person.sees(r"Moin\.", "/help", PROMPT)
    yield person
    person.child.close(force=True)


@on_a_terminal
def test_answer_stands_below_the_question_and_ctrl_d_ends(somebody: Somebody) -> None:
    somebody.types("hi\r")
    somebody.sees("You said", "'hi'", PROMPT)
    somebody.leaves()


@on_a_terminal
def test_ctrl_c_stops_the_answer_and_not_the_program(somebody: Somebody) -> None:
    somebody.types("slow\r")
    somebody.sees("growing")
    somebody.types(CTRL_C)
    somebody.sees("stopped by you", PROMPT)
    somebody.leaves()


@on_a_terminal
def test_ctrl_c_typed_together_with_the_question_stops_it_too(somebody: Somebody) -> None:
    somebody.types(f"slow\r{CTRL_C}")
    somebody.sees("stopped by you", PROMPT)
    somebody.leaves()


@on_a_terminal
def test_second_ctrl_c_gives_the_prompt_back(somebody: Somebody) -> None:
    somebody.types("deaf\r")
    somebody.sees("growing")
    somebody.types(CTRL_C + CTRL_C)
    somebody.sees(PROMPT)
    somebody.leaves()


@on_a_terminal
def test_ctrl_c_at_the_prompt_clears_it_or_says_what_ends(somebody: Somebody) -> None:
    somebody.types(f"not this{CTRL_C}")
    somebody.sees("not this", PROMPT)
    somebody.types(CTRL_C)
    somebody.sees("Ctrl-D ends", PROMPT)
    somebody.types("this\r")
    somebody.sees("'this'", PROMPT)
    assert somebody.output.getvalue().count("Ctrl-D ends") == 2  # the greeting says it too
    somebody.leaves()


@on_a_terminal
def test_commands_are_completed_with_what_they_do(somebody: Somebody) -> None:
    somebody.types("/fi")
    somebody.sees("/finetune start FILE MODEL", r"Start a job\.")
    somebody.types("\t x\r")
    somebody.sees("'/finetune start x'", PROMPT)
    somebody.leaves()


@on_a_terminal
@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (f"{PASTE}one\r\ntwo{PASTED}\r", "'one\\\\ntwo'"),
        ("one\x1b\rtwo\r", "'one\\\\ntwo'"),
        (" \r\r  hi\r", "'   hi'"),
        ("\x1b[200~a\udce9b\x1b[201~\r", "'a\\?b'"),
    ],
    ids=["paste", "alt-enter", "nothing to send", "not UTF-8"],
)
def test_typed_lines_are_one_message(somebody: Somebody, keys: str, message: str) -> None:
    os.write(somebody.child.child_fd, keys.encode("utf-8", "surrogateescape"))
    somebody.sees(message, PROMPT)
    somebody.leaves()


@on_a_terminal
def test_what_is_typed_during_an_answer_is_asked_after_it(somebody: Somebody) -> None:
    somebody.types("hold\r")
    somebody.sees("growing")
    somebody.types(f"{PASTE}two\nlines{PASTED}\rnext\runfinished")
    somebody.nudges()
    somebody.sees("grown", "'two\\\\nlines'", "'next'", "unfinished")
    somebody.types("\r")
    somebody.sees("'unfinished'", PROMPT)
    somebody.leaves()


@on_a_terminal
def test_model_cannot_command_the_terminal(somebody: Somebody) -> None:
    somebody.types("nasty\r")
    somebody.sees("end of it", PROMPT)
    somebody.leaves()
    output = somebody.output.getvalue()
    assert "[bold]kept[/bold]" in output
    for code in ("pwned", "\x1b[31m", "\x1b[2J", "\x9b", "\u202e", "\x1b]"):
        assert code not in output


@on_a_terminal
def test_answer_survives_another_size(somebody: Somebody) -> None:
    somebody.types("hold\r")
    somebody.sees("growing")
    somebody.child.setwinsize(10, 30)
    somebody.nudges()
    somebody.sees("grown", PROMPT)
    somebody.leaves()


@on_a_terminal
def test_notice_comes_above_what_is_being_typed(somebody: Somebody) -> None:
    somebody.types("notice\r")
    somebody.sees("noted", PROMPT)
    somebody.types("half")
    somebody.sees("half")
    somebody.nudges()
    somebody.sees("job", "is ready", r"Saved .*loss\.png", PROMPT, "half")
    somebody.types(" a question\r")
    somebody.sees("'half a question'", PROMPT)
    somebody.leaves()
    assert (somebody.folder / "loss.png").read_bytes() == b"picture"


@on_a_terminal
def test_message_that_was_not_taken_comes_back_to_the_prompt(somebody: Somebody) -> None:
    somebody.types("fail\r")
    somebody.sees("armed", PROMPT)
    somebody.types("important\r")
    somebody.sees(r"The database is busy\.", PROMPT, "important")
    somebody.types("!\r")
    somebody.sees("'important!'", PROMPT)
    somebody.leaves()


@on_a_terminal
@pytest.mark.parametrize("keys", ["half typed", "slow\r"])
def test_sigterm_ends_it_and_gives_the_terminal_back(somebody: Somebody, keys: str) -> None:
    somebody.types(keys)
    somebody.sees("growing" if keys == "slow\r" else keys)
    somebody.child.kill(signal.SIGTERM)
    somebody.is_out()


@on_a_terminal
def test_what_was_typed_is_kept_for_its_owner_only(somebody: Somebody) -> None:
    somebody.types("remember me\r")
    somebody.sees("'remember me'", PROMPT)
    somebody.leaves()
    assert stat.S_IMODE(somebody.history.stat().st_mode) == 0o600
    assert stat.S_IMODE(somebody.history.parent.stat().st_mode) == 0o700
    again = Somebody(somebody.folder)
    again.sees(PROMPT)
    again.types("\x1b[A\r")
    again.sees("'remember me'", PROMPT)
    again.leaves()


@on_a_terminal
def test_dumb_terminal_gets_no_codes_from_answers(tmp_path: Path) -> None:
    person = Somebody(tmp_path, term="dumb")
    person.sees(r"Moin\.", "/help", ">")
    person.types("slow\r")
    person.types(CTRL_C)
    person.sees("stopped by you", ">")
    person.leaves()
    assert "\x1b" not in person.output.getvalue()


@on_a_terminal
def test_redirected_answers_leave_the_prompt_on_standard_error(tmp_path: Path) -> None:
    person = Somebody(tmp_path, redirection="> answers")
    person.sees(r"Moin\.", PROMPT)
    person.types("**hi**\r")
    person.sees(PROMPT)
    person.leaves()
    assert (tmp_path / "answers").read_text() == "You said `'**hi**'`\n"
