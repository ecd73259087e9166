"""Where images are downloaded from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lvis_merge.errors import UsageError
from lvis_merge.fetch.patience import Patience
from lvis_merge.fetch.trouble import Reason, Trouble, without_user
from lvis_merge.fetch.wanted import OPEN_IMAGES, Wanted

if TYPE_CHECKING:
    from obstore.store import ObjectStore

BUCKET = "open-images-dataset"
_BUCKET_ADDRESS = f"https://{BUCKET}.s3.amazonaws.com"
_WEB = ("http", "https")


class Origins:
    """The stores that images come from, one client each.

    Attributes:
        open_images: what messages call the store of Open Images.
    """

    def __init__(self, mirror: str | None, patience: Patience) -> None:
        """Opens the store of Open Images.

        Args:
            mirror: instead of the public bucket: a folder, or an `http://`, `https://` or `s3://`
                address, with `train/<id>.jpg` below it.
            patience: time limits.

        Raises:
            UsageError: the mirror is no such thing.
        """
        self._options = client_options(patience)
        self.open_images = without_user(mirror or f"s3://{BUCKET}")
        self._open_images = _mirror(mirror, self._options) if mirror else _bucket(self._options)
        self._hosts: dict[str, ObjectStore] = {}

    def locate(self, image: Wanted) -> tuple[ObjectStore, str]:
        """The store of an image, and its key there.

        Raises:
            Trouble: it has no address that can be read.
        """
        if image.source == OPEN_IMAGES:
            return self._open_images, image.file_name
        return self.web(image.url or "")

    def web(self, url: str) -> tuple[ObjectStore, str]:
        """The store of a web address, and the key there.

        Raises:
            Trouble: it is no plain `http` or `https` address.
        """
        from obstore.store import HTTPStore

        try:
            parts = urlsplit(url)
            if parts.scheme not in _WEB or not parts.hostname or parts.query or not parts.path[1:]:
                raise ValueError("not plain http")
            host = f"{parts.scheme}://{parts.netloc}"
            if host not in self._hosts:
                self._hosts[host] = HTTPStore(host, **self._options)
        except ValueError as error:  # of both parsers too: a port that is no number, say
            raise Trouble(Reason.no_url, f"{url[:150]} is no plain http address") from error
        return self._hosts[host], unquote(parts.path[1:])


def client_options(patience: Patience) -> dict[str, Any]:
    """Options of every client.

    The client itself never tries again: one place decides about that (`Downloader`), so that what
    failed is counted, waits are stretched for errors of all kinds alike, and an outage is noticed.
    """
    return {
        "client_options": {
            "allow_http": True,
            "connect_timeout": timedelta(seconds=patience.connect_seconds),
            "read_timeout": timedelta(seconds=patience.silence_seconds),
            "timeout": timedelta(seconds=patience.request_seconds),
            "user_agent": "lvis-merge",
        },
        "retry_config": {"max_retries": 0},
    }


def _bucket(options: Mapping[str, Any]) -> ObjectStore:
    from obstore.store import S3Store

    # its address is given in full: AWS_ENDPOINT_URL and its like in the environment are of the
    # user's own buckets
    return S3Store(
        BUCKET,
        endpoint=_BUCKET_ADDRESS,
        virtual_hosted_style_request=True,
        region="us-east-1",
        skip_signature=True,
        **options,
    )


def _mirror(mirror: str, options: Mapping[str, Any]) -> ObjectStore:
    from obstore.store import HTTPStore, LocalStore, S3Store

    if "://" not in mirror and Path(mirror).is_dir():
        return LocalStore(Path(mirror).resolve())
    with suppress(ValueError):  # of either parser: a port that is no number, say
        parts = urlsplit(mirror)
        if parts.scheme in _WEB and parts.hostname and not parts.query:
            return HTTPStore(mirror.rstrip("/"), **options)
        if parts.scheme == "s3" and parts.hostname:
            # without a key the bucket is a public one; a machine's role is not asked for
            unsigned = "AWS_ACCESS_KEY_ID" not in os.environ
            return S3Store.from_url(mirror.rstrip("/"), skip_signature=unsigned, **options)
    raise UsageError(
        f"--mirror {without_user(mirror)}: is no folder that is there, and no http://, https:// or"
        " s3:// address."
    )
