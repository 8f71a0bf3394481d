"""Commands that begin a job: start it with its price before the eyes, confirm or decline."""

from __future__ import annotations

import secrets
from functools import partial

from bot.access import Rank
from bot.commands.finetune.data import attached, first_look, made
from bot.commands.finetune.findings import report_card
from bot.commands.finetune.planning import MOST_SUFFIX, meant, planned
from bot.commands.options import one_of, parsed, positive, short, some, whole, whole_number
from bot.commands.registry import Call, Services, command
from bot.errors import CommandError
from bot.messages import Button, Card
from bot.store import jobs, stages
from bot.training import Dataset
from bot.tuning.graders import grader_of
from bot.tuning.plan import Plan, month_of, require_within, unlimited

OPTIONS = {
    "epochs": whole(1, 50),  # bounds: facts/fine-tuning.md
    "batch": whole(1, 256),
    "lr": positive,
    "beta": positive,
    "suffix": short(MOST_SUFFIX),
    "seed": whole(0, 2_147_483_647),
    "method": one_of("supervised", "dpo", "reinforcement"),
    "grader": grader_of,
    "validation": some,
    "wandb": some,
    "service": some,
    "yes": None,
}
HOW = "Write `/finetune start DATASET MODEL`, or send a file with `/finetune start MODEL`."


@command(
    "/finetune start DATASET MODEL [--epochs N] [--yes] …", rank=Rank.OPERATOR, takes_file=True
)
async def start(call: Call) -> Card:
    """Train a model, once its price is confirmed.

    DATASET is one of /finetune datasets, or the id of a file at the service. A file that is sent
    with `/finetune start MODEL` is prepared as recommended. `--epochs`, `--batch`, `--lr`,
    `--seed` and `--beta` are passed on; `--method dpo` learns from preferences; `--suffix NAME`
    names the model, `--validation DATASET` measures it, `--wandb PROJECT` reports to Weights &
    Biases, `--service NAME` chooses the provider, and `--yes` confirms at once.

    `--method reinforcement` has the model try out answers, which a grader judges by a field of the
    dataset: `--grader equals:FIELD`, `contains:FIELD` (in any case), `similar:FIELD`, or a whole
    grader as JSON between single quotes.
    """
    options = parsed(call.rest, OPTIONS)
    services = call.services
    if row := await services.store.insist(jobs.begun_by, call.message.id):
        return await begun(call, row)
    if file := attached(call):
        model = the_only(options.words)
        draft = await services.library.draft(file, call.message.person.id)
        report = await first_look(call, draft)
        if report.obstacles:
            return report_card(draft, report)
        dataset: Dataset | None = await made(call, draft)
        source = dataset.training_file if dataset else ""
    else:
        source, model = the_two(options.words)
        known = {each.name for each in await services.library.all()}
        if model in known and source not in known:
            raise CommandError(
                f"{model} is a dataset, which comes first: `/finetune start {model} MODEL`."
            )
        dataset = await meant(services, source)
        source = dataset.training_file if dataset else source
    plan = await call.stoppable(planned(services, options, dataset, source, model))
    row = await asked(call, plan)
    if options["yes"] and is_free_to_go(services, plan):
        return await begun(call, row)
    buttons = (
        Button("Start", f"/finetune confirm {row}"),
        Button("Cancel", f"/finetune decline {row}"),
    )
    return Card(plan.text, buttons=buttons)


@command("/finetune confirm NUMBER", rank=Rank.OPERATOR, listed=False)
async def confirm(call: Call) -> Card:
    """Start the job that was asked for under this number."""
    return await begun(call, number(call.rest))


@command("/finetune decline NUMBER", rank=Rank.OPERATOR, listed=False)
async def decline(call: Call) -> str:
    """Do not start the job that was asked for under this number."""
    if await call.services.store.insist(stages.decline, number(call.rest)):
        return "Nothing was started, and nothing costs anything."
    return "That job was started or declined before: `/finetune list` shows what runs."


async def begun(call: Call, row: int) -> Card:
    """Start a job and return the card that shows it. Raises CommandError over a limit: others may
    have been started since it was asked for.
    """
    message, services = call.message, call.services
    return await services.jobs.confirm(
        row,
        message.id,
        message.conversation,
        message.person.id,
        message.origin,
        partial(require_within, services.tuning),
    )


async def asked(call: Call, plan: Plan) -> int:
    """Keep a plan until it is confirmed; its number."""
    services, now = call.services, call.services.clock.now()
    await require_affordable(services, plan.cost)
    return await services.store.insist(
        stages.ask,
        plan.service,
        f"tunebot-{secrets.token_hex(8)}",
        plan.name,
        plan.dataset.name if plan.dataset else "",
        plan.wanted,
        plan.cost,
        call.message.person.id,
        now,
    )


async def require_affordable(services: Services, cost: float | None) -> None:
    """Raise CommandError for a job over the limit of a job or a month."""
    since = month_of(services.clock.now())
    require_within(services.tuning, cost, await services.store.insist(jobs.spent, since))


def is_free_to_go(services: Services, plan: Plan) -> bool:
    """Whether --yes is enough: not for a job of unknown price where a limit is set."""
    return not unlimited(services.tuning, plan.wanted, plan.estimate)


def the_only(words: tuple[str, ...]) -> str:
    """The model, beside a file. Raises CommandError."""
    if len(words) != 1:
        raise CommandError(HOW)
    return words[0]


def the_two(words: tuple[str, ...]) -> tuple[str, str]:
    """The dataset and the model. Raises CommandError."""
    if len(words) != 2:
        raise CommandError(HOW)
    return words[0], words[1]


def number(text: str) -> int:
    """The number of a job that was asked for. Raises CommandError."""
    found = whole_number(text.strip())
    if found is None:
        raise CommandError("Write its number, or press the button.")
    return found
