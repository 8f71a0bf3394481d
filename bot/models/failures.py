"""What a provider's errors mean, in words for the person in the chat.

The forms are those of facts/fine-tuning.md: OpenAI's `{"error": {message, type, param, code}}`,
llama.cpp's (a number for the code, `n_ctx`), vLLM's (the fields without `error` around them).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic_core import from_json

from bot.errors import ContextTooLong, ModelError, ModelRefused
from bot.messages import Profile
from bot.models.endpoint import Endpoint
from bot.models.retries import Trouble, retry_after, span
from bot.models.transport import unreached

_LONGEST_QUOTE = 200
_PASSING = {
    408: "took too long to read the question",
    409: "was busy with a conflicting request",
    425: "was not ready yet",
    429: "limits how often it may be asked",
    500: "had an error of its own",
    502: "could not reach its model",
    503: "is overloaded",
    504: "waited too long for its model",
    529: "is overloaded",
}
NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
DAILY_LIMIT = "daily_rate_limit_exceeded"
_TOO_LONG_CODES = {
    "context_length_exceeded",
    "exceed_context_size_error",
    "string_above_max_length",
}
_TOO_LONG = re.compile(
    r"maximum (?:context|model|sequence) length|context (?:length|window|size)[^.]*exceed"
    r"|exceeds?[^.]*(?:context (?:length|window|size)|number of tokens allowed)"
    r"|prompt is too long|too many tokens",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r"maximum (?:context|model|sequence) length(?: is| of)? (\d+)"
    r"|> (\d+) maximum|allowed \((\d+)\)",
    re.IGNORECASE,
)
_KEY = re.compile(r"\b(?:sk|gsk|xai|Bearer)[-_ ][\w.*-]{6,}")
_ADDRESS = re.compile(r"(https?://)(?:[^\s/@]*@)?([^\s?#'\"]*)(?:[?#][^\s'\"]*)?")


def failure(
    endpoint: Endpoint,
    profile: Profile,
    status: int,
    body: bytes | Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    now: float = 0.0,
) -> ModelError | Trouble:
    """What an error answer means: Trouble where asking again may help.

    `body` is what came with the status, or the object of an error inside a stream.
    """
    error = error_of(body)
    code, kind = str(error.get("code") or ""), str(error.get("type") or "")
    quote = quoted(endpoint, error)
    who = f"The provider {endpoint.name}"
    if too_long := _too_long(profile, status, error, {code, kind}):
        return too_long
    if {code, kind} & NO_CREDIT or status == 402:
        return ModelRefused(f"{who} has no credit left for this key: add some there.{quote}", 429)
    if DAILY_LIMIT in {code, kind}:
        return ModelRefused(f"{who} has reached its limit for today: try again tomorrow.", 429)
    if status in _PASSING or status >= 500:
        does = _PASSING.get(status, "had an error of its own")
        return Trouble(f"{who} {does} ({status})", retry_after(headers or {}, now), quote, status)
    return ModelRefused(_refusal(endpoint, profile, status, code, quote), status)


def _refusal(endpoint: Endpoint, profile: Profile, status: int, code: str, quote: str) -> str:
    """The sentence for what asking again does not mend."""
    key = endpoint.provider.api_key_env
    unknown_model = "model" in code or bool(profile.model and profile.model in quote)
    match status:
        case 401 if endpoint.key and key:
            said = f"refuses the key in {key}: set a valid one."
        case 401:
            said = f"wants a key: name its variable as api_key_env in [providers.{endpoint.name}]."
        case 403:
            said = f"does not allow this: check what {key or 'its key'} may use.{quote}"
        case 404 if unknown_model:
            choose = f"choose another for the profile {profile.name}"
            said = f"has no model {profile.model}: {choose}.{quote}"
        case 404 | 405:
            said = f"answers nothing at {endpoint.host}: check its base_url.{quote}"
        case 301 | 302 | 303 | 307 | 308:
            said = f"has moved from {endpoint.host}: check its base_url."
        case _ if code == "content_filter":
            said = "filtered the question for its content: ask it in other words."
        case _:
            said = f"refused the question ({status}): check the profile {profile.name}.{quote}"
    return f"The provider {endpoint.name} {said}"


def _too_long(
    profile: Profile, status: int, error: Mapping[str, Any], codes: set[str]
) -> ContextTooLong | None:
    message = str(error.get("message") or "")
    worded = status in (0, 400, 413, 422, 500) and _TOO_LONG.search(message)
    if not (codes & _TOO_LONG_CODES or worded or status == 413):
        return None
    found = _WINDOW.search(message)
    said = error.get("n_ctx") or (found and next(filter(None, found.groups()))) or 0
    window = int(said) if str(said).isdecimal() else 0
    most = f" of {window} tokens" if window else ""
    return ContextTooLong(
        f"This conversation is too long for the window{most} of the model {profile.model}: shorten"
        " the question or start a new conversation.",
        window,
    )


def unreadable(endpoint: Endpoint, what: str) -> ModelRefused:
    """The answer of something that is not a model server: `what` it sent instead."""
    return ModelRefused(
        f"The provider {endpoint.name} sent {what} where a model's answer should be: check that"
        " its base_url leads to an API like OpenAI's, usually ending in /v1."
    )


def status_of(error: Mapping[str, Any]) -> int:
    """The HTTP status that an error inside a stream stands for."""
    code = error.get("code")
    if isinstance(code, int | str) and str(code).isdecimal() and 400 <= int(code) <= 599:
        return int(code)
    kind = f"{code} {error.get('type')}"
    if "rate_limit" in kind:
        return 429
    return 503 if any(word in kind for word in ("server", "overload", "unavailable")) else 400


def quoted(endpoint: Endpoint, error: Mapping[str, Any], longest: int = _LONGEST_QUOTE) -> str:
    """The provider's own message as a sentence to append: one line, short, and no secret in it."""
    message = " ".join(str(error.get("message") or detail_of(error) or "").split())
    for secret in endpoint.secrets:
        message = message.replace(secret, "…")
    message = _ADDRESS.sub(r"\1\2", _KEY.sub("…", message))
    if len(message) > longest:
        message = message[: longest - 1] + "…"
    return f" It says: {message}" if message else ""


