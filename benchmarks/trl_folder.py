"""A Hugging Face folder of the model in a GGUF file, its weights in single precision.

.venv/torch/bin/python -m benchmarks.trl_folder MODEL.gguf FOLDER
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

# Not by `import`: the environment in which types are checked has none of them.
torch: Any = import_module("torch")
transformers: Any = import_module("transformers")


def main(file: Path, folder: Path) -> None:
    """Write it, with the tokenizer and the chat template of the file."""
    transformers.utils.logging.disable_progress_bar()
    named = {"gguf_file": file.name}
    model = transformers.AutoModelForCausalLM.from_pretrained(
        file.parent, dtype=torch.float32, **named
    )
    # The weights are quantised no more, which transformers does not see.
    model.hf_quantizer = None
    del model.config.quantization_config
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(file.parent, **named).save_pretrained(folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
