"""Fine-tuning of any Hugging Face model on this machine, by transformers, peft and trl: on a GPU
where there is one.

    python -m bot.local.trl [--beside BASE.gguf] SPEC.json

is told the same and says the same as `bot.local.training`, with a model folder for a model. The
adapters are for llama.cpp, beside the GGUF file of the same model, or without `--beside` PEFT's own
folders, which vLLM serves. Started again after its death it goes on from the last end of an epoch,
or from a minute and a step before, with the same examples.

Nothing is fetched from anywhere, no code of the folder is run, and only safetensors are read.
Importing this package needs none of those packages: only the process that trains does.
"""
