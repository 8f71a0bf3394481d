"""What runs in a child: REQUIREMENT FILE. One wheel of the package index, fetched by pip's own
session, from where a file ends that a child before has begun.

pip alone begins anew after its death. Its session knows the index, the proxy, the certificates and
the passwords that the person has configured. It is no public interface: whatever is not as expected
there ends this with another status than 0 or 1, and `pip download` is asked instead.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

OTHERWISE = 4
MOST_BREAKS = 5  # without a byte between them
LONGEST_PAUSE = 8.0  # seconds
PIECE = 1 << 18  # bytes


def main() -> int:
    threading.Thread(target=end_with_parent, name="end with parent", daemon=True).start()
    from pip._internal.commands.download import DownloadCommand  # noqa: PLC0415
    from pip._internal.exceptions import DistributionNotFound  # noqa: PLC0415
    from pip._vendor.packaging.specifiers import SpecifierSet  # noqa: PLC0415

    class Fetch(DownloadCommand):
        """`pip download` with its options, but for the download itself."""

        def run(self, options: Any, args: list[str]) -> int:
            requirement, file = args
            name, _, version = requirement.partition("==")
            session = self.get_default_session(options)
            finder = self._build_package_finder(options=options, session=session)
            found = finder.find_best_candidate(name, SpecifierSet(f"=={version}"))
            if found.best_candidate is None:
                raise DistributionNotFound(f"No matching distribution found for {requirement}")
            link = found.best_candidate.link
            if link.is_file:
                return OTHERWISE
            fetch(session, link.url_without_fragment, Path(file))
            return 0

    options = ["--only-binary=:all:", "--no-input", "--quiet"]
    status: int = Fetch("download", "").main([*options, *sys.argv[1:]])
    return status


def end_with_parent() -> None:
    """Wait for the end of stdin, which comes however the parent dies: the next child must be the
    only one that writes.
    """
    while os.read(0, 1):  # sys.stdin would hold up our own end
        pass
    os._exit(OTHERWISE)


def fetch(session: Any, url: str, file: Path) -> None:
    """Have all of a file, over as many connections as it takes. Raises pip's errors."""
    from pip._internal.exceptions import InstallationError, NetworkConnectionError  # noqa: PLC0415
    from pip._vendor.requests.exceptions import RequestException  # noqa: PLC0415
    from pip._vendor.urllib3.exceptions import HTTPError  # noqa: PLC0415

    breaks = 0
    while breaks <= MOST_BREAKS:
        before = size(file)
        try:
            if is_whole(session, url, file):
                return
        except (RequestException, HTTPError) as error:
            sys.stderr.write(f"WARNING: the connection broke: {error}\n")
        except OSError as error:  # of the file
            raise InstallationError(f"{file}: {error}") from error
        breaks = 0 if size(file) > before else breaks + 1
        time.sleep(min(2.0**breaks / 4, LONGEST_PAUSE))
    raise NetworkConnectionError(f"the connection broke {breaks} times")


def is_whole(session: Any, url: str, file: Path) -> bool:
    """Take what one connection brings; whether that was the rest."""
    from pip._internal.network.utils import raise_for_status  # noqa: PLC0415

    here = size(file)
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={here}-"} if here else {})}
    response = session.get(url, headers=headers, stream=True)
    if response.status_code == 416:  # there is nothing after what is here, which is no beginning
        file.unlink()
        return False
    raise_for_status(response)
    told = re.match(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    goes_on = response.status_code == 206 and told is not None and int(told[1]) == here
    if response.status_code == 206 and not goes_on:  # another part than was asked for
        file.unlink()
        return False
    with file.open("ab" if goes_on else "wb") as kept:
        for piece in response.raw.stream(PIECE, decode_content=False):
            kept.write(piece)
            kept.flush()
    whole = int(told[2]) if told else int(response.headers.get("Content-Length", 0))
    return size(file) >= whole


def size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Exception:  # Python itself would end with 1, as pip does where it refuses
        traceback.print_exc()
        sys.exit(OTHERWISE)
