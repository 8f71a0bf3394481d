"""Commands that talk to a model that was trained: use it here, or try it beside its base."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from bot.access import Rank
from bot.commands.finetune.watch import the_job
from bot.commands.options import whole_number
from bot.commands.registry import Call, Services, command
from bot.errors import BotError, CommandError
from bot.messages import Card, Person, Profile, Role, Turn
from bot.models.names import base_model
from bot.store import audit, conversations, spoken
from bot.store.jobs import Tracked
from bot.training import JobStatus
from bot.tuning.ending import checkpoints_of
from bot.tuning.notices import to_deploy
from bot.tuning.quoting import coded, quoted

DEPLOYMENT = re.compile(r"[\w.-]{1,64}", re.ASCII)


@command("/finetune use JOB [STEP]", rank=Rank.OPERATOR)
async def use(call: Call) -> str:
    """Talk to the model of a job in this channel from now on.

    With STEP, to the checkpoint that it made there. It is asked as its training data was written.
    Azure's models have to be deployed first: there it is `/finetune use JOB DEPLOYMENT`.
    `/model default` goes back.
    """
    words, services = call.rest.split(), call.services
    tracked = await the_job(call, words[0] if words else "")
    before = [each.name for each in services.profiles.all()]
    profile = await chosen(call, tracked, words[1:])
    where = call.message.conversation
    await services.store.insist(conversations.choose_for_channel, where, profile.name)
    now, person = services.clock.now(), call.message.person.id
    await services.store.insist(audit.note, person, "use", profile.model, now)
    known = {each.name for each in services.profiles.all()}
    replaced = "".join(
        f" So it does wherever **{name}** did, whose deployment that was."
        for name in before
        if name not in known
    )
    return (
        f"From now on **{profile.name}** answers in this channel: {coded(profile.model)}.{replaced}"
    )


@command("/finetune try [JOB] [QUESTION]")
async def try_(call: Call) -> Card:
    """Ask a trained model and its base the same question, and show both answers.

    Without QUESTION, the last one that was asked here.
    """
    words = call.rest.split(maxsplit=1)
    tracked = await the_job(call, words[0] if words else "")
    profile = await profile_of(call, tracked)
    question = words[1] if len(words) == 2 else await last_question(call)
    base = replace(profile, model=tracked.job.model or base_model(profile.model))
    answers = await asyncio.gather(
        answered(call.services, call.message.person, base, question),
        answered(call.services, call.message.person, profile, question),
    )
    return Card(
        f"> {question}\n\n**{base.model}**:\n\n{answers[0]}\n\n**{profile.model}**:\n\n{answers[1]}"
    )


async def answered(services: Services, person: Person, profile: Profile, question: str) -> str:
    """What a model says to a question, or why it does not."""
    text = ""
    turns = [Turn(Role.USER, question)]
    try:
        async with aclosing(services.completions.stream(person, profile, turns)) as chunks:
            async for chunk in chunks:
                text += chunk.text
    except BotError as error:
        return f"{text} _({error})_".strip()
    return text.strip() or "_(nothing)_"


async def last_question(call: Call) -> str:
    """What was asked here last. Raises CommandError."""
    question = await call.services.store.insist(spoken.last_question, call.message.conversation)
    if not question:
        raise CommandError("Nothing was asked here yet: `/finetune try JOB QUESTION`.")
    return question


async def chosen(call: Call, tracked: Tracked, words: Sequence[str]) -> Profile:
    """The profile of a job's model, of its checkpoint at a step, or of its deployment.

    Raises CommandError.
    """
    deploys = call.services.jobs.service(tracked).deploys
    match words:
        case []:
            return await profile_of(call, tracked)
        case [name] if deploys:
            return await of_deployment(call, tracked, name)
        case [step] if (number := whole_number(step)) is not None:
            model = await at_step(call, tracked, number)
            if not model:
                raise CommandError(
                    f"{quoted(tracked.name)} has no checkpoint at step {number}: `/finetune "
                    f"checkpoints {tracked.id}` lists them."
                )
            return await call.services.jobs.learn(tracked, model, f"{tracked.name}-step-{number}")
    raise CommandError("Write `/finetune use JOB`, or `/finetune use JOB STEP`.")


async def of_deployment(call: Call, tracked: Tracked, name: str) -> Profile:
    """The profile of a deployment of a job's model. A number may be the name of one, unless it is
    the step of a checkpoint. Raises CommandError.
    """
    step = whole_number(name)
    if step is not None and (model := await at_step(call, tracked, step)):
        raise CommandError(to_deploy(tracked.id, model))
    require_trained(tracked)
    if not DEPLOYMENT.fullmatch(name):
        raise CommandError("A deployment is named by letters, digits, -, _ and dots.")
    return await call.services.jobs.learn(tracked, name, tracked.name)


async def at_step(call: Call, tracked: Tracked, step: int) -> str:
    """The model of a job's checkpoint at a step; "" where there is none."""
    made = await checkpoints_of(call.services.jobs.service(tracked), tracked.job.id)
    return next((each.model for each in made if each.step == step), "")


async def profile_of(call: Call, tracked: Tracked) -> Profile:
    """The profile of a job's model. Raises CommandError."""
    tuning = call.services.jobs
    require_trained(tracked)
    model = tracked.job.fine_tuned_model
    if not tuning.service(tracked).deploys:
        return await tuning.learn(tracked, model, tracked.name)
    if deployed := await tuning.deployed(tracked):
        return deployed
    raise CommandError(to_deploy(tracked.id, model))


def require_trained(tracked: Tracked) -> None:
    """Raise CommandError for a job that has made no model."""
    if tracked.job.status is not JobStatus.SUCCEEDED:
        raise CommandError(
            f"{quoted(tracked.name)} is {tracked.job.status.value}: its model can be used once it "
            f"has succeeded; `/finetune checkpoints {tracked.id}` shows what there is before."
        )
    if not tracked.job.fine_tuned_model:
        raise CommandError(f"The service names no model of {quoted(tracked.name)}.")
