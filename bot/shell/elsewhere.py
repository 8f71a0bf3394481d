"""Another tunebot that has the database, asked over its HTTP interface."""

from __future__ import annotations

import getpass
import json
from base64 import b64decode
from collections.abc import Mapping
from importlib import import_module
from typing import Any
from uuid import uuid4

import httpx

from bot.config import Config
from bot.errors import BotError
from bot.messages import Button, Document, Ending, Said
from bot.platforms import settings_of
from bot.shell.words import Typed

PATIENCE = httpx.Timeout(600.0, connect=5.0)  # seconds: a large file is read and counted
KEYS = "TUNEBOT_API_KEYS"
INSTEAD = "stop it, or give the command in its chat"


class Elsewhere:
    """POST /api/command of another tunebot; the same file is its database and ours."""

    beginning = ""
    untold = "It was not started: the log of the tunebot that runs says why."

    def __init__(self, config: Config, environment: Mapping[str, str]) -> None:
        user = getpass.getuser()
        self.person = f"http:{user}"
        self._who = {"user_id": user, "group_id": "shell"}
        self._address = address(config)
        keys = environment.get(KEYS, "").replace(",", " ").split()
        self._headers = {"Authorization": f"Bearer {keys[0]}"} if keys else {}

    async def ask(self, command: Typed) -> Said:
        """Give a command to it."""
        pars = {**self._who, "command": command.text, "question_id": uuid4().hex}
        response = await self._posted({"version": "1.0.0", "pars": pars}, command)
        if response.status_code != 200:
            raise BotError(f"The tunebot at {self._address} says: {reason(response)}")
        return said(response.json()["pars"])

    async def settled(self) -> None:
        """Nothing is told over HTTP but answers."""

    async def _posted(self, body: Mapping[str, Any], command: Typed) -> httpx.Response:
        url = f"{self._address}api/command"
        try:
            async with httpx.AsyncClient(
                timeout=PATIENCE, trust_env=False, headers=self._headers
            ) as client:
                if command.file is None:
                    return await client.post(url, json=body)
                with command.file.open("rb") as file:
                    form, files = {"json": json.dumps(body)}, {"file": (command.file.name, file)}
                    return await client.post(url, data=form, files=files)
        except OSError as error:
            raise BotError(f"{command.file} cannot be read: {error.strerror}.") from None
        except httpx.HTTPError:
            raise BotError(
                f"Another tunebot has this database, and none answers at {self._address}: "
                f"{INSTEAD}."
            ) from None


def address(config: Config) -> str:
    """Where the other one listens, if it is configured as we are. Raises BotError."""
    if "http" not in config.adapters:
        raise BotError(
            f"Another tunebot has this database, and [adapters.http] is not configured to reach "
            f"it: {INSTEAD}."
        )
    settings = settings_of("http", config.adapters["http"])
    return str(import_module("adapters.http").address(settings.host, settings.port))


def reason(response: httpx.Response) -> str:
    """Why a request was refused, in its server's words."""
    try:
        message = str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {response.status_code}."
    return f"{message} Export {KEYS}." if response.status_code == 401 else message


def said(pars: Mapping[str, Any]) -> Said:
    """A reply, as the core has it."""
    file = pars["file"]
    return Said(
        "",
        pars["text"],
        Ending.FAILED if pars["failed"] else Ending.WHOLE,
        document=Document(file["name"], file["media_type"], b64decode(file["content"]))
        if file
        else None,
        buttons=tuple(Button(each["label"], each["command"]) for each in pars["buttons"]),
    )
