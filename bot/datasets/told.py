"""The findings of a file, as they are made."""

from __future__ import annotations

from bot.datasets.checks import Choice
from bot.datasets.findings import Finding


class Told:
    """The findings so far, and which of their remedies are chosen."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self.findings: list[Finding] = []

    def tell(self, finding: Finding) -> bool:
        """Whether the remedy of the finding is chosen."""
        self.findings.append(finding)
        return finding.remedy is not None and self._choice.takes(finding.remedy)
