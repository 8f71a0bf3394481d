"""The engine of torch with a real model: a job over the API, and llama.cpp, which serves it.

    python -m benchmarks.trl [--rows 10] [--kill]

The packaged model is written as a Hugging Face folder first. Rows are made-up facts, held out are
other words for the same questions; nobody chooses a hyperparameter. With --kill the trainer is
killed by SIGKILL after some epochs. Held-out losses are the trainer's own, and what llama.cpp gives
the same tokens with the adapter that was made of it. torch is looked for in .venv/torch.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.faq import END, SEPARATOR, Faq, facts, written
from benchmarks.machine import MIB, heading, table
from benchmarks.training_runs import LONGEST_ANSWER, TORCH, model_file
from bot.local import LocalServer
from bot.messages import Provider
from tests.local.api import Api, client_of
from tests.local.training.llama_cpp import READABLE, LlamaCpp, llama_cpp

HELD = 5  # rows, each token of which is asked for
ASKED: Any = {"stop": [END], "temperature": 0, "max_tokens": LONGEST_ANSWER}
EVERY: Any = {"n_predict": 1, "n_probs": 1 << 20, "logit_bias": [[READABLE, 1000]]}
TORCH_HERE: Any = {"kind": "local", "engine": "trl", "python": str(TORCH.absolute())}
COLUMNS: tuple[str, ...] = "Rows", "Epochs", "Batch", "Steps", "Peak, MiB", "Tokens a second"
COLUMNS += "Start, s", "Learned answers", "Before", "Held-out loss", "By llama.cpp"


async def trained(api: Api, data: Faq, *, kill: bool) -> tuple[Any, float]:
    """A job that has succeeded, and the most MiB that its trainer held."""
    texts = ["".join(json.dumps(written(*row)) + "\n" for row in rows) for rows in data[1:]]
    learned, held = [await api.upload(text.encode()) for text in texts]
    jobs, model, memory = api.sdk.fine_tuning.jobs, api.server.model, 0.0
    job = await jobs.create(model=model, training_file=learned, validation_file=held)
    while job.status in {"queued", "running"}:
        await asyncio.sleep(0.5)
        job, points = await jobs.retrieve(job.id), await jobs.checkpoints.list(job.id)
        queue = api.server._queue  # noqa: SLF001
        if points.data and queue and queue.trainer:
            memory = max(memory, api.server.status()["memory"]["training"] / MIB)
            if kill and len(points.data) > 2:
                os.kill(queue.trainer.pid, signal.SIGKILL)
                kill = False
    print(*await api.told(job.id), sep="\n", file=sys.stderr)
    assert job.status == "succeeded", job.error
    return job, memory


async def exact(api: Api, model: str, data: Faq) -> int:
    """How many learned questions a model answers word by word."""
    asked, right = api.sdk.completions, 0
    for question, answer in data.learned:
        said = await asked.create(model=model, prompt=question + SEPARATOR, **ASKED)
        right += said.choices[0].text.strip() == answer
    return right


def held_out_loss(served: LlamaCpp, data: Faq) -> float:
    """The mean over the held-out answers of the mean loss of their tokens, by llama.cpp."""
    losses = []
    for question, answer in data.held:
        prompt, of_row = served.tokens(question + SEPARATOR), []
        for token in served.tokens(f" {answer}{END}<|im_end|>"):
            served.close()  # else llama.cpp does, when a busy machine reads for five seconds
            (told,) = served.completion(prompt, 1.0, **EVERY)["completion_probabilities"]
            of_row += [-each["logprob"] for each in told["top_logprobs"] if each["id"] == token]
            prompt.append(token)
        losses.append(mean(of_row))
    return float(mean(losses))


async def line(said: Namespace, file: Path, folder: Path) -> list[str]:
    """What a training came to."""
    data = facts(said.rows, HELD)
    provider = Provider("local", model_file=str(file), model_folder=str(folder), **TORCH_HERE)
    server = LocalServer(provider, folder / "data")
    await server.start()
    try:
        async with client_of(server) as api:
            job, memory = await trained(api, data, kill=said.kill)
            right = [await exact(api, each, data) for each in (job.fine_tuned_model, server.model)]
            last = (await api.sdk.fine_tuning.jobs.checkpoints.list(job.id)).data[0]
    finally:
        await server.stop()
    (adapter,) = (folder / "data").rglob(f"adapter-{last.step_number}.gguf")
    with llama_cpp(file, adapter) as served:
        losses = last.metrics.full_valid_loss, held_out_loss(served, data)
    chosen = job.hyperparameters
    found = said.rows, chosen.n_epochs, chosen.batch_size, last.step_number, f"{memory:,.0f}"
    pace = [f"{each:.0f}" for each in server.usual.speed() or ()]
    return [*map(str, (*found, *pace, *right)), *(f"{each:.3f}" for each in losses)]


def main() -> None:
    """Measure, and print the table."""
    title, parser = heading("benchmarks.trl", sys.argv[1:]), ArgumentParser()
    parser.add_argument("--rows", default=10, type=int)
    parser.add_argument("--kill", action="store_true")
    said, file = parser.parse_args(), model_file()
    if not TORCH.exists():
        print(f"{title}\n\nThere is no torch: the Makefile says how {TORCH.parent.parent} is made.")
        return
    with TemporaryDirectory(dir=".", prefix=".benchmark-") as folder:
        command = [str(TORCH), "-m", "benchmarks.trl_folder", str(file), folder]
        subprocess.run(command, check=True)
        found = asyncio.run(line(said, file, Path(folder).absolute()))
    print(f"\n{title}\n\n{table(COLUMNS, [found])}")


if __name__ == "__main__":
    main()
