"""An object store on loopback that speaks S3's protocol."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from moto.server import ThreadedMotoServer

BUCKET = "bucket"


@dataclass(frozen=True)
class ObjectStore:
    """A running store.

    Attributes:
        endpoint: its address.
    """

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to read from it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def upload(self, folder: Path) -> str:
        """Puts every file below a folder there; returns the URL of the folder."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self._put(f"{BUCKET}/{path.relative_to(folder.parent).as_posix()}", path)
        return f"s3://{BUCKET}/{folder.name}"

    def _put(self, name: str, path: Path | None) -> None:
        headers = {"Content-Type": "application/octet-stream"}
        data = path.read_bytes() if path else b""
        request = urllib.request.Request(
            f"{self.endpoint}/{name}", data=data, headers=headers, method="PUT"
        )
        with urllib.request.urlopen(request):
            pass


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Starts a store, with a bucket."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        store = ObjectStore(f"http://{host}:{port}")
        store._put(BUCKET, None)
        yield store
    finally:
        server.stop()
