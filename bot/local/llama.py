"""What runs in the child: llama.cpp behind HTTP on the loopback, for as long as its parent lives.

Run as a script, with nothing of the bot imported. The parent writes one line of JSON, the settings,
to stdin and keeps it open; its end is the order to end. One line of JSON comes back on stdout:
{"address": …}, or {"missing": …} for a package that is not installed, or {"error": …}.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from typing import Any

PR_SET_PDEATHSIG = 1
LAST_WORDS = 1.0  # seconds for llama.cpp's log, which a thread of its own writes, after a failure


def main() -> None:
    # A service manager signals the whole group: the parent decides, and may still be answering.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if sys.platform == "linux":  # loading holds the GIL for its time: stdin is not watched then
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # native code may print
    settings = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_parent, name="end with parent", daemon=True).start()
    try:
        server = serve(settings)
        answer = {"address": server.listening_address}
    except ModuleNotFoundError as error:
        answer = {"missing": error.name}
    except Exception as error:  # the parent says it
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=report, flush=True)
    if "address" in answer:
        threading.Event().wait()
    if "error" in answer:
        time.sleep(LAST_WORDS)


def end_with_parent() -> None:
    """Wait for the end of stdin, which comes however the parent dies."""
    sys.stdin.read()
    os._exit(0)


def serve(settings: dict[str, Any]) -> Any:
    """Load the model and serve it; returns when it answers. Rules from facts/local-models.md."""
    # A thread that spins keeps the core from the one that it waits for. Spinning shortly costs
    # nothing on an idle machine and makes a busy one half as fast again. Read at the import.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    import xllamacpp  # noqa: PLC0415

    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.model_alias = {settings["name"]}
    params.n_parallel = settings["slots"]
    params.n_ctx = settings["slots"] * settings["slot_context"]
    # What is written waits for memory, not for processors: a core less costs it nothing, and where
    # a training has that core, no thread waits for one that does not run.
    params.cpuparams.n_threads = max(1, settings["threads"] - 1)
    params.cpuparams_batch.n_threads = settings["threads"]  # what reads
    params.cache_ram_mib = 0  # it is not keyed by LoRA adapter
    # A request that names no adapters gets the scale of loading. All requests name all of them.
    params.lora_adapters = [adapter(xllamacpp, path) for path in settings["adapters"]]
    if settings["embeds"]:
        embed(xllamacpp, params, settings["slot_context"])
    params.port = settings["port"]
    params.api_keys = [settings["key"]]
    params.ui = False
    params.cors_origins = ""
    params.cors_credentials = False
    params.verbosity = 1  # errors
    return xllamacpp.Server(params)


def embed(xllamacpp: Any, params: Any, longest: int) -> None:
    """Have the mean of an input's tokens made, normalised to length 1, for so many tokens."""
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.n_batch = params.n_ubatch = longest  # an input is computed at once
    # Slots with memories of their own would split inputs of different lengths that are computed
    # together, and the mean would be that of the last part.
    params.kv_unified = True


def adapter(xllamacpp: Any, path: str) -> Any:
    """An adapter that changes nothing until a request gives it a scale."""
    info = xllamacpp.CommonAdapterLoraInfo()
    info.path, info.scale = path, 0.0
    return info


if __name__ == "__main__":
    main()
