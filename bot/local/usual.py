"""What a training on this machine does where nobody says it, for whoever asks what it would take.

Tokens are those of the estimate, which counts as OpenAI does, and the speed is that of a laptop's
core (facts/local-models.md): rough, both.
"""

from __future__ import annotations

from pathlib import Path

from bot.datasets.cost import Usual
from bot.local.training.automatic import chosen
from bot.local.training.spec import Spec

ANY = Spec(model=Path(), training_file=Path(), kind="chat", output=Path())


def epochs(examples: int) -> int:
    """How often a training goes through so many examples."""
    return chosen(ANY, max(examples, 1)).epochs


HERE = Usual(epochs, tokens_a_second=225.0, seconds_before=10.0)
