"""Secure by default: what holds for every bucket, role, policy and key of every stack."""

import json
import re

import pytest

from infra.constructs.vpc_config import LOOK_UP

ACCOUNTS = {"local": "123456789012", "prod": "210987654321"}
REGIONS = {"local": "us-east-1", "prod": "eu-west-1"}
BUCKET_PARTS = (
    "aws_s3_bucket_versioning",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_logging",
)
WAYS_TO_BE_PUBLIC = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
ANY_RESOURCE = {
    "ecr:GetAuthorizationToken": "names no resource",
    "cloudwatch:PutMetricData": "names no resource; a condition holds it to two namespaces",
    "cloudwatch:GetMetricData": "names no resource",
    **dict.fromkeys(LOOK_UP, "names no resource"),
}
ARCHIVES = ["arn:aws:s3:::acme-wording/2/model.tar.gz"]
"""What a model's file names in so many words: the archive of a container of the owner's own."""
ACTS_FOR = {"vpc-flow-logs": "ec2"}
CONFUSED_DEPUTY = {"aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn"}
ANY_ACTION = {("aws_kms_key", "Administration"): "without it IAM policies say nothing about the key"}


def environment_of(stack):
    return stack.name.split("-")[0]


def listed(value):
    return [value] if isinstance(value, str) else value


@pytest.fixture(scope="session", params=["local", "prod"])
def platform(request, bare, prod):
    return {"local": bare, "prod": prod}[request.param][f"{request.param}-platform"]


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


@pytest.fixture(scope="session")
def statements(every_stack):
    """Every policy statement, as (where, statement)."""
    return [
        (where, statement)
        for stack in every_stack
        for where, document in stack.policies()
        for statement in document["Statement"]
    ]


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


def test_every_role_is_assumed_on_behalf_of_its_account_and_of_what_may_have_such_a_role(every_stack):
    for stack in every_stack:
        where = f"{REGIONS[environment_of(stack)]}:{ACCOUNTS[environment_of(stack)]}"
        for role in stack.all("aws_iam_role").values():
            (statement,) = json.loads(role["assume_role_policy"])["Statement"]
            account, source = (statement["Condition"][operator] for operator in ("StringEquals", "ArnLike"))
            assert account == {"aws:SourceAccount": ACCOUNTS[environment_of(stack)]}
            service = statement["Principal"]["Service"].removesuffix(".amazonaws.com")
            assert source["aws:SourceArn"].startswith(f"arn:aws:{ACTS_FOR.get(service, service)}:{where}:")


def test_no_service_is_let_in_but_on_behalf_of_the_environments_own(every_stack):
    for stack in every_stack:
        for where, document in stack.policies():
            for statement in document["Statement"]:
                if isinstance(statement.get("Principal"), dict) and "Service" in statement["Principal"]:
                    known = {key for keys in statement["Condition"].values() for key in keys}
                    assert known & CONFUSED_DEPUTY, where
        for permission in stack.all("aws_lambda_permission").values():
            assert stack.referred(permission["source_arn"])["name"]


def test_no_statement_allows_every_action_of_a_service_but_the_keys_administration(statements):
    broad = {
        (where.split("/")[1].split(".")[0], statement.get("Sid"))
        for where, statement in statements
        if statement["Effect"] == "Allow" and any("*" in action for action in listed(statement["Action"]))
    }
    assert broad == set(ANY_ACTION)


def test_a_statement_allows_any_resource_only_where_there_is_none_to_name(statements):
    loose = {
        action
        for where, statement in statements
        if statement["Effect"] == "Allow" and "*" in listed(statement.get("Resource", []))
        for action in listed(statement["Action"])
        if "aws_kms_key" not in where  # in a key's own policy, * is the key
        and "aws_vpc_endpoint" not in where  # which gives nothing, but limits what roles may do through it
    }
    assert loose == set(ANY_RESOURCE)


