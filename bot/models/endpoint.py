"""Where a provider is reached, and what it wants to know of us."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote_to_bytes

import httpx

from bot.errors import ModelRefused
from bot.messages import Profile, Provider


@dataclass(frozen=True)
class Endpoint:
    """One provider as it is asked now. `base_url` may be another than the provider's own: the port
    of a local server is known only after its start.
    """

    provider: Provider
    base_url: str
    key: str

    @property
    def name(self) -> str:
        """The provider's name in the configuration."""
        return self.provider.name

    @cached_property
    def headers(self) -> dict[str, str]:
        """What goes with every request."""
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self.key and self.provider.kind == "azure":
            headers["api-key"] = self.key
        elif self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        elif user := self._url.userinfo:
            headers["Authorization"] = f"Basic {b64encode(unquote_to_bytes(user)).decode()}"
        if self.provider.kind == "local":  # llama.cpp may close a connection that it kept, unsaid
            headers["Connection"] = "close"
        if self.provider.organization:
            headers["OpenAI-Organization"] = self.provider.organization
        return headers | dict(self.provider.headers)

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """What no sentence may repeat."""
        values = (self.key, *self.provider.headers.values())
        return tuple(value for value in values if len(value) >= 8)

    @cached_property
    def host(self) -> str:
        """The machine, for people: without a path or a password."""
        return self._url.netloc.decode()

    @cached_property
    def _url(self) -> httpx.URL:
        with suppress(httpx.InvalidURL):
            url = httpx.URL(self.base_url)
            if url.scheme in ("http", "https") and url.host:
                return url
        raise ModelRefused(
            f"The base_url under [providers.{self.name}] is no address: it looks like"
            " https://api.openai.com/v1."
        )

    @cached_property
    def _base(self) -> str:
        return str(self._url.copy_with(username=None, password=None)).rstrip("/")

    def url(self, profile: Profile) -> str:
        """Where this profile's answers come from.

        Azure's surface with `api_version` has the deployment in the path; without, it is OpenAI's
        (https://learn.microsoft.com/azure/ai-services/openai/reference).
        """
        path = "chat/completions" if profile.api == "chat" else "completions"
        return self.at(path, deployment=profile.model)

    @property
    def models_url(self) -> str:
        """Where the names of the models are."""
        return self.at("models")

    def transcriptions_url(self, model: str) -> str:
        """Where speech becomes text."""
        return self.at("audio/transcriptions", deployment=model)

    def at(self, path: str, deployment: str = "") -> str:
        """Where something of this provider is; `deployment` is the model that it belongs to."""
        base = self._base
        if self.provider.kind != "azure":
            return f"{base}/{path}"
        if self.provider.api_version:
            inner = f"deployments/{deployment}/{path}" if deployment else path
            root = base.removesuffix("/v1").removesuffix("/openai")
            return f"{root}/openai/{inner}?api-version={self.provider.api_version}"
        # People paste the resource's address as the portal shows it.
        pasted = base.count("/") == 2
        return f"{base}/openai/v1/{path}" if pasted else f"{base}/{path}"
