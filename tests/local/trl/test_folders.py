"""Folders as people have them, and what a GPU changes, as far as that shows without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.local.training.spec import Spec
from tests.local.training.heard import adapter, of_type
from tests.local.trl.conftest import Events, Laboratory
from tests.local.trl.tiny import tiny_model, weights_of, write_safetensors

pytestmark = pytest.mark.xdist_group("torch")

LLAMA_3_8B = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "vocab_size": 128256,
}
GIB = 1 << 30


def test_weights_in_several_files_are_one_model(
    laboratory: Laboratory, spec: Spec, whole: Events, tmp_path: Path
) -> None:
    folder, file = tiny_model(tmp_path / "tiny")
    weights = weights_of("llama", seed=0)
    (folder / "model.safetensors").unlink()
    files = {
        name: f"model-0000{1 + at % 2}-of-00002.safetensors" for at, name in enumerate(weights)
    }
    for each in set(files.values()):
        write_safetensors(
            folder / each, {name: weights[name] for name in weights if files[name] == each}
        )
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": files})
    )
    changed = {"model": folder, "output": tmp_path / "output"}
    assert adapter(laboratory.train(spec.model_copy(update=changed), file)) == adapter(whole)


def test_sparing_memory_as_on_a_gpu_changes_nothing(
    laboratory: Laboratory, spec: Spec, whole: Events
) -> None:
    events = laboratory.train(spec, laboratory.model()[1], sparing=True)
    assert [each["train_loss"] for each in of_type(events, "metrics")] == pytest.approx(
        [each["train_loss"] for each in of_type(whole, "metrics")], abs=1e-5
    )


@pytest.mark.parametrize(
    ("free", "least", "most"),
    [
        (8 * GIB, 2048, 8191),  # beside its weights on a GPU of 24 GiB
        (64 * GIB, 8192, 8192),
        (0, 0, 0),
    ],
)
def test_as_many_tokens_at_once_as_fit_on_the_gpu(
    free: int, least: int, most: int, laboratory: Laboratory
) -> None:
    assert least <= laboratory.ask("fitting", sizes=LLAMA_3_8B, free=free) <= most


def test_folder_that_needs_another_package_is_said_to(
    laboratory: Laboratory, spec: Spec, tmp_path: Path
) -> None:
    folder, _ = tiny_model(tmp_path / "tiny")
    config = json.loads((folder / "config.json").read_text())
    quantised = {"quant_method": "gptq", "bits": 4, "group_size": 32}
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": quantised}))
    fault = laboratory.train(spec.model_copy(update={"model": folder}))[-1]
    assert fault["code"] == "invalid_model"
    assert "transformers cannot read a language model from" in fault["message"]


def test_arguments_of_a_call_are_written_as_json_once(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    folder, _ = tiny_model(tmp_path / "tiny")
    (folder / "chat_template.jinja").write_text(
        "{% for message in messages %}{% for call in message.tool_calls %}"
        "{{ call.function.arguments | tojson }}{% endfor %}{% endfor %}"
    )
    calls = [{"function": {"name": "dial", "arguments": each}} for each in ('{"to": 1}', "no JSON")]
    messages = [{"role": "assistant", "tool_calls": calls}]
    _, written, _ = laboratory.ask("tokens", folder=folder, text="", messages=messages)
    assert written == '{"to": 1}"no JSON"'


@pytest.mark.parametrize("scheme", ["always", "first"])
def test_what_goes_on_after_a_prompt_begins_with_no_space_of_its_own(
    scheme: str, laboratory: Laboratory, tmp_path: Path
) -> None:
    """As a tokenizer of sentencepiece would write one, before every text."""
    folder, _ = tiny_model(tmp_path / "tiny")
    settings = json.loads((folder / "tokenizer.json").read_text())
    letters = ["▁", "\n", *"abc"]
    settings["pre_tokenizer"] = {
        "type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": False,
    }  # fmt: skip
    settings["model"]["vocab"] |= {each: 300 + at for at, each in enumerate(letters)}
    (folder / "tokenizer.json").write_text(json.dumps(settings))
    begun, after = laboratory.ask("pieces", folder=folder, text="abc")
    assert begun == [300, 302, 303, 304]
    assert after == [302, 303, 304]
