"""What a receipt says of a deploy, and that it says it once."""

import io
from datetime import UTC, datetime, timedelta

import pytest

from infra.config import Release, load_environment
from infra.release import receipts as module
from infra.release.intended import Intended
from infra.release.receipts import Receipts

AT = datetime(2013, 5, 2, 0, 0, 10, tzinfo=UTC)


class Bucket:
    """As much of an S3 client as receipts take."""

    def __init__(self):
        self.objects = {}

    def get_paginator(self, _):
        return self

    def paginate(self, *, Bucket, Prefix):  # noqa: N803 - S3's names
        return [{"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}] if Bucket else []

    def get_object(self, *, Bucket, Key):  # noqa: N803
        return {"Body": io.BytesIO(self.objects[Key])} if Bucket else {}

    def put_object(self, *, Bucket, Key, Body):  # noqa: N803
        assert Bucket == "sagestack-local-registry-123456789012"
        self.objects[Key] = Body


@pytest.fixture
def bucket(monkeypatch):
    bucket = Bucket()
    monkeypatch.setattr(module, "client", lambda *_: bucket)
    monkeypatch.setattr(module, "digest", lambda *_: "sha256:1")
    return bucket


@pytest.fixture
def add(bucket, new_project, new_release):
    """Write down a deploy of a version; minutes after AT."""
    assert bucket.objects == {}
    receipts = Receipts(load_environment("local", new_project().root), "flight-delay")

    def write(version, *, minutes, found=(), plan="sha256:0"):
        release = Release.model_validate(new_release(version), strict=False)
        declared = Intended("endpoint", f"configuration-{version}", (), (), (), 100, (), (), plan)
        at = AT + timedelta(minutes=minutes)
        return receipts.add(declared, release, list(found), by="ada", at=at, commit="c0ffee")

    write.receipts = receipts
    return write


def test_a_receipt_says_who_deployed_what_when_and_from_what_to_what(add):
    uri = add(1, minutes=0)
    assert uri == ("s3://sagestack-local-registry-123456789012/flight-delay/receipts/2013-05-02T00:00:10.000000Z.json")
    add(2, minutes=1, plan="sha256:1")
    newest, first = add.receipts.newest_first()
    assert (newest.by, newest.commit, newest.plan, newest.at) == (
        "ada",
        "c0ffee",
        "sha256:1",
        AT + timedelta(minutes=1),
    )
    assert (newest.before, newest.after.version) == (first.after, 2)
    assert (first.before, first.after.configuration, first.after.image_digest) == (None, "configuration-1", "sha256:1")
    assert newest.differences == ()


def test_verifying_the_same_deploy_again_writes_nothing(add, bucket):
    add(1, minutes=0)
    assert add(1, minutes=1) is None
    assert len(bucket.objects) == 1


def test_a_deploy_that_was_taken_back_is_on_record_with_the_difference_and_so_is_its_repair(add):
    add(1, minutes=0)
    add(2, minutes=1, found=[("endpoint configuration", "configuration-2", "configuration-1")])
    add(2, minutes=2)
    repaired, failed, _ = add.receipts.newest_first()
    assert failed.differences == ("endpoint configuration: declared configuration-2, live configuration-1",)
    assert repaired.differences == ()


def test_going_back_to_an_earlier_release_is_a_deploy_of_its_own(add):
    for minutes, version in enumerate((1, 2, 1)):
        add(version, minutes=minutes)
    assert [receipt.after.version for receipt in add.receipts.newest_first()] == [1, 2, 1]
