"""What a Slack bot costs that keeps its promises, beside one that makes none.

    python -m benchmarks.slack [--quick]

Both bots have one core; Slack, its people and the model share the other. An answer has 60 tokens,
and every question begins a thread. The floor is `benchmarks.slack_floor`: nothing on disk, nothing
survives. Slack takes 20 streams a minute for all people together, so 20 of them rest for a minute
between their first answers and those that count.
"""

from __future__ import annotations

from benchmarks.comparison import Comparison
from benchmarks.scene import Scene
from benchmarks.slack_people import play
from benchmarks.turns import GAP

SCENES = (
    Scene("one person, limits on", 1, 15, limited=True, gap=GAP),
    Scene("20 people, limits on", 20, 60, limited=True, gap=GAP, rest=60.0),
    Scene("50 people, limits off, instant model", 50, 3000, limited=False, gap=0.0),
)
UNLIMITED = "channel_rate = 0"

if __name__ == "__main__":
    Comparison("slack", "Event", SCENES, UNLIMITED, play).main()
