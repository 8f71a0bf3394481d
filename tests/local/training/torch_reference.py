"""Losses and gradients by transformers' llama and torch's autograd; nothing here is tunebot's.

    .venv/torch/bin/python torch_reference.py MODEL.npz CASES.json GRADIENTS.npz

The model's arrays are named as in a GGUF file, those of the adapter end with lora_a and lora_b.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

# Not by `import`: the environment in which types are checked has neither.
torch: Any = import_module("torch")
transformers: Any = import_module("transformers")

Tensors = dict[str, Any]
Row = tuple[list[int], list[float]]
NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
OUTER = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
PAIRED = {"attn_q", "attn_k"}


def halves(weight: Any, head_width: int) -> Any:
    """A GGUF file has a rotation's two values side by side, transformers half a head apart."""
    out, in_ = weight.shape
    return weight.reshape(-1, head_width // 2, 2, in_).transpose(1, 2).reshape(out, in_)


def parameters(weights: Tensors, scale: float, head_width: int) -> Tensors:
    """transformers' parameters, with scale · B A added where there are a B and an A."""
    found = {}
    for name, weight in weights.items():
        if name in OUTER:
            found[OUTER[name]] = weight
        elif not name.endswith(("lora_a", "lora_b")):
            _, block, part, _ = name.split(".")
            whole = weight
            if scale and f"{name}.lora_a" in weights:
                whole = weight + scale * weights[f"{name}.lora_b"] @ weights[f"{name}.lora_a"]
            if part in PAIRED:
                whole = halves(whole, head_width)
            found[f"model.layers.{block}.{NAMES[part]}.weight"] = whole
    return found


def main(model_file: Path, cases_file: Path, output: Path) -> None:
    torch.set_num_threads(1)
    weights = {name: torch.tensor(array) for name, array in np.load(model_file).items()}
    adapter = [name for name in weights if name.endswith(("lora_a", "lora_b"))]
    asked = json.loads(cases_file.read_text(encoding="utf-8"))
    config = transformers.LlamaConfig(
        **asked["config"], tie_word_embeddings="output.weight" not in weights
    )
    llama = transformers.LlamaForCausalLM(config).double()

    def scores(row: Row, scale: float) -> Any:
        """The log-probability of each token but the first."""
        tokens = torch.tensor([row[0]])
        given = parameters(weights, scale, config.head_dim)
        logits = torch.func.functional_call(llama, given, (tokens,)).logits[0, :-1]
        each = torch.log_softmax(logits, dim=-1)
        return each.gather(1, tokens[0, 1:, None])[:, 0]

    def likelihood(examples: list[list[Row]]) -> Any:
        said = torch.cat([scores(row, asked["scale"]) for rows in examples for row in rows])
        weight = torch.tensor([each for rows in examples for row in rows for each in row[1][1:]])
        return -(said * weight).sum() / weight.sum()

    def preference(examples: list[list[Row]]) -> Any:
        def whole(row: Row, scale: float) -> Any:
            return (scores(row, scale) * torch.tensor(row[1][1:])).sum()

        def gained(row: Row) -> Any:
            return whole(row, asked["scale"]) - whole(row, 0.0).detach()

        margins = torch.stack([gained(good) - gained(bad) for good, bad in examples])
        return -torch.nn.functional.logsigmoid(asked["beta"] * margins).mean()

    losses: dict[str, Callable[[list[list[Row]]], Any]] = {"preference": preference}
    found = {}
    for kind, examples in asked["examples"].items():
        for name in adapter:
            weights[name] = weights[name].detach().requires_grad_()
        loss = losses.get(kind, likelihood)(examples)
        loss.backward()
        found[f"{kind} loss"] = loss.detach().numpy()
        found |= {f"{kind} {name}": weights[name].grad.numpy() for name in adapter}
    np.savez(output, **found)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