def test_metrics_are_published_in_two_namespaces_only(statements):
    conditions = [
        one["Condition"]
        for where, one in statements
        if "cloudwatch:PutMetricData" in one["Action"] and "aws_vpc_endpoint" not in where
    ]
    expected = {"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "sagestack/*"]}}
    assert conditions == [expected] * len(conditions)
    assert conditions


def test_a_schedule_creates_jobs_of_its_own_model_alone(statements):
    created = [
        arn
        for _, one in statements
        if {"sagemaker:CreateProcessingJob", "sagemaker:CreateTransformJob"} & set(listed(one["Action"]))
        for arn in one["Resource"]
    ]
    assert created
    assert all(re.search(r"-job/(pipelines|[\w-]+-(batch|drift|quality))-\*$", arn) for arn in created), created


def test_roles_are_passed_by_name_and_to_the_service_that_they_trust(every_stack):
    passed = [
        (stack, statement)
        for stack in every_stack
        for _, document in stack.policies()
        for statement in document["Statement"]
        if "iam:PassRole" in listed(statement["Action"])
    ]
    assert passed
    for stack, statement in passed:
        for role in statement["Resource"]:
            (trust,) = json.loads(stack.referred(role)["assume_role_policy"])["Statement"]
            service = trust["Principal"]["Service"]
            assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": service}}


def test_only_the_account_itself_may_use_its_key_through_services(every_stack):
    keys = [(stack, key) for stack in every_stack for key in stack.all("aws_kms_key").values()]
    assert keys
    for stack, key in keys:
        account = ACCOUNTS[environment_of(stack)]
        for statement in json.loads(key["policy"])["Statement"]:
            if "AWS" in statement["Principal"]:
                assert statement["Principal"] == {"AWS": f"arn:aws:iam::{account}:root"}
            else:
                assert account in json.dumps(statement["Condition"])
        assert key["enable_key_rotation"] is True


def test_every_arn_that_is_written_out_is_of_the_environments_account_and_region(every_stack):
    for stack in every_stack:
        found = set(re.findall(r"arn:aws:([a-z0-9-]+):([a-z0-9-]*):(\d*)", stack.text))
        own = {account for _, _, account in found} - {""}
        locked = {"123456789012"}  # where the releases of the tests were registered
        assert own <= {ACCOUNTS[environment_of(stack)]} | locked
        assert {region for _, region, _ in found} - {""} <= {REGIONS[environment_of(stack)], "us-east-1"}


def test_no_policy_is_attached_that_is_not_written_here(every_stack):
    for stack in every_stack:
        assert not [kind for kind in stack.kinds() if "policy_attachment" in kind]
        for role in stack.all("aws_iam_role").values():
            assert "managed_policy_arns" not in role


def test_every_role_has_one_inline_policy_that_allows_something(every_stack):
    for stack in every_stack:
        roles = [f"${{aws_iam_role.{id_}.name}}" for id_ in stack.all("aws_iam_role")]
        policies = stack.all("aws_iam_role_policy").values()
        assert sorted(policy["role"] for policy in policies) == sorted(roles)
        assert all(json.loads(policy["policy"])["Statement"] for policy in policies)


def test_a_role_reads_and_writes_below_its_own_models_prefix_only(every_stack):
    for stack in every_stack:
        model = stack.name.split("-", 1)[1]
        for where, document in stack.policies():
            if "aws_iam_role_policy" not in where:
                continue
            objects = [
                resource
                for one in document["Statement"]
                for resource in listed(one["Resource"])
                if resource.startswith("arn:aws:s3:::") and "/" in resource
            ]
            strange = [one for one in objects if f"/{model}/" not in one]
            assert strange == (ARCHIVES if model == "inference-pipeline" and "endpoint_role" in where else []), where


def test_the_schedule_can_read_its_encrypted_input(live_stack):
    schedule = live_stack.only("aws_scheduler_schedule")
    role = schedule["target"]["role_arn"].split(".")[1]
    (policy,) = [one for one in live_stack.all("aws_iam_role_policy").values() if f".{role}." in one["role"]]
    allowed = {a: s["Resource"] for s in json.loads(policy["policy"])["Statement"] for a in listed(s["Action"])}
    assert allowed["kms:Decrypt"] == [schedule["kms_key_arn"]]


def test_the_roles_of_jobs_and_endpoints_may_have_their_volumes_encrypted_and_no_other_role_may(every_stack):
    for stack in every_stack:
        granting = {
            policy["name"]
            for policy in stack.all("aws_iam_role_policy").values()
            for statement in json.loads(policy["policy"])["Statement"]
            if "kms:CreateGrant" in statement["Action"]
            and statement["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        }
        roles = {role["name"] for role in stack.all("aws_iam_role").values()}
        with_volumes = ("-jobs", "-monitor", "-quality", "-endpoint")
        assert granting == {name for name in roles if name.endswith(with_volumes)} - {
            "sagestack-local-serverless-endpoint"
        }
        allowing = [where for where, policy in stack.policies() if "kms:CreateGrant" in json.dumps(policy)]
        assert len([where for where in allowing if "aws_vpc_endpoint" not in where]) == len(granting)


def test_a_models_containers_have_no_network_but_where_aws_cannot_isolate_them(every_stack):
    for stack in every_stack:
        isolated = {model["enable_network_isolation"] for model in stack.all("aws_sagemaker_model").values()}
        assert isolated <= {stack.name != "local-serverless"}


def test_the_volumes_of_endpoints_are_encrypted_with_the_environments_key(every_stack):
    configurations = [
        (stack, one) for stack in every_stack for one in stack.all("aws_sagemaker_endpoint_configuration").values()
    ]
    assert configurations
    for stack, configuration in configurations:
        if stack.name == "local-serverless":  # AWS keeps its instances to itself
            assert "kms_key_arn" not in configuration
        else:
            assert "kms_key" in configuration["kms_key_arn"]


@pytest.mark.parametrize(
    ("endpoint", "encrypted"),
    [
        ("instance_type: ml.m5.large", True),
        ("instance_type: ml.g5.xlarge", False),
        ("shadow: {version: 2, instance_type: ml.m5d.large}", False),
    ],
)
def test_no_key_is_asked_for_where_sagemaker_refuses_one(new_project, new_release, synthesize, endpoint, encrypted):  # noqa: PLR0917 - fixtures
    project = new_project()
    project.model("churn", f"endpoint: {{{endpoint}}}\n")
    project.lock("churn", new_release(1))
    stack = synthesize(project)["local-churn"]
    assert ("kms_key_arn" in stack.only("aws_sagemaker_endpoint_configuration")) is encrypted


def test_a_role_makes_and_writes_the_log_groups_of_its_own_jobs_or_endpoint_alone(live_stack, kinds):
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:"
    written = {}
    for stack in (live_stack, kinds["batch-transform"]):
        for policy in stack.all("aws_iam_role_policy").values():
            for one in json.loads(policy["policy"])["Statement"]:
                if "logs:CreateLogGroup" in one["Action"]:
                    groups = {resource.removeprefix(arn).removesuffix(":*") for resource in one["Resource"]}
                    written[policy["name"].removeprefix("sagestack-local-")] = groups
    jobs = {"/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs"}
    assert written == {
        "flight-delay-jobs": jobs,
        "flight-delay-monitor": {"/aws/sagemaker/ProcessingJobs"},
        "flight-delay-endpoint": {"/aws/sagemaker/Endpoints/sagestack-local-flight-delay"},
        "batch-transform-jobs": jobs,
        "batch-transform-endpoint": {"/aws/sagemaker/TransformJobs"},
    }


def test_what_an_endpoint_says_is_encrypted_and_kept_for_a_time_from_its_first_word_on(prod):
    stack = prod["prod-churn"]
    (id_, group), *others = [
        (id_, one) for id_, one in stack.all("aws_cloudwatch_log_group").items() if "/Endpoints/" in one["name"]
    ]
    assert (group["name"], others) == ("/aws/sagemaker/Endpoints/acme-prod-churn", [])
    assert "kms_key" in group["kms_key_id"]
    assert group["retention_in_days"] == 365
    assert f"aws_cloudwatch_log_group.{id_}" in stack.only("aws_sagemaker_endpoint")["depends_on"]


def test_what_is_captured_and_logged_is_encrypted(live_stack):
    for configuration in live_stack.all("aws_sagemaker_endpoint_configuration").values():
        assert configuration["data_capture_config"]["kms_key_id"].startswith("${")
    assert all(group["kms_key_id"].startswith("${") for group in live_stack.all("aws_cloudwatch_log_group").values())
    assert live_stack.only("aws_scheduler_schedule")["kms_key_arn"].startswith("${")


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


def test_images_that_no_tag_names_go_and_tagged_ones_stay(platform):
    policies = platform.all("aws_ecr_lifecycle_policy").values()
    assert len(policies) == 3
    for policy in policies:
        (rule,) = json.loads(policy["policy"])["rules"]
        assert rule["selection"]["tagStatus"] == "untagged"


def test_images_are_immutable_scanned_and_encrypted(platform):
    repositories = platform.all("aws_ecr_repository").values()
    assert len(repositories) == 3
    for repository in repositories:
        assert repository["image_tag_mutability"] == "IMMUTABLE"
        assert repository["image_scanning_configuration"] == {"scan_on_push": True}
        assert repository["encryption_configuration"][0]["encryption_type"] == "KMS"


def test_the_governors_table_is_encrypted_and_can_be_recovered(live_stack, prod):
    for stack, protected in ((live_stack, False), (prod["prod-churn"], True)):
        table = stack.only("aws_dynamodb_table")
        assert table["server_side_encryption"]["kms_key_arn"].startswith("${")
        assert table["point_in_time_recovery"] == {"enabled": True}
        assert table["deletion_protection_enabled"] is protected


def test_the_queue_of_events_that_governors_failed_on_is_encrypted(bare, prod):
    for stack in (bare["local-platform"], prod["prod-platform"]):
        assert stack.only("aws_sqs_queue")["kms_master_key_id"] == stack.only("aws_kms_alias")["name"]


def test_the_governor_may_start_its_pipeline_and_touch_its_table_alone(live_stack):
    (policy,) = [one for one in live_stack.all("aws_iam_role_policy").values() if one["name"].endswith("-governor")]
    allowed = {a: s["Resource"] for s in json.loads(policy["policy"])["Statement"] for a in listed(s["Action"])}
    assert not [action for action in allowed if action.startswith(("s3:Get", "s3:Put", "dynamodb:Delete"))]
    assert {action for action in allowed if action.startswith("iam:")} == {"iam:PassRole"}
    assert [live_stack.referred(arn)["name"][-9:] for arn in allowed["iam:PassRole"]] == ["-debounce"]
    assert all(":pipeline/sagestack-local-flight-delay" in arn for arn in allowed["sagemaker:StartPipelineExecution"])
    assert [live_stack.referred(arn) for arn in allowed["dynamodb:PutItem"]] == [live_stack.only("aws_dynamodb_table")]
    assert {action for action in allowed if action.startswith("sqs:")} == {"sqs:SendMessage"}
    assert allowed["sqs:SendMessage"] == ["arn:aws:sqs:us-east-1:123456789012:sagestack-local-undecided"]
