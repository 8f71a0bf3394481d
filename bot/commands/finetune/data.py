"""Commands about training data: a file or what was said becomes a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.access import Rank
from bot.commands.finetune.findings import KINDS, dataset_text, optional, report_card, toggled
from bot.commands.models import chosen as chosen_here
from bot.commands.options import one_of, parsed, some, whole_number
from bot.commands.registry import Call, command
from bot.commands.stops import Stopped
from bot.datasets.findings import Finding
from bot.datasets.preparation import Report
from bot.errors import CommandError
from bot.messages import Attachment, Card
from bot.store import audit
from bot.store.datasets import Draft
from bot.training import Dataset, Kind
from bot.tuning.library import DATA, Wanted
from bot.tuning.quoting import quoted

SEND_ONE = (
    "Send the file together with this command: CSV, TSV, Excel, JSON, JSON lines or text. Or name "
    "a dataset, or a draft by its number."
)
AS = {"as": one_of("chat", "completion", "reinforcement")}


@command("/finetune prepare [DATASET] [--as KIND]", rank=Rank.OPERATOR, takes_file=True)
async def prepare(call: Call) -> Card | str:
    """Look at a file of training data, and make a dataset of it.

    Send the file with this command, or the file alone. It says what is wrong with the file and
    which changes would help; buttons take each change in or out, and make the dataset. With the
    name of a dataset, that one is looked at again; with `--as chat`, `completion` or
    `reinforcement` its examples are written anew: as questions to be graded they have their answer
    in the field `answer`.
    """
    library, options = call.services.library, parsed(call.rest, AS)
    words = list(options.words)
    if kind := options["as"]:
        return await written_anew(call, " ".join(words), kind)
    if file := attached(call):
        draft = await library.draft(file, call.message.person.id)
        return report_card(draft, await first_look(call, draft))
    if not words:
        raise CommandError(SEND_ONE)
    if (number := whole_number(words[0])) is not None:
        return await decided(call, await library.drafted(number), words[1:])
    if words[0].lower().endswith(DATA):
        raise CommandError(f"No file came with the command. {SEND_ONE}")
    dataset = await library.named(" ".join(words))
    draft = await library.again(dataset, call.message.person.id)
    return report_card(draft, await first_look(call, draft))


async def decided(call: Call, draft: Draft, words: Sequence[str]) -> Card | str:
    """What becomes of a draft: it is shown, written, dropped, or changed. Raises CommandError."""
    library = call.services.library
    match words:
        case []:
            return report_card(draft, await call.stoppable(library.look(draft)))
        case ["write"]:
            return dataset_text(await made(call, draft))
        case ["drop"]:
            await library.drop(draft)
            return f"{quoted(draft.name)} is dropped: nothing of it is kept."
        case [change] if change[0] in "+-":
            return await chosen(call, draft, change)
    raise CommandError(f"`/finetune prepare {draft.id}` shows what can be done with {draft.name}.")


async def written_anew(call: Call, name: str, kind: Kind) -> Card:
    """The report on a dataset whose examples are of another kind. Raises CommandError."""
    if attached(call):
        raise CommandError(
            "Send the file with `/finetune prepare` alone. Once it is a dataset, "
            f"`/finetune prepare NAME --as {kind}` writes it anew."
        )
    library = call.services.library
    dataset = await library.named(name)
    writing = library.rewritten(dataset, kind, call.message.person.id)
    draft, left_out = await call.stoppable(writing)
    return with_findings(draft, left_out, await first_look(call, draft))


async def first_look(call: Call, draft: Draft) -> Report:
    """The report on a draft that nobody has seen yet: it is dropped where somebody says /stop."""
    library = call.services.library
    try:
        return await call.stoppable(library.look(draft))
    except Stopped:
        await library.drop(draft)
        raise


def with_findings(draft: Draft, left_out: Sequence[Finding], report: Report) -> Card:
    """The report on what was made for a draft, with what was left out of it."""
    return report_card(draft, replace(report, findings=(*left_out, *report.findings)))


async def made(call: Call, draft: Draft) -> Dataset:
    """The dataset that a draft becomes; who made it is noted."""
    services = call.services
    dataset = await services.library.finish(draft, call.stoppable)
    now, person = services.clock.now(), call.message.person.id
    await services.store.insist(audit.note, person, "prepare", dataset.name, now)
    return dataset


async def chosen(call: Call, draft: Draft, change: str) -> Card:
    """The report once a change was taken in or out. Raises CommandError."""
    library = call.services.library
    report = await call.stoppable(library.look(draft))
    known = [remedy.key for remedy in optional(report.findings)]
    if change[1:] not in known:
        raise CommandError(
            f"{change[1:]!r} is no change that can be chosen here. Those are: "
            f"{', '.join(known) or 'none'}."
        )
    draft = await library.choose(draft, toggled(report, change))
    return report_card(draft, await call.stoppable(library.look(draft)))


def day(text: str) -> float:
    """Reads a date as the Unix time at which it begins (UTC)."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ValueError("write the day as 2026-11-21.") from None


FROM_HERE = {
    "profile": some,
    "since": day,
    "liked": None,
    "as": one_of("chat", "completion", "preference"),
    "name": some,
}


@command("/finetune dataset [NAME]", rank=Rank.OPERATOR)
async def dataset(call: Call) -> Card | str:
    """Show a dataset, or make one of what was said here.

    `/finetune dataset from here` takes the stored conversation, in a channel all of its threads.
    `--profile NAME` takes what that one answered, `--since 2026-11-01` what is newer, `--liked`
    only what somebody liked; `--as chat`, `completion` or `preference` chooses the format, and
    `--name NAME` the dataset's name. People who said /forget are not in it.
    """
    options = parsed(call.rest, FROM_HERE)
    if not options.words or (options.words[0] == "from" and options.words != ("from", "here")):
        raise CommandError("Write `/finetune dataset NAME`, or `/finetune dataset from here`.")
    if options.words != ("from", "here"):
        return dataset_text(await call.services.library.named(" ".join(options.words)))
    where, profiles = call.message.conversation, call.services.profiles
    named = options["profile"]
    profile = profiles.named(named) if named else await chosen_here(call)
    wanted = Wanted(
        options["name"] or "conversations",
        options["since"] or 0.0,
        bool(options["liked"]),
        bool(named),
        options["as"],
    )
    library = call.services.library
    draft, left_out = await library.spoken(where, profile, wanted, call.message.person.id)
    return with_findings(draft, left_out, await first_look(call, draft))


@command("/finetune datasets", rank=Rank.OPERATOR)
async def datasets_(call: Call) -> str:
    """List the datasets that are ready to train from."""
    found = await call.services.library.all()
    if not found:
        return "There is none yet: send a file with `/finetune prepare`."
    return "\n".join(
        f"- **{quoted(each.name)}**: {each.examples:,} {KINDS[each.kind]}, from "
        f"{quoted(each.source)}"
        for each in found
    )


def attached(call: Call) -> Attachment | None:
    """The file that came with a command. Raises CommandError for several."""
    files = [file for file in call.message.attachments if not file.is_speech]
    if len(files) > 1:
        raise CommandError("One file at a time, please: send the others afterwards.")
    return files[0] if files else None


def is_data(files: tuple[Attachment, ...]) -> bool:
    """Whether somebody sent one file of training data."""
    return len(files) == 1 and files[0].name.lower().endswith(DATA)
