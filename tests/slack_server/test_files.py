"""Files go up in three steps, and come down only with the right token."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack_server import Channel, SlackServer, User


async def fetched(url: str, token: str) -> tuple[int, str, bytes]:
    """Status, type and content of what is at a URL for who has a token."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as answer:
        return answer.status, answer.content_type, await answer.read()


async def test_file_goes_up_and_comes_down(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User
) -> None:
    root = server.workspace.post(general, ann, "chart, please")
    await client.files_upload_v2(
        channel=general.id,
        thread_ts=root.ts,
        filename="loss.png",
        title="Loss",
        content=b"\x89PNG",
        initial_comment="Here.",
    )
    message = server.workspace.messages(general, root.ts)[-1]
    (file,) = message.files
    assert (message.seen, file.title, file.content) == ("Here.", "Loss", b"\x89PNG")
    told = (await client.files_info(file=file.id))["file"]
    down = await fetched(told["url_private_download"], server.tokens.bot)
    assert down == (200, "image/png", b"\x89PNG")


async def test_file_of_a_person_comes_down(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User
) -> None:
    file = server.workspace.keep("my data.jsonl", b"{}", "application/json", ann)
    server.workspace.post(general, ann, "", files=[file])
    (told,) = (await client.conversations_history(channel=general.id))["messages"][0]["files"]
    assert (told["name"], told["size"], told["user"]) == ("my data.jsonl", 2, ann.id)
    status, _, content = await fetched(told["url_private_download"], server.tokens.bot)
    assert (status, content) == (200, b"{}")


async def test_wrong_token_leads_to_a_page_where_people_log_in(
    server: SlackServer, ann: User
) -> None:
    file = server.workspace.keep("data.jsonl", b"{}", "application/json", ann)
    status, kind, content = await fetched(file.url, "xoxb-other")
    assert (status, kind) == (200, "text/html")
    assert b"Sign in" in content


async def test_file_that_has_not_come_is_not_shared(
    server: SlackServer, client: AsyncWebClient, general: Channel
) -> None:
    place = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    for _ in range(2):
        with pytest.raises(SlackApiError, match="file_not_found"):
            await client.files_completeUploadExternal(
                files=[{"id": place["file_id"]}], channel_id=general.id
            )
        async with aiohttp.ClientSession() as http:
            answer = await http.post(place["upload_url"], data=b"too long")
            assert answer.status == 400
        assert "8 bytes came, 3 were announced" in server.violations.pop()
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_info(file=place["file_id"])
