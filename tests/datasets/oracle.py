"""Runs the original tool on files: `.venv/oracle/bin/python tests/datasets/oracle.py FOLDER`.

It runs in that environment and imports nothing of ours. For every file in the folder it accepts all
that is offered; what was offered and the output are written to FOLDER/oracle.json.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")


def run(path: Path) -> dict[str, Any]:
    """What the tool did with one file, which gets a folder of its own."""
    folder = path.with_name(f"{path.name}.run")
    folder.mkdir()
    path = path.rename(folder / path.name)
    tool = import_module("openai.validators")
    offered: list[str] = []
    error = ""

    def noting(validator: Any) -> Any:
        def noted(frame: Any) -> Any:
            remediation = validator(frame)
            if remediation is not None:
                offered.extend(filter(None, (remediation.necessary_msg, remediation.optional_msg)))
            return remediation

        return noted

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            frame, remediation = tool.read_any_format(str(path))
            offered.extend(filter(None, (remediation.necessary_msg,)))
            tool.apply_necessary_remediation(None, remediation)
            validators = [noting(each) for each in tool.get_validators()]
            tool.apply_validators(
                frame, str(path), remediation, validators, True, tool.write_out_file
            )
        except SystemExit:
            error = said.getvalue()[said.getvalue().find("ERROR") :]
        except Exception as crash:
            error = f"{type(crash).__name__}: {crash}"
    stem = f"{path.stem}_prepared"
    names = [f"{stem}.jsonl", f"{stem}_train.jsonl", f"{stem}_valid.jsonl"]
    files = [path.with_name(name) for name in names]
    written = {file.name: file.read_text("utf-8") for file in files if file.exists()}
    return {"offered": offered, "error": error, "written": written}


def main() -> None:
    """Run the tool on every file."""
    folder = Path(sys.argv[1])
    files = sorted(file for file in folder.iterdir() if file.is_file())
    found = {file.name: run(file) for file in files}
    (folder / "oracle.json").write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main()
