"""The bot trains and talks over the API of this machine as over any provider's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config import Tuning
from bot.config.usual import complete
from bot.datasets.counting import Counted
from bot.errors import TuningError
from bot.local import LocalServer
from bot.local.usual import epochs
from bot.messages import Profile, Provider
from bot.training import Hyperparameters, JobStatus, NewJob
from bot.tuning.services import services
from bot.tuning.services.openai import OpenAiTuning
from tests.clock import HeldClock, StoppedClock
from tests.fakes import configuration, running
from tests.local.api import CHAT, MODEL, Api
from tests.local.scripted import ScriptedTrainer
from tests.tuning.stage import faq, says, shown


@pytest.fixture
async def service(api: Api) -> AsyncIterator[OpenAiTuning]:
    """The bot's own client of the API."""
    provider = Provider("local", kind="local")
    service = services({"local": provider}, {}, HeldClock())["local"]
    service.connect(api.server.base_url, api.server.key)
    yield service
    await service.aclose()


async def test_bots_own_client_works_against_all_of_it(
    service: OpenAiTuning, api: Api, trainer: ScriptedTrainer, tmp_path: Path
) -> None:
    path = tmp_path / "faq.jsonl"
    path.write_bytes(CHAT)
    file = await service.upload(path, "faq.jsonl")
    await api.examined(file.id)
    assert ((await service.file(file.id)).processed, (await service.files())[0].id) == (
        True,
        file.id,
    )
    asked = NewJob(
        MODEL,
        file.id,
        suffix="faq",
        seed=3,
        hyperparameters=Hyperparameters(epochs=2),
        metadata={"request": "1"},
    )
    job = await service.create(asked)
    assert job.status is JobStatus.QUEUED
    assert [each.id for each in (await service.jobs(metadata={"request": "1"})).items] == [job.id]
    run = await trainer.run()
    assert (await service.pause(job.id)).status is JobStatus.PAUSED
    assert (await service.resume(job.id)).status is JobStatus.QUEUED
    await run.ended()
    await (await trainer.run()).succeeds()
    await api.has(job.id, "succeeded")
    ended = await service.job(job.id)
    assert (ended.trained_tokens, ended.hyperparameters.epochs, ended.failure) == (1000, 2, "")
    events = await service.events(job.id)
    assert events.items[0].text == "The job has successfully completed"
    assert [point.step for point in (await service.checkpoints(job.id)).items] == [4, 2]
    assert b"train_loss" in await service.content(ended.result_files[0])
    assert ended.fine_tuned_model in [model.id for model in await service.models()]
    await service.delete_model(ended.fine_tuned_model)
    await service.delete_file(file.id)
    with pytest.raises(TuningError, match="Cannot cancel a job that is succeeded"):
        await service.cancel(job.id)


async def test_bad_line_is_told_by_the_bots_client(
    service: OpenAiTuning, api: Api, tmp_path: Path
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(CHAT + b"{}\n")
    file = await service.upload(path, "bad.jsonl")
    await api.examined(file.id)
    assert "Line 4: " in (await service.file(file.id)).failure
    with pytest.raises(TuningError, match="Line 4: "):
        await service.create(NewJob(MODEL, file.id))
    with pytest.raises(TuningError, match=f"available for fine-tuning: {MODEL}"):
        await service.create(NewJob("gpt-4o-mini", file.id))


@pytest.mark.usefixtures("llama")
async def test_job_is_started_and_followed_from_the_chat(
    tmp_path: Path, trainer: ScriptedTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / f"{MODEL}.gguf"
    model.write_bytes(b"GGUF")

    def local(provider: Provider, folder: Path) -> LocalServer:
        return LocalServer(provider, folder, trainer=trainer.command)

    monkeypatch.setattr("bot.local.LocalServer", local)
    config = complete(
        configuration(
            tmp_path,
            "",
            providers={"local": Provider("local", kind="local", model_file=str(model))},
            profiles={"assistant": Profile("assistant", "local", MODEL)},
            tuning=Tuning(provider="local"),
        )
    )
    async with running(config, clock=StoppedClock()) as bot:
        card = await says(bot, f"/finetune start {MODEL}", files=[faq(tmp_path)])
        assert f"20 examples, 100 tokens × {epochs(Counted(20, answers=20))} epochs" in card
        assert "it costs nothing; very roughly" in card
        started = f"/finetune start {MODEL} --suffix faq --yes"
        assert "**faq**" in await says(bot, started, files=[faq(tmp_path)])
        run = await trainer.run()
        await run.succeeds()
        name = f"ft:{MODEL}:local:faq:"
        assert "succeeded" in await shown(bot, lambda text: name in text)
