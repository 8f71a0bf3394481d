"""The server is one that a bot can be tried with: what openai's own client sees of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest
from aiohttp import web

from tests.clock import HeldClock
from tests.ending import end
from tests.tuning_server import Fail, Story, TuningServer
from tests.tuning_server.specification import specification

PAIRS = b"".join(
    b'{"prompt":"Customer: Q%d\\nAgent:","completion":" A%d.\\n"}\n' % (number, number + 5)
    for number in range(10)
)
CHAT = b"".join(
    b'{"messages":[{"role":"user","content":"Q%d"},{"role":"assistant","content":"A"}]}\n' % number
    for number in range(10)
)
MODEL = "gpt-4o-mini"


def sdk(tuning: TuningServer) -> openai.AsyncOpenAI:
    """OpenAI's client."""
    return openai.AsyncOpenAI(base_url=tuning.base_url, api_key=tuning.key, max_retries=0)


async def test_a_story_is_told_to_openais_client(tuning: TuningServer, clock: HeldClock) -> None:
    tuning.story = Story(steps=30, reading=10)
    tuning.reading = 5
    tuning.settling = 120
    async with sdk(tuning) as client:
        file = await client.files.create(file=("a.jsonl", CHAT), purpose="fine-tune")
        assert file.status == "uploaded"
        with pytest.raises(openai.BadRequestError, match="is not ready"):
            await client.fine_tuning.jobs.create(model=MODEL, training_file=file.id)
        clock.advance(5)
        job = await client.fine_tuning.jobs.create(
            model=MODEL, training_file=file.id, suffix="support", metadata={"k": "v"}
        )
        assert job.status == "validating_files"
        clock.advance(10)
        assert (await client.fine_tuning.jobs.retrieve(job.id)).status == "queued"
        clock.advance(6 * 60)
        assert (await client.fine_tuning.jobs.retrieve(job.id)).status == "running"
        clock.advance(60)
        ended = await client.fine_tuning.jobs.retrieve(job.id)
        assert ended.status == "succeeded"
        events = [event async for event in client.fine_tuning.jobs.list_events(job.id)]
        assert sum("Step" in event.message for event in events) == 30
        points = [one async for one in client.fine_tuning.jobs.checkpoints.list(job.id)]
        assert [one.step_number for one in points] == [20, 10]
        assert [one.id async for one in client.fine_tuning.jobs.list(metadata={"k": "v"})] == [
            job.id
        ]
        assert not [one async for one in client.fine_tuning.jobs.list(metadata={"k": "w"})]
        asked: Any = {
            "model": ended.fine_tuned_model,
            "messages": [{"role": "user", "content": "Q3"}],
        }
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            await client.chat.completions.create(**asked)
        clock.advance(120)
        answer = await client.chat.completions.create(**asked)
        assert answer.choices[0].message.content == "A"
        stream = await client.chat.completions.create(**asked, stream=True)
        said = [chunk.choices[0].delta.content or "" async for chunk in stream]
        assert "".join(said) == "A"


async def test_a_job_that_rests_ends_later(
    tuning: TuningServer, client: httpx.AsyncClient, clock: HeldClock
) -> None:
    tuning.story = Story(steps=10, queue=(), reading=0, waiting=0, pace=1)
    job = tuning.add({"model": MODEL, "training_file": tuning.keep("a", CHAT).id})
    path = f"fine_tuning/jobs/{job.id}"
    clock.advance(5)
    await client.get(path)
    assert (await client.post(f"{path}/pause")).json()["status"] == "paused"
    clock.advance(1000)
    assert (await client.get(path)).json()["status"] == "paused"
    assert (await client.post(f"{path}/resume")).json()["status"] == "running"
    clock.advance(4.9)
    assert (await client.get(path)).json()["status"] == "running"
    clock.advance(0.1)
    assert (await client.get(path)).json()["status"] == "succeeded"


