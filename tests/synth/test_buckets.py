"""Every bucket is private, encrypted, versioned and logged, and what is superseded goes some day."""

import json

import pytest

BUCKET_PARTS = (
    "aws_s3_bucket_versioning",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_logging",
)
WAYS_TO_BE_PUBLIC = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


@pytest.fixture(scope="session")
def buckets(platform):
    """Every bucket's physical name with the resources that shape it, by their type."""

    def parts(id_, bucket):
        reference = f"${{aws_s3_bucket.{id_}.id}}"
        found = {
            kind: [one for one in platform.all(kind).values() if one["bucket"] == reference] for kind in BUCKET_PARTS
        }
        return {"aws_s3_bucket": bucket} | {kind: ones[0] for kind, ones in found.items() if len(ones) == 1}

    return {bucket["bucket"]: parts(id_, bucket) for id_, bucket in platform.all("aws_s3_bucket").items()}


def test_there_are_four_buckets_and_none_in_a_models_stack(every_stack):
    counts = {stack.name: len(stack.all("aws_s3_bucket")) for stack in every_stack}
    assert {count for name, count in counts.items() if name.endswith("-platform")} == {4}
    assert {count for name, count in counts.items() if not name.endswith("-platform")} == {0}


def test_every_bucket_is_versioned_private_and_owned_by_the_account(buckets):
    for parts in buckets.values():
        assert parts["aws_s3_bucket_versioning"]["versioning_configuration"] == {"status": "Enabled"}
        private = parts["aws_s3_bucket_public_access_block"]
        assert [private[way] for way in WAYS_TO_BE_PUBLIC] == [True] * 4
        assert parts["aws_s3_bucket_ownership_controls"]["rule"] == {"object_ownership": "BucketOwnerEnforced"}


def test_every_bucket_is_encrypted_with_the_environments_key_but_the_log_bucket_which_cannot_be(buckets, platform):
    (key,) = platform.all("aws_kms_key")
    for name, parts in buckets.items():
        (rule,) = parts["aws_s3_bucket_server_side_encryption_configuration"]["rule"]
        default = rule["apply_server_side_encryption_by_default"]
        if "-logs-" in name:
            assert default == {"sse_algorithm": "AES256"}
        else:
            assert default == {"sse_algorithm": "aws:kms", "kms_master_key_id": f"${{aws_kms_key.{key}.arn}}"}
            assert rule["bucket_key_enabled"] is True


def test_every_bucket_refuses_requests_without_tls(buckets):
    for name, parts in buckets.items():
        denied = [
            one for one in json.loads(parts["aws_s3_bucket_policy"]["policy"])["Statement"] if one["Effect"] == "Deny"
        ]
        assert denied[:1] == [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ]


def test_every_bucket_but_the_log_bucket_logs_access_into_it(buckets, platform):
    (logs,) = [id_ for id_, bucket in platform.all("aws_s3_bucket").items() if "-logs-" in bucket["bucket"]]
    for name, parts in buckets.items():
        if "-logs-" in name:
            assert "aws_s3_bucket_logging" not in parts
        else:
            logging = parts["aws_s3_bucket_logging"]
            assert (logging["target_bucket"], logging["target_prefix"]) == (f"${{aws_s3_bucket.{logs}.id}}", f"{name}/")


def test_where_it_is_asked_for_nobody_deletes_or_replaces_what_is_registered(prod, first):
    platform = prod["prod-platform"]
    lock = platform.only("aws_s3_bucket_object_lock_configuration")
    assert platform.referred(lock["bucket"])["bucket"] == "acme-prod-registry-210987654321"
    assert lock["rule"] == {"default_retention": {"mode": "GOVERNANCE", "days": 180}}
    assert "aws_s3_bucket_object_lock_configuration" not in first["local-platform"].kinds()


def test_a_lock_holds_for_those_who_deploy_too(prod):
    platform = prod["prod-platform"]
    denied = {
        platform.referred(policy["bucket"])["bucket"]: one["Action"]
        for policy in platform.all("aws_s3_bucket_policy").values()
        for one in json.loads(policy["policy"])["Statement"]
        if one["Effect"] == "Deny" and one["Sid"] != "TlsOnly"
    }
    assert denied == {"acme-prod-registry-210987654321": "s3:BypassGovernanceRetention"}


def test_what_is_superseded_captured_or_logged_goes_some_day_and_data_and_models_stay(prod):
    platform = prod["prod-platform"]
    kept = {}
    for lifecycle in platform.all("aws_s3_bucket_lifecycle_configuration").values():
        rules = {rule["id"]: rule for rule in lifecycle["rule"]}
        bucket = platform.referred(lifecycle["bucket"])["bucket"].split("-")[2]
        expired = rules["expired"]["expiration"][0]["days"] if "expired" in rules else None
        kept[bucket] = (rules["superseded"]["noncurrent_version_expiration"][0]["noncurrent_days"], expired)
    assert kept == {"data": (90, None), "registry": (90, None), "capture": (90, 400), "logs": (90, 365)}


def test_an_environment_may_keep_everything(bare):
    assert "aws_s3_bucket_lifecycle_configuration" not in bare["local-platform"].kinds()
