"""What the errors of a tuning service mean, in words for the person in the chat. Pure.

`what` is what was asked for: "the fine-tune job ftjob-1". The forms of errors are those of
bot.models.failures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.errors import TuningBusy, TuningError, TuningSpent, TuningUnreached
from bot.models.endpoint import Endpoint
from bot.models.failures import DAILY_LIMIT, NO_CREDIT, error_of, quoted
from bot.models.retries import Trouble, retry_after

LONGEST_REASON = 600  # a line number may stand at the end of a long reason
BUSY = {
    408: "took too long to read what was sent",
    409: "is busy with something that conflicts",
    425: "is not ready yet",
    429: "limits how often it may be asked",
}
BROKEN = {
    502: "could not reach what is behind it",
    503: "is overloaded",
    504: "waited too long for what is behind it",
    529: "is overloaded",
}
NO_PAGE = re.compile(
    r"invalid url|no route|cannot (?:get|post)|: (?:file )?not found\W*$", re.IGNORECASE
)
NOT_READY = re.compile(
    r"\bnot (?:yet )?(?:ready|processed|finished processing)|still (?:being )?process"
    r"|\bhas not been processed",
    re.IGNORECASE,
)
NOT_ELIGIBLE = re.compile(
    r"not (?:eligible|permitted|authorized|allowed)|permission|does not have access",
    re.IGNORECASE,
)
KEY_OF_LESS = re.compile(r"\bscopes?\b", re.IGNORECASE)  # the key may not, the organisation may
NOT_TUNABLE = re.compile(
    r"not available for fine-?tuning|cannot be fine-?tuned|not (?:a )?(?:supported|fine-?tunable)"
    r"|model[^.]{0,80}(?:not found|does not exist|not exist|unknown)|invalid base model",
    re.IGNORECASE,
)
MODEL = re.compile(r"(?<![\w/.:-])[A-Za-z][\w.:/-]*\d[\w.:/-]*|\b(?:ada|babbage|curie|davinci)\b")
UNKNOWN = re.compile(
    r"unrecognized|unknown|extra|unexpected|not permitted|unsupported", re.IGNORECASE
)
ID = re.compile(r"(?:file|ftjob|ft|org|proj|req)[-_]")


class Broken(Trouble):
    """Trouble after which it is not known whether what was asked was done."""


def failure(
    endpoint: Endpoint,
    what: str,
    status: int,
    body: bytes,
    headers: Mapping[str, str],
    now: float,
) -> TuningError | Trouble:
    """What an answer other than success means: Trouble where asking again may help."""
    error = error_of(body)
    code, kind = str(error.get("code") or ""), str(error.get("type") or "")
    quote = quoted(endpoint, error, LONGEST_REASON)
    who = f"The provider {endpoint.name}"
    if {code, kind} & NO_CREDIT or status == 402:
        return TuningError(f"{who} has no credit left: add some there.{quote}", code, status)
    if DAILY_LIMIT in {code, kind}:
        said = f"{who} has reached its limit for today: try again tomorrow.{quote}"
        return TuningSpent(said, DAILY_LIMIT, status, retry_after(headers, now))
    if status in BUSY:
        return Trouble(f"{who} {BUSY[status]} ({status})", retry_after(headers, now), quote, status)
    if status >= 500 and status != 501:
        does = BROKEN.get(status, "had an error of its own")
        return Broken(f"{who} {does} ({status})", retry_after(headers, now), quote, status)
    refused = refusal(endpoint, what, status, quote, told=bool(quote) and not NO_PAGE.search(quote))
    return TuningError(f"{who} {refused}", code, status)


def refusal(endpoint: Endpoint, what: str, status: int, quote: str, *, told: bool) -> str:
    """The end of the sentence for what asking again does not mend. `told` is False where the
    answer is none of a tuning service.
    """
    key = endpoint.provider.api_key_env
    match status:
        case 401 if endpoint.key and key:
            said = f"refuses the key in {key}: set a valid one.{quote}"
        case 401:
            said = f"wants a key: name its variable as api_key_env in [providers.{endpoint.name}]."
        case 403:
            said = f"does not allow this: check what {key or 'its key'} may use.{quote}"
        case 404 if told:
            said = f"has not {what}: see what it has, and choose again.{quote}"
        case 404 | 405 | 501:
            said = f"offers no fine-tuning at {endpoint.host}: check its base_url and its kind."
        case 301 | 302 | 303 | 307 | 308:
            said = f"has moved from {endpoint.host}: check its base_url."
        case 413:
            said = f"finds {what} too large: send less of it.{quote}"
        case _:
            said = f"refuses {what} ({status}).{quote}"
    return said


def creation(endpoint: Endpoint, model: str, error: TuningError) -> TuningError:
    """What a refusal means when a job was to be made."""
    said = str(error)
    quote = said[found:] if (found := said.find(" It says: ")) >= 0 else ""
    if isinstance(error, TuningBusy | TuningUnreached):
        return error
    if error.code == "file_not_ready" or NOT_READY.search(quote):
        busy = f"The provider {endpoint.name} still reads the file: it is tried again.{quote}"
        return TuningBusy(busy, error.code, error.status)
    if error.status in {400, 404, 422} and NOT_TUNABLE.search(quote):
        return TuningError(not_tunable(endpoint, model, quote), error.code, error.status)
    forbidden = error.status == 403 or (error.status in {400, 401} and NOT_ELIGIBLE.search(quote))
    if forbidden and not KEY_OF_LESS.search(quote):
        remains = (
            f"The provider {endpoint.name} says that this organisation is not eligible for"
            " fine-tuning: use another provider of the configuration, or train on this machine"
            f' (kind = "local").{quote}'
        )
        return TuningError(remains, error.code, error.status)
    return error


def not_tunable(endpoint: Endpoint, model: str, quote: str) -> str:
    """The sentence for a model that cannot be the base of a job, with those that can be."""
    others = tunable(model, quote)
    instead = f"choose {' or '.join(others)}" if others else "choose another"
    return f"The provider {endpoint.name} does not fine-tune {model}: {instead}.{quote}"


def tunable(model: str, reason: str) -> list[str]:
    """The models that a reason names, other than the one that was asked for."""
    names = (name.rstrip(".:/-") for name in MODEL.findall(reason))
    return [name for name in dict.fromkeys(names) if name != model and not ID.match(name)]


def busy(trouble: Trouble, sentence: str = "") -> TuningError:
    """Trouble that remained, as an error; `sentence` instead of its own."""
    sentence = sentence or f"{trouble}: try again later.{trouble.quote}"
    return TuningBusy(sentence, "", trouble.status, trouble.asked_wait)


def unreadable(endpoint: Endpoint, what: str) -> str:
    """The sentence for an answer that is none of a tuning service."""
    return (
        f"The provider {endpoint.name} answered something else where {what} should be: check that"
        " its base_url leads to an API like OpenAI's, usually ending in /v1."
    )


def named(error: TuningError, field: str) -> bool:
    """Whether a service refuses a field because it does not know it."""
    said = str(error)
    return (
        error.status in {400, 422}
        and bool(UNKNOWN.search(said))
        and bool(re.search(rf"\b{field}\b", said))
    )
