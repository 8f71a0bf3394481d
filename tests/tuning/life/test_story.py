"""The life of a job, from a file in the chat to an answer of its model."""

from __future__ import annotations

from pathlib import Path

from tests.clock import StoppedClock
from tests.tuning.stage import faq, looks, presses, says, sees, shown, tuned, watched
from tests.tuning_server import Story, TuningServer

SHORT = Story(steps=6, epochs=3, queue=(), reading=10.0, waiting=0.0, pace=5.0)


async def test_from_a_file_in_the_chat_to_an_answer_of_its_model(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    tuning.story = SHORT
    async with tuned(tuning, tmp_path, clock) as bot:
        said = await says(
            bot, "/finetune start davinci-002 --suffix support", files=[faq(tmp_path)]
        )
        assert "Train **davinci-002** on **faq** at tuner?" in said
        assert "20 examples" in said
        assert "about $0.00" in said
        assert tuning.jobs == {}
        await presses(bot, "Start")
        await tuning.until(lambda: tuning.jobs)
        await watched(bot)
        await looks(bot, tuning, 10)
        assert "🏃 The training of **support** started." in bot.says()
        await looks(bot, tuning, 15)
        card = await shown(bot, lambda text: "step 3/6" in text)
        assert "50%" in card
        await looks(bot, tuning, 15, ends=True)
        end = await sees(bot, lambda text: "**support** is trained" in text)
        await bot.idle()
        assert bot.adapter.documents[-1].name == "loss.png"
        assert "✅ **support**" in await sees(bot, lambda text: "Tokens trained" in text)
        assert end == bot.says()[-1], "said after everything else"
        await presses(bot, "Use here")
        answer = (await bot.hears("open door 3"))[-1]
        assert answer.strip() == "21", tuning.calls[-1].body
