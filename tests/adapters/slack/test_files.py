"""What people attach reaches the core as files, whole, and nothing stays of what it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.slack.api import Api
from bot.messages import IncomingMessage, Receipt
from bot.ports import Adapter
from tests.adapters.slack.conftest import Core, Make, read, running
from tests.ending import end
from tests.slack_server import File
from tests.slack_server.people import Person
from tests.slack_server.slack import Slack

TALK = b'{"a": 1}\n' * 100_000


@dataclass(frozen=True)
class Described(File):
    """A file of which Slack tells something else."""

    told: dict[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """What Slack tells."""
        return {**File.json(self), **self.told}


class Shelves:
    """A place of Slack's own for files that behave as their names say; `asked` has the names and
    the tokens with which somebody came.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    def file(self, name: str, *, host: str = "127.0.0.1", **more: Any) -> Described:
        """A file that stands here, as Slack might describe it."""
        url = f"http://{host}:{self.port}/{name}"
        told = {"mode": "hosted", "size": 1000, "url_private_download": url, **more}
        return Described("F1", name, "text/plain", b"", "U0ANN", url, told=told)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Give a file."""
        name = request.match_info["name"]
        self.asked.append((name, request.headers.get("Authorization", "")))
        match name:
            case "breaks-once" if len(self.asked) == 1:
                response = web.StreamResponse(headers={"Content-Length": "1000"})
                await response.prepare(request)
                await response.write(b"x" * 10)
                assert request.transport
                request.transport.abort()
                return response
            case "gone":
                return web.Response(status=404)
            case "page.html":
                return web.Response(text="<p>Hello", content_type="text/html")
            case "login":
                return web.Response(text="<p>Sign in", content_type="text/html")
            case _:
                return web.Response(body=b"x" * 1000)


@pytest.fixture
async def shelves() -> AsyncIterator[Shelves]:
    shelves, app = Shelves(), web.Application()
    app.router.add_get("/{name}", shelves.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shelves.port = runner.addresses[0][1]
    yield shelves
    await end(runner)


@pytest.fixture
def ann(slack: Slack) -> Person:
    return slack.person("ann")


def answers(slack: Slack, ann: Person) -> str:
    """What Ann reads of the bot."""
    return "\n".join(slack.workspace.visible(ann.im))


async def told(slack: Slack, ann: Person, sentence: str) -> None:
    """Return when Ann reads a sentence."""
    await slack.workspace.until(lambda: sentence in answers(slack, ann))


async def test_file_is_kept_under_a_name_that_nobody_chose(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    kept = slack.workspace.keep("talk.jsonl", TALK, "application/jsonl", ann.user)
    async with running(adapter) as core:
        ann.says(ann.im, "What do you think?", files=[kept])
        await core.heard("What do you think?")
        (attached,) = core.received[0].attachments
        path = Path(attached.path)
        assert path.parent == core.files
        assert "talk" not in path.name
        assert path.read_bytes() == TALK
        assert (attached.name, attached.media_type) == ("talk.jsonl", "application/jsonl")
        assert attached.size == len(TALK)


async def test_voice_clip_comes_without_words_as_speech(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    clip = slack.workspace.keep("audio_message.m4a", b"m4a" * 100, "audio/mp4", ann.user)
    async with running(adapter) as core:
        ann.says(ann.im, "", files=[clip])
        await core.heard("")
        assert core.received[0].attachments[0].is_speech


@pytest.mark.parametrize(
    ("name", "more", "sentence"),
    [
        ("a.txt", {"size": 2_000_000}, "a.txt is larger than 1.5 MB"),
        ("a.txt", {"is_external": True}, "upload the file itself"),
        ("a.txt", {"mode": "external"}, "upload the file itself"),
        ("a.txt", {"mode": "tombstone"}, "was deleted"),
        ("a.txt", {"mode": "hidden_by_limit"}, "was deleted"),
        ("a.txt", {"url_private_download": None}, "was deleted"),
        ("login", {}, "lacks files:read or the token is wrong"),
        ("gone", {}, "please send it again"),
    ],
)
async def test_file_that_does_not_come_is_told_and_the_words_are_heard(
    slack: Slack,
    shelves: Shelves,
    make: Make,
    ann: Person,
    name: str,
    more: dict[str, Any],
    sentence: str,
) -> None:
    async with running(make(max_file=1_572_864)) as core:
        ann.says(ann.im, "What is it?", files=[shelves.file(name, **more)])
        await core.heard("What is it?")
        assert not core.received[0].attachments
        await told(slack, ann, sentence)
        await read(slack, core)
        assert not list(core.files.iterdir())


async def test_file_that_does_not_come_and_no_words_are_told_alone(
    slack: Slack, shelves: Shelves, adapter: Adapter, ann: Person
) -> None:
    async with running(adapter) as core:
        ann.says(ann.im, "", files=[shelves.file("a.txt", mode="tombstone")])
        await told(slack, ann, "was deleted")
        await read(slack, core)
        assert not core.received


async def test_file_that_is_larger_than_it_was_said_to_be_is_given_up(
    slack: Slack, shelves: Shelves, make: Make, ann: Person
) -> None:
    async with running(make(max_file=500)) as core:
        ann.says(ann.im, "Small?", files=[shelves.file("a.txt", size=10)])
        await told(slack, ann, "is larger than")
        await read(slack, core)
        assert not list(core.files.iterdir())


async def test_download_that_breaks_is_begun_anew(
    shelves: Shelves, adapter: Adapter, ann: Person
) -> None:
    async with running(adapter) as core:
        ann.says(ann.im, "Look", files=[shelves.file("breaks-once")])
        await core.heard("Look")
        (attached,) = core.received[0].attachments
        assert Path(attached.path).read_bytes() == b"x" * 1000
        assert len(list(core.files.iterdir())) == 1


async def test_login_page_in_the_place_of_any_file_is_no_file(
    slack: Slack, adapter: Adapter, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Api, "authorization", {})
    page = slack.workspace.keep("page.html", b"<p>Hello", "text/html", ann.user)
    async with running(adapter) as core:
        ann.says(ann.im, "Read it", files=[page])
        await told(slack, ann, "lacks files:read or the token is wrong")
        await core.heard("Read it")
        assert not core.received[0].attachments


async def test_page_that_a_person_attached_is_a_file(
    shelves: Shelves, adapter: Adapter, ann: Person
) -> None:
    async with running(adapter) as core:
        ann.says(ann.im, "Read it", files=[shelves.file("page.html", mimetype="text/html")])
        await core.heard("Read it")
        assert core.received[0].attachments


async def test_file_of_another_workspace_is_asked_for(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    kept = slack.workspace.keep("a.txt", b"shared", "text/plain", ann.user)
    async with running(adapter) as core:
        told = {"file_access": "check_file_info", "name": None, "url_private_download": None}
        shared = Described(kept.id, "", "", b"", ann.id, "", told=told)
        ann.says(ann.im, "Look", files=[shared])
        await core.heard("Look")
        assert core.received[0].attachments[0].name == "a.txt"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1.example", "example"])
async def test_token_is_shown_to_slack_alone(
    slack: Slack, shelves: Shelves, adapter: Adapter, ann: Person, host: str
) -> None:
    async with running(adapter) as core:
        ann.says(ann.im, "Look", files=[shelves.file("a.txt", host=host)])
        await core.heard("Look")
        await told(slack, ann, "upload the file itself")
        assert not shelves.asked
        ann.says(ann.im, "Again", files=[shelves.file("a.txt")])
        await core.heard("Again")
        assert shelves.asked == [("a.txt", f"Bearer {slack.tokens.bot}")]


async def test_files_of_strangers_are_not_fetched(
    slack: Slack, shelves: Shelves, adapter: Adapter, ann: Person
) -> None:
    async with running(adapter) as core:
        core.strangers.add(f"slack:{ann.id}")
        ann.says(ann.im, "", files=[shelves.file("a.txt")])
        ann.says(ann.im, "Look", files=[shelves.file("a.txt")])
        await read(slack, core)
        assert not shelves.asked
        assert not core.received
        assert len([key for key in core.keys if "/" in key]) == 2, "the core was told of both"


class RefusingCore(Core):
    """Takes nothing just now."""

    async def receive(self, message: IncomingMessage) -> Receipt:
        await super().receive(message)
        return Receipt.REFUSED


async def test_nothing_stays_of_what_is_refused(
    slack: Slack, shelves: Shelves, adapter: Adapter, ann: Person
) -> None:
    core = RefusingCore(adapter)
    async with running(adapter, core=core):
        ann.says(ann.im, "Look", files=[shelves.file("a.txt")])
        await core.heard("Look")
        await read(slack, core)
        assert not list(core.files.iterdir())


async def test_mention_that_comes_twice_is_fetched_once(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    general = slack.workspace.channel("general", [ann.user])
    kept = slack.workspace.keep("a.txt", b"x", "text/plain", ann.user)
    async with running(adapter) as core:
        message = ann.says(general, "@tunebot look", files=[kept])
        await read(slack, core)
        assert len(slack.delivery.of(message)) == 2
        assert len(list(core.files.iterdir())) == 1


async def test_in_a_channel_only_who_attached_a_file_reads_why_it_did_not_come(
    slack: Slack, shelves: Shelves, adapter: Adapter, ann: Person
) -> None:
    general = slack.workspace.channel("general", [ann.user])
    async with running(adapter) as core:
        file = shelves.file("a.txt", mode="tombstone")
        ann.says(general, "@tunebot what is it?", files=[file])
        await core.heard("what is it?")
        await slack.workspace.until(lambda: slack.workspace.ephemeral(ann.user, general))
        [sentence] = slack.workspace.ephemeral(ann.user, general)
        assert "was deleted" in sentence.seen
        await read(slack, core)
        assert not [text for text in slack.workspace.visible(general) if "was deleted" in text]
