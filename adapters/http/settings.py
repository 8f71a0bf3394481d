"""What [adapters.http] may say."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from pydantic import BaseModel, Field

Positive = Annotated[int, Field(gt=0)]
HostName = Annotated[str, Field(pattern=r"^[^\s/]+$")]  # without a scheme
Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseModel, extra="forbid", frozen=True):
    """[adapters.http]; see config.example.toml for each key. Sizes in bytes, times in seconds.

    Port 0 is any free one; so is the default where it is taken. `hosts` are the names by which a
    reverse proxy is called, each as it stands in the address bar of a browser: "chat.example.com"
    or "chat.example.com:8443".
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    hosts: tuple[HostName, ...] = ()
    max_body: Positive = 1_048_576
    max_upload: Positive = 20_971_520
    connections: Positive = 1000
    header_seconds: Seconds = 10.0
    body_seconds: Seconds = 30.0
    requests_per_minute: Positive = 600
    docs: bool = True

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:  # a name, which may mean any machine
            return False
