"""Fine-tuning of llama models on this machine: LoRA in numpy, in a process of its own.

    python -m bot.local.training SPEC.json

reads a `bot.local.training.spec.Spec` and tells on stdout, one line of JSON each, what
`bot.local.training.events` describes. It leaves adapters that llama.cpp loads in the output folder.
Exit status 0 is a finished training; 1 follows an event of type "error". To cancel or to pause it,
kill it: started again with the same file it goes on from the last state that it saved, at most a
minute and a step old, tells the steps after that again and ends with the same bytes as without the
pause. It ends by itself when nobody reads its output any more.

Importing this package needs neither numpy nor gguf: only the process that trains does.
"""
