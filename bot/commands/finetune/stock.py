"""Commands about what lies at a service: files and models, and how to delete them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from bot.access import Rank
from bot.commands.registry import Call, command
from bot.errors import CommandError
from bot.messages import Button, Card
from bot.models.names import goes_with, is_tuned
from bot.store import audit, conversations, datasets
from bot.tuning.jobs import Jobs
from bot.tuning.quoting import coded, quoted
from bot.tuning.service import TuningService

MOST_LISTED = 30
MOST_SAID = 48  # bytes that platforms carry on a button
SURE = "yes"


@command("/finetune files [SERVICE]", rank=Rank.OPERATOR)
async def files(call: Call) -> str:
    """List the training files at a service."""
    name, service = the_service(call, call.rest.strip())
    found = await service.files()
    if not found:
        return f"There are no training files at {name}."
    lines = [
        f"- {coded(each.id)} {quoted(each.name)}, {each.size:,} bytes"
        f"{'' if each.processed else ', not read yet'}"
        f"{f': {quoted(each.failure)}' if each.failure else ''}"
        for each in found[:MOST_LISTED]
    ]
    more = len(found) - MOST_LISTED
    return "\n".join([*lines, *([f"… and {more} more."] if more > 0 else [])])


@command("/finetune models [SERVICE]")
async def models(call: Call) -> str:
    """List the models at a service: those that were trained, and those that end soon."""
    name, service = the_service(call, call.rest.strip())
    found = await service.models()
    tuned = [each for each in found if is_tuned(each.id)]
    bases = [each for each in found if not is_tuned(each.id)]
    lines = (
        [f"{len(tuned)} trained models at {name}:"] if tuned else [f"None is trained at {name}."]
    )
    lines += [f"- {coded(each.id)}{ends(each.shutdown)}" for each in tuned[:MOST_LISTED]]
    if len(tuned) > MOST_LISTED:
        lines.append(f"… and {len(tuned) - MOST_LISTED} more.")
    lines += ["", "Others: " + ", ".join(coded(each.id) for each in bases[:MOST_LISTED])]
    lines += [f"- {coded(each.id)}{ends(each.shutdown)}" for each in bases if each.shutdown]
    return "\n".join(lines).rstrip(": ")


def ends(day: str) -> str:
    """When a model ends, if that is known."""
    return f", ends on {quoted(day)}" if day else ""


@command("/finetune delete WHAT", rank=Rank.OPERATOR)
async def delete(call: Call) -> Card | str:
    """Delete a model, a file at a service, or a dataset.

    It asks before it does. A model that a channel talks to is not deleted.
    """
    words = call.rest.split()
    if not words or len(words) > 2 or words[1:] not in ([], [SURE]):
        raise CommandError("Write `/finetune delete` and the id of a model, a file or a dataset.")
    what, store = words[0].strip("`"), call.services.store
    delete = await deletion(call, what)
    if words[1:] != [SURE]:
        says = f"/finetune delete {what} {SURE}"
        text = f"Delete `{what}`? It cannot be brought back."
        if len(says.encode()) > MOST_SAID:
            return Card(f"{text} Then write `{says}`.")
        return Card(text, buttons=(Button("Delete", says),))
    await delete()
    now, person = call.services.clock.now(), call.message.person.id
    await store.insist(audit.note, person, "delete", what, now)
    return f"`{what}` is deleted."


async def deletion(call: Call, what: str) -> Callable[[], Awaitable[None]]:
    """How a dataset, a file or a model is deleted. Raises CommandError where there is none, and for
    a model that somebody talks to.
    """
    library, tuning = call.services.library, call.services.jobs
    dataset = await call.services.store.insist(datasets.named, what)
    if dataset:
        return lambda: library.delete(dataset)
    await require_unused(call, what)
    for service in tuning.services.values():
        if what.startswith("file-") and what in {each.id for each in await service.files()}:
            return partial(service.delete_file, what)
        if what in {each.id for each in await service.models()}:
            return partial(model_deleted, tuning, service, what)
    raise CommandError(f"There is no file, model or dataset named {what!r}.")


async def model_deleted(tuning: Jobs, service: TuningService, model: str) -> None:
    """Delete a model, and the profiles that talk to it."""
    await service.delete_model(model)
    await tuning.unlearn(model)


async def require_unused(call: Call, model: str) -> None:
    """Raise CommandError, with the channels, for a model that somebody talks to, or to one of its
    checkpoints.
    """
    profiles = call.services.profiles
    if goes_with(profiles.chosen("").model, model):
        raise CommandError(f"`{model}` is in use: it is the default. Configure another one first.")
    names = [each.name for each in profiles.all() if goes_with(each.model, model)]
    users = await call.services.store.insist(conversations.users_of, names)
    if users:
        where = ", ".join(f"{each.adapter}:{each.channel}" for each in users[:MOST_LISTED])
        raise CommandError(f"`{model}` is in use: {where}. Choose another model there first.")


def the_service(call: Call, name: str) -> tuple[str, TuningService]:
    """A service by its name, or the usual one. Raises CommandError."""
    name = name or call.services.tuning.provider
    services = call.services.jobs.services
    if name not in services:
        raise CommandError(f"There is no provider named {name!r}; known: {', '.join(services)}.")
    return name, services[name]