def detail_of(error: Mapping[str, Any]) -> Any:
    """FastAPI's word for a message; for fields that it does not take, a list with their places."""
    detail = error.get("detail")
    if not isinstance(detail, list):
        return detail
    told = [each for each in detail if isinstance(each, Mapping)]
    return "; ".join(f"{place_of(each.get('loc'))}: {each.get('msg')}" for each in told)


def place_of(loc: Any) -> str:
    """Where in a request, as "body.method"."""
    return ".".join(map(str, loc)) if isinstance(loc, list) else str(loc)


def error_of(body: bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    """The error's object in whatever form; {} for HTML and the like."""
    if isinstance(body, bytes):
        try:
            body = from_json(body)
        except ValueError:
            return {}
    error = body.get("error", body) if isinstance(body, Mapping) else {}
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, Mapping) else {}


def what_broke(endpoint: Endpoint, error: Exception) -> str:
    """A clause for what httpx raised, whose own text may have an address with a secret."""
    who = f"The provider {endpoint.name}"
    if unreached(error):
        return f"{who} cannot be reached at {endpoint.host}"
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return f"{who} sent nothing for {span(endpoint.provider.idle_timeout)}"
    return f"{who} dropped the connection"


def nothing(profile: Profile, finish: str) -> ModelError:
    """What an answer is that ended without a word."""
    if finish == "content_filter":
        return ModelRefused("The provider filtered the answer for its content: ask otherwise.")
    if finish == "length":
        return ModelError(
            f"The model {profile.model} used up its limit without a word of answer: raise"
            f" max_tokens in the profile {profile.name}."
        )
    return ModelError(
        f"The model {profile.model} answered with nothing: ask again in other words, or check the"
        f" stop sequences of the profile {profile.name}."
    )
