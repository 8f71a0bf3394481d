"""OpenAI's surface, as bot.local offers it on this machine."""

from __future__ import annotations

from bot.training import Method
from bot.tuning.services.openai import OpenAiTuning


class LocalTuning(OpenAiTuning):
    """This machine: it tries out no answers, so there is nothing to grade."""

    methods: tuple[Method, ...] = ("supervised", "dpo")
