"""The profile of a model that a job made: it asks as the training data was written. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from bot.messages import Profile
from bot.training import Dataset, Job

NO_NAME = re.compile(r"[^\w.-]+")


def profile_of(name: str, service: str, job: Job, dataset: Dataset | None) -> Profile:
    """How to talk to the model of a job that ended well.

    Without a dataset of ours nothing is known of its prompts: it is asked as a chat model, unless
    its base is one for completions.
    """
    if dataset is None:
        api = "completions" if re.match(r"(davinci|babbage|curie|ada)\b", job.model) else "chat"
        dataset = Dataset("", "completion" if api == "completions" else "chat", "")
    return Profile(
        name,
        service,
        job.fine_tuned_model,
        api="completions" if dataset.kind == "completion" else "chat",
        system=dataset.system if dataset.kind != "completion" else "",
        params={"temperature": 0},
        separator=dataset.separator,
        answer_prefix=dataset.answer_prefix,
        stop=(dataset.stop,) if dataset.stop else (),
    )


def free_name(wanted: str, taken: Collection[str]) -> str:
    """A name for a profile that no other has: "support", "support-2" …"""
    wanted = NO_NAME.sub("-", wanted).strip("-") or "tuned"
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name
