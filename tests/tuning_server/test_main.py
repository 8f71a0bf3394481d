"""The server as a process of its own."""

from __future__ import annotations

import asyncio
import sys

import httpx

from tests.tuning_server import KEY


async def test_the_process_serves_jobs_that_are_moved_over_http() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.tuning_server", "--steps", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        async with asyncio.timeout(30):
            base_url = (await process.stdout.readline()).decode().strip()
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}) as client:
            root = base_url.removesuffix("/v1")

            async def control(verb: str, /, **given: object) -> int:
                return (await client.post(f"{root}/control/{verb}", json=given)).status_code

            files = {"file": ("a.jsonl", b'{"messages": []}\n')}
            sent = await client.post(
                f"{base_url}/files", data={"purpose": "fine-tune"}, files=files
            )
            body = {"model": "gpt-4o-mini", "training_file": sent.json()["id"]}
            assert await control("story", steps=3, pace=10.0) == 200
            job = (await client.post(f"{base_url}/fine_tuning/jobs", json=body)).json()["id"]
            await control("advance", seconds=3600)
            assert await control("fails", call="GET models", kind="fail", status=500) == 200
            assert (await client.get(f"{base_url}/models")).status_code == 500
            assert await control("settings", eligible=False) == 200
            refused = await client.post(f"{base_url}/fine_tuning/jobs", json=body)
            assert refused.status_code == 403
            assert await control("job", id=job, verb="tell", arguments=["hello"]) == 200
            assert await control("job", id=job, verb="__init__") == 400
            assert await control("settings", key="x") == 400
            state = (await client.get(f"{root}/control/state")).json()
        assert state["counts"]["POST fine_tuning/jobs"] == 2
        assert state["jobs"][0]["status"] == "succeeded"
        assert state["violations"] == []
    finally:
        process.kill()
        await process.wait()
