"""Each kind of endpoint is declared as AWS takes it, with what it needs and no more."""

import json
import struct

import pytest

ACCOUNT = "123456789012"
BASE = "sagestack-local"
DATA = f"{BASE}-data-{ACCOUNT}"
HELD = ("variants", "shadow", "serverless", "asynchronous", "multi-model", "inference-pipeline")


@pytest.fixture(params=HELD)
def hosted(request, kinds):
    return kinds[request.param]


def live(stack):
    return stack.referred(stack.only("aws_sagemaker_endpoint")["endpoint_config_name"])


def model_of(stack, variant):
    return stack.referred(variant["model_name"])


def allowed(stack, role):
    """What the role may do: its actions, each with the resources of all its statements."""
    (policy,) = [one for one in stack.all("aws_iam_role_policy").values() if one["name"] == role]
    granted = {}
    for statement in json.loads(policy["policy"])["Statement"]:
        for action in statement["Action"]:
            granted.setdefault(action, []).extend(statement["Resource"])
    return granted


def test_both_releases_stay_declared_under_names_of_their_own(hosted):
    configurations = hosted.all("aws_sagemaker_endpoint_configuration").values()
    assert len(configurations) == 2
    names = [
        one["name"]
        for kind in ("model", "endpoint_configuration")
        for one in hosted.all(f"aws_sagemaker_{kind}").values()
    ]
    assert len(set(names)) == len(names)
    (main,) = {configuration["production_variants"][0]["variant_name"] for configuration in configurations}
    assert main == "main"


def test_weights_are_numbers_that_aws_keeps(kinds):
    variants = live(kinds["variants"])["production_variants"] + live(kinds["shadow"])["shadow_production_variants"]
    weights = [variant["initial_variant_weight"] for variant in variants]
    assert weights == [3, 1, 0, 0.25]
    assert [struct.unpack("f", struct.pack("f", weight))[0] for weight in weights] == weights


def test_a_variant_serves_the_version_that_the_owner_names_from_the_registry(kinds):
    stack = kinds["variants"]
    main, challenger, large = live(stack)["production_variants"]
    assert "model_data_url" in model_of(stack, main)["primary_container"]
    package = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package/{BASE}-variants/7"
    assert model_of(stack, challenger)["primary_container"] == {"model_package_name": package}
    assert challenger["model_name"] == large["model_name"]
    assert (challenger["instance_type"], large["instance_type"]) == ("ml.m5.large", "ml.c5.4xlarge")
    assert (challenger["initial_instance_count"], large["initial_instance_count"]) == (1, 2)


def test_an_update_is_taken_back_for_the_errors_of_any_variant(kinds):
    endpoint = kinds["variants"].only("aws_sagemaker_endpoint")
    watched = [one["alarm_name"] for one in endpoint["deployment_config"]["auto_rollback_configuration"]["alarms"]]
    ends = ("errors", "challenger-errors", "large-errors", "latency")
    assert watched == [f"{BASE}-variants-{end}" for end in ends]


def test_a_shadow_stands_beside_one_production_variant(kinds):
    configuration = live(kinds["shadow"])
    assert len(configuration["production_variants"]) == len(configuration["shadow_production_variants"]) == 1
    assert configuration["shadow_production_variants"][0]["variant_name"] == "shadow"


def test_a_serverless_endpoint_has_no_instances_no_capture_and_no_guardrails(kinds):
    stack = kinds["serverless"]
    (variant,) = live(stack)["production_variants"]
    assert variant["serverless_config"] == {
        "memory_size_in_mb": 3072,
        "max_concurrency": 50,
        "provisioned_concurrency": 5,
    }
    assert not {"instance_type", "initial_instance_count"} & variant.keys()
    assert "data_capture_config" not in live(stack)
    assert "deployment_config" not in stack.only("aws_sagemaker_endpoint")
    assert not stack.all("aws_appautoscaling_target")


def test_an_asynchronous_endpoint_answers_into_the_data_bucket_and_tells_its_topics(kinds):
    stack = kinds["asynchronous"]
    settings = live(stack)["async_inference_config"]
    assert settings["client_config"] == {"max_concurrent_invocations_per_instance": 8}
    output = settings["output_config"]
    folder = f"s3://{DATA}/asynchronous/asynchronous"
    assert (output["s3_output_path"], output["s3_failure_path"]) == (f"{folder}/answers", f"{folder}/failures")
    assert output["kms_key_id"].startswith("${")
    declared = {topic["name"] for topic in stack.all("aws_sns_topic").values()}
    told = {arn.rsplit(":", 1)[1] for arn in output["notification_config"].values()}
    assert told == declared == {f"{BASE}-asynchronous-succeeded", f"{BASE}-asynchronous-failed"}
    assert all(topic["kms_master_key_id"] for topic in stack.all("aws_sns_topic").values())


