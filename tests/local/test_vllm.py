"""Tuned models that a vLLM serves, with the training played by the test."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, patch

import httpx
import openai
import pytest
from aiohttp import web

from bot.errors import LocalUnavailable
from bot.local import LocalServer, engine
from bot.local.jobs.telling import COMING
from bot.local.training import events
from bot.local.vllm import Vllm
from bot.messages import Provider
from tests.local import api as llama_api
from tests.local.api import Api, client_of
from tests.local.scripted import Run, ScriptedLlama, ScriptedTrainer, measured
from tests.local.vllm_server import KEY, VllmServer, refused

MODEL = "model-0.5B"


@pytest.fixture(autouse=True)
def has_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter with all packages, and the key of vLLM."""
    monkeypatch.setattr(engine, "NEEDED", {"bot": "tunebot"})
    monkeypatch.setenv("VLLM_KEY", KEY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder, as far as anybody looks into it here."""
    folder = tmp_path / MODEL
    folder.mkdir()
    for name in "config.json", "model.safetensors":
        (folder / name).write_text("{}")
    return folder


@asynccontextmanager
async def serving(
    url: str, folder: Path, trainer: ScriptedTrainer, **options: Any
) -> AsyncIterator[Api]:
    provider = Provider(
        "local",
        kind="local",
        engine="trl",
        model_folder=str(folder),
        vllm_url=url,
        api_key_env="VLLM_KEY",
    )
    server = LocalServer(provider, folder.parent / "data", trainer=trainer.command, **options)
    try:
        await server.start()
        async with client_of(server) as api:
            yield api
    finally:
        await server.stop()


async def tuned(api: Api, trainer: ScriptedTrainer, rank: int = 16) -> str:
    """A model that a job has made, of whose training the last step is a checkpoint."""
    job = await api.sdk.fine_tuning.jobs.create(model=MODEL, training_file=await api.upload())
    run = await trainer.run()
    await run.begins(2)
    await run.steps(1, 2, of=2)
    await run.tells(checkpoint(run, rank))
    table = run.output / "results.csv"
    table.write_text("step,train_loss\n")
    await run.tells(events.done(2, adapter(run), table, 1000))
    await run.exits(0)
    return (await api.has(job.id, "succeeded")).fine_tuned_model or ""


def adapter(run: Run) -> Path:
    return run.output / "adapter-2"


def checkpoint(run: Run, rank: int) -> events.Event:
    adapter(run).mkdir(parents=True)
    (adapter(run) / "adapter_config.json").write_text(json.dumps({"r": rank}))
    (adapter(run) / "adapter_model.safetensors").write_bytes(b"")
    return events.checkpoint(measured(2, 2), adapter(run))


async def test_tuned_model_is_loaded_when_it_is_asked_and_served_beside_its_base(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm, serving(vllm.url, folder, trainer) as api:
        model = await tuned(api, trainer)
        assert vllm.adapters == {}
        assert await api.ask(model) == "adapter-2 says hi"
        assert await api.ask(MODEL) == "base says hi"
        assert [asked["model"] for asked in vllm.asked] == [*vllm.adapters, str(folder)]
        assert "lora" not in vllm.asked[0]
        status = (await api.http.get(api.server.base_url.removesuffix("/v1") + "/status")).json()
        assert [Path(each).name for each in status["adapters"]] == ["adapter-2"]


async def test_answer_is_given_under_the_name_that_was_asked(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm, serving(vllm.url, folder, trainer) as api:
        model = await tuned(api, trainer)
        answer = await api.sdk.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "hi"}]
        )
        assert answer.model == model
        assert answer.usage is not None
        assert answer.usage.total_tokens == 5


async def test_tuned_model_is_loaded_again_after_vllm_was_started_anew(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm, serving(vllm.url, folder, trainer) as api:
        model = await tuned(api, trainer)
        await api.ask(model)
        vllm.starts_anew()
        assert await api.ask(model) == "adapter-2 says hi"


async def test_adapter_that_a_training_wrote_anew_is_loaded_anew(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm, serving(vllm.url, folder, trainer) as api:
        model = await tuned(api, trainer)
        await api.ask(model)
        ((before, place),) = vllm.adapters.items()
        (Path(place) / "adapter_model.safetensors").write_bytes(b"of a training that began anew")
        for _ in range(2):
            assert await api.ask(model) == "adapter-2 says hi"
        ((after, there),) = vllm.adapters.items()
        assert (before != after, there) == (True, place)
        assert [asked["model"] for asked in vllm.asked] == [before, after, after]


@pytest.mark.parametrize(
    "said",
    [
        "This model's maximum context length is 2048 tokens. However, you requested 3010 tokens "
        "(3000 in the messages, 10 in the completion).",
        "This model's maximum context length is 2048 tokens. However, your request has 3000 input "
        "tokens.",
        "The decoder prompt (length 3000) is longer than the maximum model length of 2048.",
        "max_tokens must be at least 1, got -952.",
    ],
)
async def test_prompt_over_the_context_is_refused_with_openais_code(
    said: str, folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm, serving(vllm.url, folder, trainer) as api:
        vllm.refusal = refused(400, said, "BadRequestError")
        with pytest.raises(openai.BadRequestError) as refusal:
            await api.ask(MODEL)
        assert refusal.value.code == "context_length_exceeded"


async def test_answer_that_vllm_refuses_for_its_key_is_not_the_clients_fault(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm, serving(vllm.url, folder, trainer) as api:
        vllm.refusal = web.json_response({"error": "Unauthorized"}, status=401)
        with pytest.raises(openai.InternalServerError, match="refuses the key") as refusal:
            await api.ask(MODEL)
        assert refusal.value.status_code == 502


async def test_deleted_model_is_unloaded_and_its_folder_is_gone(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm, serving(vllm.url, folder, trainer) as api:
        model = await tuned(api, trainer)
        await api.ask(model)
        (place,) = map(Path, vllm.adapters.values())
        await api.sdk.models.delete(model)
        assert vllm.adapters == {}
        assert not place.exists()
        with pytest.raises(openai.NotFoundError):
            await api.ask(model)


async def test_model_is_deleted_also_while_vllm_is_away(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm, serving(vllm.url, folder, trainer) as api:
        model = await tuned(api, trainer)
        await api.ask(model)
        (place,) = map(Path, vllm.adapters.values())
        await vllm.stop()
        assert (await api.sdk.models.delete(model)).deleted
        assert not place.exists()


@pytest.mark.parametrize(
    "listed", [[{}], [["id", "a"]], ["id"], [None], {"id": "a"}, "", None, 5], ids=repr
)
async def test_vllm_that_lists_something_else_is_said(listed: object, folder: Path) -> None:
    vllm = Vllm("http://127.0.0.1:9/v1", "", folder)
    answer = httpx.Response(200, json={"data": listed}, request=httpx.Request("GET", "http://v"))
    with (
        patch.object(httpx.AsyncClient, "request", AsyncMock(return_value=answer)),
        pytest.raises(LocalUnavailable, match=r"does not list its models|serves no model"),
    ):
        await vllm.start()
    await vllm.stop()


async def test_model_that_vllm_does_not_load_is_answered_with_its_reason(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm, serving(vllm.url, folder, trainer) as api:
        model = await tuned(api, trainer, rank=64)
        with pytest.raises(openai.InternalServerError, match="greater than max_lora_rank 16"):
            await api.ask(model)
        assert await api.ask(MODEL) == "base says hi"


async def test_vllm_that_loads_no_adapters_is_told_how_it_would(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with (
        VllmServer(folder, updates=False) as vllm,
        serving(vllm.url, folder, trainer) as api,
    ):
        model = await tuned(api, trainer)
        with pytest.raises(openai.InternalServerError, match="RUNTIME_LORA_UPDATING=True vllm"):
            await api.ask(model)


async def test_vllm_that_dies_is_said_to_be_away_until_it_is_back(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm, serving(vllm.url, folder, trainer) as api:
        model = await tuned(api, trainer)
        await vllm.stop()
        for name in MODEL, model:
            with pytest.raises(openai.InternalServerError) as refused:
                await api.ask(name)
            assert refused.value.status_code == 503


async def test_start_without_vllm_says_how_it_is_started(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm:
        await vllm.stop()
        with pytest.raises(LocalUnavailable, match=r"does not answer at .*--enable-lora"):
            async with serving(vllm.url, folder, trainer):
                pass


async def test_start_with_a_wrong_key_names_it(
    folder: Path, trainer: ScriptedTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_KEY", "another")
    async with VllmServer(folder) as vllm:
        with pytest.raises(LocalUnavailable, match=r"status 401.*api_key_env"):
            async with serving(vllm.url, folder, trainer):
                pass


async def test_job_of_a_folder_is_left_to_the_server_that_trains_it(
    folder: Path, trainer: ScriptedTrainer, llama: ScriptedLlama
) -> None:
    del llama  # its environment is that of the other server's child
    now = 1_000_000.0
    async with ScriptedTrainer() as others, VllmServer(folder) as vllm:
        data = folder.parent / "data"
        data.mkdir()
        async with llama_api.serving(data, others, now=lambda: now) as first:
            async with serving(vllm.url, folder, trainer) as second:
                model = await tuned(second, trainer)
                assert model.startswith(f"ft:{MODEL}:")
            async with serving(vllm.url, folder, trainer, trains=False, now=lambda: now) as second:
                file = await second.upload()
                job = await second.sdk.fine_tuning.jobs.create(model=MODEL, training_file=file)
                now += COMING
                await second.says(
                    job.id, f"Waiting for a tunebot that is configured to train {folder}"
                )
            await first.tuned(others)


async def test_embeddings_are_those_of_a_vllm_that_makes_them(
    folder: Path, trainer: ScriptedTrainer
) -> None:
    async with VllmServer(folder) as vllm, serving(vllm.url, folder, trainer) as api:
        answer = await api.sdk.embeddings.create(model=MODEL, input="hi", encoding_format="float")
        assert (answer.model, answer.data[0].embedding) == (MODEL, [0.5] * 4)
        short = await api.sdk.embeddings.create(
            model=MODEL, input="hi", encoding_format="float", dimensions=2
        )
        assert short.data[0].embedding == [0.5] * 2
