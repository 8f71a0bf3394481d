"""What stands on a terminal while a job is drawn."""

from __future__ import annotations

import io
import re
import sys

import pytest

from bot.shell.screen import Screen, styled

WIDTH = 40
CODES = re.compile(r"\x1b\[(?P<value>[?\d;]*)(?P<code>[A-Za-z])|(?P<text>[\r\n]|[^\x1b])")


class Paper(io.StringIO):
    """A terminal that never scrolls and wraps long lines."""

    def isatty(self) -> bool:
        return True

    def read_off(self) -> list[str]:
        """The lines that stand on it."""
        rows, row, column = [""] * 100, 0, 0
        for found in CODES.finditer(self.getvalue()):
            match found["code"] or found["text"]:
                case "\r":
                    column = 0
                case "\n":
                    row, column = row + 1, 0
                case "A" if found["code"]:
                    row -= int(found["value"])
                case "K" if found["code"]:
                    rows[row] = ""
                case _ if found["text"]:
                    row, column = (row + 1, 0) if column == WIDTH else (row, column)
                    line = rows[row].ljust(column)
                    rows[row] = line[:column] + found["text"] + line[column + 1 :]
                    column += 1
        return [line.strip() for line in rows if line.strip()]


def paper_for(monkeypatch: pytest.MonkeyPatch) -> Paper:
    """From now on the program writes on it."""
    for name, value in {"TERM": "xterm", "COLUMNS": str(WIDTH), "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    paper = Paper()
    monkeypatch.setattr(sys, "stdout", paper)
    monkeypatch.setattr(sys, "stderr", paper)
    return paper


def test_notices_stand_above_the_card_however_narrow_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paper, screen = paper_for(monkeypatch), Screen()
    with screen.live() as live:
        for number in range(3):
            card = f"**faq** · running  \nTraining loss 1.48 · Validation loss 1.63 {number}"
            live.update(styled(card), refresh=True)
            screen.card(f"A notice that is longer than this terminal is, {number}", failed=True)
    assert paper.read_off() == [
        *(
            line
            for number in range(3)
            for line in ("A notice that is longer than this", f"terminal is, {number}")
        ),
        "faq · running",
        "Training loss 1.48 · Validation loss",
        "1.63 2",
    ]


def test_lines_of_replies_stay_whole_to_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = paper_for(monkeypatch)
    Screen().card("word " * 20)
    assert ("word " * 20).strip() in paper.getvalue()
