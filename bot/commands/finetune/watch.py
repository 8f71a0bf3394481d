"""Commands that show jobs and follow them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.commands.registry import COMMANDS, Call, Services, command, nearest
from bot.errors import CommandError, TuningBusy, TuningError, TuningUnreached
from bot.messages import Button, Card, Document
from bot.store import jobs, telling
from bot.store.jobs import Stage, Tracked
from bot.training import JobEvent
from bot.tuning.card import SIGNS, state
from bot.tuning.ending import checkpoints_of
from bot.tuning.naming import meant
from bot.tuning.quoting import LONGEST, coded, one_line, quoted

MOST_LISTED = 20
MOST_EVENTS = 20
MOST_KNOWN = 1000  # jobs among which a name is looked for
NONE = "There is no job yet: `/finetune start` begins one."


@command("/finetune")
async def finetune(call: Call) -> str:
    """Train models from here: list what can be done."""
    if call.rest:
        raise CommandError(
            f"There is no such command. {nearest(['/finetune', *call.rest.split()])}"
        )
    rank = call.services.access.rank(call.message.person.id)
    return "\n".join(
        f"- `{each.usage}` {each.summary}"
        for name, each in COMMANDS.items()
        if name.startswith("/finetune ") and each.listed and each.rank <= rank
    )


@command("/finetune list")
async def list_(call: Call) -> str:
    """List the newest jobs."""
    known = await call.services.store.insist(jobs.newest, MOST_LISTED)
    return "\n".join(map(listed, known)) if known else NONE


def listed(tracked: Tracked) -> str:
    """A job's line in the list."""
    job = tracked.job
    how = state(job) if tracked.stage in {Stage.MADE, Stage.ENDED} else tracked.stage.value
    made = f" → {coded(job.fine_tuned_model)}" if job.fine_tuned_model else ""
    name = f"**{quoted(tracked.name)}** {coded(job.id)}".strip()
    return f"- {SIGNS[job.status]} {name} {quoted(job.model)}: {how}{made}"


@command("/finetune status [JOB]")
async def status(call: Call) -> str:
    """Show how far a job is: by its id, the end of it, its name, or "last"."""
    tracked = await the_job(call, call.rest)
    call.services.jobs.poke(tracked.job.id)
    return await call.services.jobs.text(tracked)


@command("/finetune follow [JOB]")
async def follow(call: Call) -> Card:
    """Show a job here, and tell what happens to it.

    Any job of the organisation will do, also one that was started elsewhere.
    """
    tracked, message = await the_job(call, call.rest), call.message
    return await call.services.jobs.follow(
        tracked, message.conversation, message.person.id, message.origin
    )


@command("/finetune unfollow [JOB]")
async def unfollow(call: Call) -> str:
    """Tell nothing more of a job here."""
    tracked = await the_job(call, call.rest)
    where = call.message.conversation
    if await call.services.jobs.unfollow(tracked, where):
        return f"Nothing more of {quoted(tracked.name)} is told here."
    return f"{quoted(tracked.name)} is not followed here."


@command("/finetune events [JOB]")
async def events(call: Call) -> Card:
    """Show the newest events of a job; all of them as a file."""
    tracked = await the_job(call, call.rest)
    found = await call.services.store.insist(telling.events, tracked.id)
    if not found:
        return Card(f"Nothing has happened to {quoted(tracked.name)} yet.")
    text = "\n".join(f"- {quoted(event_line(event), LONGEST)}" for event in found[-MOST_EVENTS:])
    if len(found) <= MOST_EVENTS:
        return Card(text)
    content = "".join(f"{event_line(event)}\n" for event in found).encode()
    file = Document(f"{tracked.job.id}-events.txt", "text/plain", content)
    return Card(f"The newest {MOST_EVENTS} of {len(found)} events:\n\n{text}", file)


def event_line(event: JobEvent) -> str:
    """An event in a line."""
    when = datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    level = "" if event.level == "info" else f"{event.level}: "
    return f"{when} {level}{one_line(event.text, LONGEST)}"


@command("/finetune checkpoints [JOB]")
async def checkpoints(call: Call) -> Card:
    """List the models that a job made on its way; each can be used."""
    tracked = await the_job(call, call.rest)
    service = call.services.jobs.service(tracked)
    found = await checkpoints_of(service, tracked.job.id) if tracked.job.id else []
    if not found:
        return Card(f"{quoted(tracked.name)} has no checkpoints yet.")
    lines = [
        f"- step {each.step:,}: {coded(each.model)}"
        + "".join(f", {name} {value:.3g}" for name, value in shown(each.metrics))
        for each in found
    ]
    newest = () if service.deploys else found[-4:]
    uses = tuple(
        Button(f"Use step {each.step:,}", f"/finetune use {tracked.id} {each.step}")
        for each in newest
    )
    return Card("\n".join(lines), buttons=uses)


def shown(metrics: Mapping[str, float]) -> list[tuple[str, float]]:
    """The metrics that tell one checkpoint from another."""
    names = {"train_loss": "training loss", "valid_loss": "validation loss"}
    names["full_valid_loss"] = "full validation loss"
    return [(names[key], value) for key, value in metrics.items() if key in names]


@command("/finetune results [JOB]")
async def results(call: Call) -> Card:
    """Get the table of a job's metrics as a CSV file."""
    tracked = await the_job(call, call.rest)
    if not tracked.job.result_files:
        name = quoted(tracked.name)
        raise CommandError(f"{name} has no result file: it comes when it has succeeded.")
    service = call.services.jobs.service(tracked)
    content = await service.content(tracked.job.result_files[0])
    file = Document(f"{tracked.job.id}-results.csv", "text/csv", content)
    return Card(f"The metrics of {quoted(tracked.name)}, step by step.", file)


async def the_job(call: Call, text: str) -> Tracked:
    """The job that a person means; one that was made elsewhere is looked for at its service.

    Raises CommandError.
    """
    services = call.services
    known = await services.store.insist(jobs.newest, MOST_KNOWN)
    if tracked := meant(text, known):
        return tracked
    if not text.strip() or text.strip() == "last":
        raise CommandError(NONE)
    return await elsewhere(services, text.strip().strip("`"), call.message.person.id)


async def elsewhere(services: Services, id_: str, person: str) -> Tracked:
    """A job that somebody made elsewhere. Raises CommandError."""
    trouble: TuningError | None = None
    for name, service in services.jobs.services.items():
        try:
            job = await service.job(id_)
        except (TuningBusy, TuningUnreached) as error:
            trouble = error
        except TuningError:
            continue
        else:
            return await services.jobs.adopt(name, job, person)
    if trouble:
        raise trouble
    raise CommandError(f"There is no job {id_!r}: `/finetune list` shows them.")
