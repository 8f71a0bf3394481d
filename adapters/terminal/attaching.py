"""Files of this machine that a person names in a command: `/finetune prepare faq.csv`."""

from __future__ import annotations

import mimetypes
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from bot.messages import Attachment
from bot.ports import CommandInfo


def named_file(text: str, commands: Sequence[CommandInfo]) -> tuple[str, Path | None]:
    """A command without the file that it names first, and the file; None where it names none."""
    for command in commands:
        words = text.split(maxsplit=len(command.name.split()))
        name, rest = " ".join(words[:-1]), words[-1] if words else ""
        if command.takes_file and name.lower() == command.name:
            first, _, others = rest.partition(" ")
            for path, left in ((rest, ""), (first, others)):  # a name may have blanks
                if file := existing(path.strip("'\"")):
                    return f"{command.name} {left}".strip(), file
    return text, None


def existing(path: str) -> Path | None:
    """The file of a path, "~" too; None where there is none, or could not be one."""
    try:
        file = Path(path).expanduser()
        return file if file.is_file() else None
    except (OSError, ValueError, RuntimeError):  # a name that is none; "~nobody"
        return None


def attachment(file: Path, folder: Path) -> Attachment:
    """A copy of a file, for the core. Raises OSError."""
    path = folder / secrets.token_hex(16)
    shutil.copyfile(file, path)
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Attachment(file.name, kind, str(path), path.stat().st_size)
