"""What stands for the training: PORT SPEC.json. It says what the test tells it to say, in the lines
that `bot.local.training.events` describes. See tests.local.scripted.ScriptedTrainer.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path


def main() -> None:
    spec = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as test:
        test.sendall(json.dumps({"spec": spec, "process": os.getpid()}).encode() + b"\n")
        for line in test.makefile("r", encoding="utf-8"):
            order = json.loads(line)
            if "tell" in order:
                sys.stdout.write(json.dumps(order["tell"]) + "\n")
                sys.stdout.flush()
            if "complain" in order:
                sys.stderr.write(order["complain"])
            if "exit" in order:
                sys.exit(order["exit"])


if __name__ == "__main__":
    main()
