"""From a real S3-compatible server on loopback: unsigned, and as a mirror."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from lvis_merge.fetch import origins
from lvis_merge.progress import Stages
from tests.fetch.fetching import check_whole, fetch, key, options
from tests.fetch.server import Server, jpeg

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Has the bucket of Open Images, and one more that has a prefix."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1",
        aws_access_key_id="a", aws_secret_access_key="b",
    )  # fmt: skip
    for bucket, prefix in (("open-images-dataset", ""), ("mine", "deep/er/")):
        client.create_bucket(Bucket=bucket, ACL="public-read")
        for number in range(4):
            client.put_object(
                Bucket=bucket, Key=prefix + key(number), Body=jpeg(number), ACL="public-read"
            )
    yield address
    server.stop()


def test_the_public_bucket_is_asked_without_a_signature(
    tmp_path: Path,
    server: Server,
    stages: Stages,
    endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(origins, "_BUCKET_ADDRESS", f"{endpoint}/open-images-dataset")
    # what a user has set for buckets of their own leads nowhere else
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    asked = replace(options(tmp_path, server, range(6)), mirror=None)
    found = fetch(asked, stages)
    assert (found.fetched, found.failed) == (4, {"not_found": 2})
    assert check_whole(tmp_path / "root") == [key(number) for number in range(4)]


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_a_mirror_may_be_another_endpoint(
    tmp_path: Path,
    server: Server,
    stages: Stages,
    endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
    signed: bool,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    if signed:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    asked = options(tmp_path, server, range(4), mirror="s3://mine/deep/er/")
    found = fetch(asked, stages)
    assert (found.fetched, found.failed) == (4, {})
