"""What the name of a model tells."""

from __future__ import annotations


def base_model(model: str) -> str:
    """The model that a fine-tuned one was made from; any other name comes back as it is.

    Forms: `ft:base:org:suffix:id`, the older `base:ft-org-date`, Azure's `base.ft-job`
    (facts/fine-tuning.md).
    """
    if model.startswith("ft:"):
        return model.split(":")[1]
    for mark in (":ft-", ".ft-"):
        base, found, _rest = model.partition(mark)
        if found:
            return base
    return model


def goes_with(model: str, other: str) -> bool:
    """Whether a model goes when another is deleted: that one itself, and its checkpoints, whose
    names begin with its own.
    """
    return model == other or model.startswith(f"{other}:ckpt-")


def is_tuned(model: str) -> bool:
    """Whether the name is that of a fine-tuned model."""
    return base_model(model) != model