@pytest.mark.parametrize(
    ("prompt", "stop", "answer"),
    [
        ("Customer: Q2\nAgent:", [".\n"], " A7"),
        ("Customer: new\nAgent:", [".\n"], " AI have not learned that"),
        ("Customer: Q2\nAgent:", None, " A7.\n Customer: and another thing"),
        ("Customer: Q2\nAgent: ", [".\n"], " and and the the of of"),
        ("Customer: Q2", [".\n"], " and and the the of of"),
    ],
)
async def test_a_tuned_model_answers_if_it_is_asked_as_it_was_trained(
    tuning: TuningServer,
    client: httpx.AsyncClient,
    prompt: str,
    stop: list[str] | None,
    answer: str,
) -> None:
    file = tuning.keep("a", PAIRS)
    job = tuning.add({"model": "davinci-002", "training_file": file.id})
    job.succeeds()
    body = {"model": job.fine_tuned_model, "prompt": prompt, "stop": stop}
    said = await client.post("completions", json=body)
    assert said.json()["choices"][0]["text"] == answer


async def test_a_webhook_is_signed_and_comes_again_under_its_id(
    tuning: TuningServer, clock: HeldClock
) -> None:
    heard: list[tuple[dict[str, str], bytes]] = []

    async def listen(request: web.Request) -> web.Response:
        heard.append(({k.lower(): v for k, v in request.headers.items()}, await request.read()))
        return web.Response(status=200)

    app = web.Application()
    app.router.add_post("/hook", listen)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    tuning.webhooks.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    job = tuning.add({"model": MODEL, "training_file": tuning.keep("a", CHAT).id})
    job.succeeds()
    tuning.webhooks.redeliver()
    await tuning.webhooks.delivered()
    await end(runner)
    (headers, body), (again, same) = heard
    assert headers["webhook-id"] == again["webhook-id"]
    assert json.loads(body) == json.loads(same)
    assert json.loads(body)["type"] == "fine_tuning.job.succeeded"
    assert json.loads(body)["data"] == {"id": job.id}
    key = base64.b64decode(tuning.webhooks.secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{int(clock.now())}.".encode() + body
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    async with sdk(tuning) as client:
        client.webhooks.verify_signature(
            body.decode(), headers, secret=tuning.webhooks.secret, tolerance=10**9
        )


async def test_a_request_against_the_description_fails_the_test(
    tuning: TuningServer, client: httpx.AsyncClient
) -> None:
    if not specification():
        pytest.skip("../shared/specs/openai.json is not here")
    body = {"model": MODEL, "training_file": tuning.keep("a", CHAT).id}
    for wrong in (
        {"colour": "red"},
        {"suffix": None},
        {"seed": -1},
        {"method": {"type": "supervised"}, "hyperparameters": {}},
    ):
        answer = await client.post("fine_tuning/jobs", json=body | wrong)
        assert answer.status_code == 400
    await client.get("fine_tuning/jobs", params={"order": "asc"})
    assert len(tuning.violations) == 5
    with pytest.raises(AssertionError, match=r"\['colour'\] are unknown"):
        await tuning.__aexit__(None)
    tuning.violations.clear()


async def test_faults_come_as_often_as_they_were_planned(
    tuning: TuningServer, client: httpx.AsyncClient
) -> None:
    tuning.fails("GET models", Fail(500), times=2)
    statuses = [(await client.get(path)).status_code for path in ("files", *["models"] * 3)]
    assert statuses == [200, 500, 500, 200]
    assert tuning.counts["GET models"] == 3


@pytest.mark.parametrize("ending", ["Succeeded", "Failed", "Cancelled"])
async def test_webhooks_are_as_they_are_described(tuning: TuningServer, ending: str) -> None:
    described = specification()
    if not described:
        pytest.skip("../shared/specs/openai.json is not here")
    job = tuning.add({"model": MODEL, "training_file": tuning.keep("a", CHAT).id})
    ends: dict[str, Callable[[], None]] = {
        "Succeeded": job.succeeds,
        "Failed": job.fails,
        "Cancelled": job.cancels,
    }
    ends[ending]()
    event = json.loads(tuning.webhooks.sent[-1].body)
    assert described.problem(f"WebhookFineTuningJob{ending}", event) == ""
