"""An answer on its way: what a person sees of it, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.messages import Profile, Usage
from bot.models.events import Event
from bot.models.stops import StopTrimmer


class Answer:
    """What one try to get an answer has brought.

    `text` is all that the model wrote, also what is not shown. `finish` is "" until the end is
    known; `begun` says that text came.
    """

    def __init__(self, profile: Profile, body: Mapping[str, Any]) -> None:
        asked = body.get("stop") or ()
        self._stops = (*profile.stop, *([asked] if isinstance(asked, str) else asked))
        self._completes = profile.api == "completions"
        # An answer that goes on where it was cut begins in the middle: no prefix there.
        begins = str(body.get("prompt", "")).endswith(profile.separator)
        prefix = profile.answer_prefix if self._completes and begins else ""
        self._trimmer = StopTrimmer(self._stops, prefix)
        self._pieces: list[str] = []
        self.visible = False
        self.finish = ""
        self.usage: Usage | None = None

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def begun(self) -> bool:
        return bool(self._pieces)

    @property
    def cut(self) -> bool:
        """Whether a stop was found on our side."""
        return self._trimmer.cut

    def take(self, event: Event) -> str:
        """Take an event and return what may be shown now."""
        self.usage = event.usage or self.usage
        self.finish = event.finish
        if not event.text:
            return ""
        self._pieces.append(event.text)
        shown = self._trimmer.feed(event.text)
        if self.cut:
            self.finish = "stop"
        return self._seen(shown)

    def rest(self) -> str:
        """What was held back until the end, with the mark that the server's own cut took away."""
        shown = self._trimmer.flush()
        if self.finish == "stop" and self._completes and self._stops:
            shown += self._trimmer.mark_of_cut(self._stops[0])
        return self._seen(shown)

    def _seen(self, shown: str) -> str:
        self.visible = self.visible or bool(shown.strip())
        return shown
