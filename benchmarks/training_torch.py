"""A LoRA training by transformers and peft, as `benchmarks.training_runs` asks for it.

    .venv/torch/bin/python -m benchmarks.training_torch ASKED.json

It is written as users of peft write it: padded batches, all logits, sdpa attention. One line of
JSON says how it went.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.machine import peak

# Not by `import`: the environment in which types are checked has none of them.
torch: Any = import_module("torch")
peft: Any = import_module("peft")
transformers: Any = import_module("transformers")

NOTHING = -100  # what transformers calls a target that is not learned

Row = tuple[list[int], list[float]]


def padded(rows: Sequence[Row]) -> dict[str, Any]:
    """What transformers' models take."""
    longest = max(len(tokens) for tokens, _ in rows)
    ids = [tokens + [0] * (longest - len(tokens)) for tokens, _ in rows]
    seen = [[1] * len(tokens) + [0] * (longest - len(tokens)) for tokens, _ in rows]
    labels = [
        [token if weight else NOTHING for token, weight in zip(*row, strict=True)]
        + [NOTHING] * (longest - len(row[0]))
        for row in rows
    ]
    named = {"input_ids": ids, "attention_mask": seen, "labels": labels}
    return {name: torch.tensor(values) for name, values in named.items()}


def measured(model: Any, rows: Sequence[Row]) -> tuple[float, float]:
    """The mean loss of the learned tokens, and the share of them that were the most probable."""
    loss, hits, count = 0.0, 0, 0
    with torch.no_grad():
        for row in rows:
            given = padded([row])
            said, targets = model(**given), given["labels"][0, 1:]
            learned = targets != NOTHING
            loss += float(said.loss) * int(learned.sum())
            hits += int((said.logits[0, :-1].argmax(dim=-1) == targets)[learned].sum())
            count += int(learned.sum())
    return loss / count, hits / count


def main(file: Path) -> None:
    """Train, and say how it went."""
    asked = json.loads(file.read_text(encoding="utf-8"))
    warnings.simplefilter("ignore")
    transformers.utils.logging.disable_progress_bar()
    os.nice(asked["nice"])
    torch.set_num_threads(1)
    torch.manual_seed(asked["seed"])
    path = Path(asked["model"])
    base = transformers.AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32
    )
    lora = peft.LoraConfig(
        r=asked["rank"],
        lora_alpha=2 * asked["rank"],
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    model = peft.get_peft_model(base, lora)
    trained = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(trained, weight_decay=0.01)
    losses, tokens, began = [], 0, time.monotonic()
    for chosen, rate in asked["steps"]:
        rows = [asked["rows"][each] for each in chosen]
        loss = model(**padded(rows)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
        tokens += sum(len(row[0]) for row in rows)
        if time.monotonic() - began > asked["seconds"]:
            break
    took, memory = time.monotonic() - began, peak()
    said = {"losses": losses, "tokens": tokens, "seconds": took, "memory": memory}
    print(json.dumps(said | {"held": measured(model, asked["held"])}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
