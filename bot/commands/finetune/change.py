"""Commands that change a running job: cancel, pause, resume."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.access import Rank
from bot.commands.finetune.watch import the_job
from bot.commands.registry import Call, command
from bot.errors import CommandError
from bot.messages import Button, Card
from bot.store import audit
from bot.store.jobs import Stage, Tracked
from bot.training import Job
from bot.tuning.quoting import quoted

SURE = "yes"


@command("/finetune cancel [JOB]", rank=Rank.OPERATOR)
async def cancel(call: Call) -> Card | str:
    """Stop a job for good. What it has trained so far is billed.

    It asks before it does; `/finetune cancel JOB yes` does not.
    """
    words = call.rest.split()
    sure = len(words) == 2 and words[1] == SURE
    tracked = await running(call, words[0] if words else "")
    if not sure:
        return Card(
            f"Cancel **{quoted(tracked.name)}**? The tokens that it has trained so far are billed, "
            f"and it cannot be taken up again.",
            buttons=(
                Button("Cancel the job", f"/finetune cancel {tracked.id} {SURE}"),
                Button("Let it run", f"/finetune status {tracked.id}"),
            ),
        )
    jobs = call.services.jobs
    if tracked.stage is not Stage.MADE:
        if await jobs.withdraw(tracked, call.message.person.id):
            return f"**{quoted(tracked.name)}** is taken back; what was made of it is cancelled."
        tracked = await running(call, str(tracked.id))
    return await done(call, tracked, "cancel", jobs.service(tracked).cancel)


@command("/finetune pause [JOB]", rank=Rank.OPERATOR)
async def pause(call: Call) -> str:
    """Let a job rest, where its service can."""
    tracked = await made(call, call.rest)
    return await done(call, tracked, "pause", call.services.jobs.service(tracked).pause)


@command("/finetune resume [JOB]", rank=Rank.OPERATOR)
async def resume(call: Call) -> str:
    """Go on with a job that was paused."""
    tracked = await made(call, call.rest)
    return await done(call, tracked, "resume", call.services.jobs.service(tracked).resume)


async def done(
    call: Call, tracked: Tracked, what: str, change: Callable[[str], Awaitable[Job]]
) -> str:
    """Have a service change a job, note who wanted it, and look at it at once."""
    services = call.services
    job = await change(tracked.job.id)
    now, person = services.clock.now(), call.message.person.id
    await services.store.insist(audit.note, person, what, tracked.job.id, now)
    services.jobs.poke(tracked.job.id)
    return f"**{quoted(tracked.name)}** is {quoted(job.said) or job.status.value} now."


async def made(call: Call, text: str) -> Tracked:
    """The job that is meant, which its service must have. Raises CommandError."""
    tracked = await running(call, text)
    if tracked.stage is not Stage.MADE:
        raise CommandError(f"{quoted(tracked.name)} is still starting: try it again in a moment.")
    return tracked


async def running(call: Call, text: str) -> Tracked:
    """The job that is meant, which must not have ended. Raises CommandError."""
    tracked = await the_job(call, text)
    if tracked.stage is Stage.ENDED or tracked.job.status.is_end:
        raise CommandError(f"{quoted(tracked.name)} has ended: it is {tracked.job.status.value}.")
    return tracked