def test_an_asynchronous_endpoint_may_read_requests_write_answers_and_tell_its_topics_only(kinds):
    granted = allowed(kinds["asynchronous"], f"{BASE}-asynchronous-endpoint")
    folder = f"arn:aws:s3:::{DATA}/asynchronous/asynchronous"
    assert f"{folder}/requests/*" in granted["s3:GetObject"]
    assert granted["s3:PutObject"] == [f"{folder}/answers/*", f"{folder}/failures/*"]
    assert granted["sns:Publish"] == [
        f"arn:aws:sns:us-east-1:{ACCOUNT}:{BASE}-asynchronous-{end}" for end in ("succeeded", "failed")
    ]


def test_a_multi_model_endpoint_loads_the_archives_below_its_prefix(kinds):
    stack = kinds["multi-model"]
    container = model_of(stack, live(stack)["production_variants"][0])["primary_container"]
    assert container["mode"] == "MultiModel"
    assert container["model_data_url"] == f"s3://{BASE}-registry-{ACCOUNT}/multi-model/countries/"
    assert container["multi_model_config"] == {"model_cache_setting": "Enabled"}
    granted = allowed(stack, f"{BASE}-multi-model-endpoint")
    assert f"arn:aws:s3:::{BASE}-registry-{ACCOUNT}/multi-model/*" in granted["s3:GetObject"]
    assert stack.only("aws_appautoscaling_target")["max_capacity"] == 6


def test_an_inference_pipeline_asks_its_containers_in_order(kinds):
    stack = kinds["inference-pipeline"]
    model = model_of(stack, live(stack)["production_variants"][0])
    assert [one["container_hostname"] for one in model["container"]] == ["lookup", "model", "wording"]
    assert model["inference_execution_config"] == {"mode": "Serial"}
    assert model["container"][0]["environment"] == {"TABLE": "visits"}


def test_an_inference_pipelines_role_pulls_and_reads_what_its_file_names(kinds):
    granted = allowed(kinds["inference-pipeline"], f"{BASE}-inference-pipeline-endpoint")
    repositories = [f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/acme/{name}" for name in ("lookup", "wording")]
    assert set(repositories) < set(granted["ecr:BatchGetImage"])
    assert "arn:aws:s3:::acme-wording/2/model.tar.gz" in granted["s3:GetObject"]


def test_a_batch_transform_has_a_schedule_and_no_endpoint(kinds):
    stack = kinds["batch-transform"]
    assert not {"aws_sagemaker_endpoint", "aws_sagemaker_endpoint_configuration"} & stack.kinds()
    schedule = stack.only("aws_scheduler_schedule")
    assert schedule["schedule_expression"] == "cron(0 2 * * ? *)"
    assert schedule["target"]["arn"].endswith(":aws-sdk:sagemaker:createTransformJob")
    job = json.loads(schedule["target"]["input"])
    assert (
        job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == f"s3://{DATA}/batch-transform/batch/requests/"
    )
    assert job["TransformOutput"]["S3OutputPath"].startswith(
        f"s3://{DATA}/batch-transform/batch/answers/<aws.scheduler."
    )
    assert (job["MaxPayloadInMB"], job["MaxConcurrentTransforms"]) == (20, 5)
    assert job["DataProcessing"] == {"JoinSource": "Input"}
    assert job["TransformJobName"].endswith("<aws.scheduler.execution-id>")


def test_a_batch_transforms_job_runs_the_model_that_is_declared(kinds):
    stack = kinds["batch-transform"]
    job = json.loads(stack.only("aws_scheduler_schedule")["target"]["input"])
    assert stack.referred(job["ModelName"]) == stack.only("aws_sagemaker_model")


def test_a_batch_transform_that_fails_is_told_to_the_environments_topic(kinds):
    stack = kinds["batch-transform"]
    (rule,) = [one for one in stack.all("aws_cloudwatch_event_rule").values() if one["name"].endswith("-failed")]
    detail = json.loads(rule["event_pattern"])["detail"]
    assert detail == {"TransformJobStatus": ["Failed"], "ModelName": [stack.only("aws_sagemaker_model")["name"]]}
    targets = [one["arn"] for one in stack.all("aws_cloudwatch_event_target").values()]
    assert f"arn:aws:sns:us-east-1:{ACCOUNT}:{BASE}-alerts" in targets


def test_a_batch_transforms_roles_may_do_no_more_than_it_takes(kinds):
    stack = kinds["batch-transform"]
    assert allowed(stack, f"{BASE}-batch-transform-schedule").keys() == {
        "kms:Decrypt",
        "sagemaker:AddTags",
        "sagemaker:CreateTransformJob",
    }
    granted = allowed(stack, f"{BASE}-batch-transform-endpoint")
    assert granted["s3:PutObject"] == [f"arn:aws:s3:::{DATA}/batch-transform/batch/answers/*"]
