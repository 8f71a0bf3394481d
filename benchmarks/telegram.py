"""What a Telegram bot costs that keeps its promises, beside one that makes none.

    python -m benchmarks.telegram [--quick]

Both bots have one core; Telegram, its people and the model share the other. An answer has 60
tokens. The floor is `benchmarks.telegram_floor`: nothing on disk, nothing survives.
"""

from __future__ import annotations

from benchmarks.comparison import Comparison
from benchmarks.scene import Scene
from benchmarks.telegram_people import play
from benchmarks.turns import GAP

SCENES = (
    Scene("one person, limits on", 1, 20, limited=True, gap=GAP),
    Scene("20 people, limits on", 20, 120, limited=True, gap=GAP),
    Scene("50 people, limits off, instant model", 50, 3000, limited=False, gap=0.0),
)
UNLIMITED = "chat_rate = 0\ngroup_rate = 0\nrate = 0"

if __name__ == "__main__":
    Comparison("telegram", "Message", SCENES, UNLIMITED, play).main()
