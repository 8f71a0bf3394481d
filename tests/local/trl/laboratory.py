"""What runs where torch is: each line on stdin is an experiment, each line on stdout what came out.

Importing torch and its friends takes as long as all the tests together: so they share a process.
See tests.local.trl.conftest.Laboratory.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from peft import PeftModel

from bot.local.training import events, memory
from bot.local.training.fault import TrainingFault
from bot.local.training.spec import Spec
from bot.local.trl import learning
from bot.local.trl.fault import fault_of
from bot.local.trl.kept import Gguf
from bot.local.trl.model import load
from bot.local.trl.tokenizer import FolderTokenizer
from bot.local.trl.trainer import train
from tests.local.training.heard import Killed


def training(
    spec: dict[str, Any],
    beside: str | None = None,
    last: int = 0,
    tick: float = 1.0,
    sparing: bool = False,
) -> list[Any]:
    """A training's events, or the first `last` of them. Its clock goes on at every look, and it is
    as `sparing` of memory as on a GPU.
    """
    said: list[Any] = []
    before, learning.is_sparing = learning.is_sparing, lambda: sparing
    ticks = count()

    def tell(event: Any) -> None:
        said.append(event)
        if len(said) == last:
            raise Killed

    try:
        file = Path(beside) if beside else None
        train(Spec(**spec), tell, file, clock=lambda: next(ticks) * tick)
    except Killed:
        pass
    except Exception as error:
        said.append(events.error(fault_of(error)))
    finally:
        learning.is_sparing = before
    return said


def probabilities(folder: str, adapter: str, prompts: list[list[int]]) -> list[list[float]]:
    """The log-probabilities of all tokens after each prompt, by PEFT itself."""
    model = load(Path(folder)).model
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
    with torch.no_grad():
        return [
            model(torch.tensor([prompt])).logits[0, -1].double().log_softmax(-1).tolist()
            for prompt in prompts
        ]


def conversion(folder: str, beside: str) -> list[str]:
    """Whether adapters of a folder's model can be kept beside a file."""
    try:
        Gguf(Path(beside), load(Path(folder)).config, 2)
    except TrainingFault as fault:
        return [fault.code, fault.message]
    return []


def tokens(folder: str, text: str, messages: list[dict[str, Any]]) -> list[Any]:
    tokenizer = FolderTokenizer(load(Path(folder)).tokenizer)
    return [
        tokenizer.tokens(text, start=True),
        tokenizer.prompt(messages, [], answer=False),
        tokenizer.prompt(messages, [], answer=True),
    ]


def pieces(folder: str, text: str) -> list[list[int]]:
    """A text's tokens at the start of a row, and after something else."""
    tokenizer = FolderTokenizer(load(Path(folder)).tokenizer)
    return [tokenizer.tokens(text, start) for start in (True, False)]


def fitting(sizes: dict[str, int], free: float) -> int:
    """How many tokens fit beside a model of such sizes."""
    return learning.fitting(SimpleNamespace(**sizes), free)


def fault(deed: str, folder: str) -> list[Any]:
    """The fault of a deed that cannot be done."""
    try:
        DEEDS[deed](Path(folder))
    except Exception as error:
        found = fault_of(error)
        return [found.code, found.message]
    return []


def memory_of_the_machine(_: Path) -> None:
    torch.zeros(1 << 50)


def memory_of_the_model(folder: Path) -> None:
    before, memory.MEMORY = memory.MEMORY, folder / "meminfo"
    memory.MEMORY.write_text("MemAvailable:      20 kB\n")
    try:
        load(folder / "llama")
    finally:
        memory.MEMORY = before


def memory_of_the_gpu(_: Path) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def memory_of_a_library_of_the_gpu(_: Path) -> None:
    raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")


def disk_of_torch(_: Path) -> None:
    torch.save(torch.zeros(1 << 16), "/dev/full")


DEEDS: dict[str, Callable[[Path], None]] = {
    each.__name__: each
    for each in (
        memory_of_the_machine,
        memory_of_the_model,
        memory_of_the_gpu,
        memory_of_a_library_of_the_gpu,
        disk_of_torch,
    )
}
EXPERIMENTS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (training, probabilities, conversion, tokens, pieces, fitting, fault)
}


def main() -> None:
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # packages print
    torch.set_num_threads(1)
    for line in sys.stdin:
        number, experiment, asked = json.loads(line)
        found = EXPERIMENTS[experiment](**asked)
        print(json.dumps([number, found]), file=report, flush=True)


if __name__ == "__main__":
    main()
