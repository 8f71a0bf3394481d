"""Azure's dialect of OpenAI's surface; the addresses and the key are those of bot.models.endpoint.

https://learn.microsoft.com/azure/ai-services/openai/how-to/fine-tuning
"""

from __future__ import annotations

from typing import Any

from bot.training import NewJob
from bot.tuning.services.openai import OpenAiTuning


class AzureTuning(OpenAiTuning):
    """Azure: where a job is trained has to be said, and what it makes has to be deployed."""

    deploys = True

    def _body(self, job: NewJob) -> dict[str, Any]:
        return {**super()._body(job), "trainingType": self._wire.endpoint.provider.training_type}
