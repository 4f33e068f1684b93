"""An endpoint as it is declared, and what AWS answers of it: as declared, but for what a test says."""

from datetime import UTC, datetime

from infra.release.intended import Alarm, Intended, Scaling, Variant

NOW = datetime(2013, 4, 1, tzinfo=UTC)
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme/serving:1"
DECLARED = Intended(
    endpoint="acme-churn",
    configuration="acme-churn-aaaaaaaaaa",
    declared=("acme-churn-aaaaaaaaaa", "acme-churn-0ld"),
    variants=(Variant("main", "ml.m5.large", 1, (IMAGE,), ("s3://registry/run-2/model.tar.gz",)),),
    scaling=(Scaling("main", 1, 3, scaled=True),),
    capture_percent=100,
    alarms=(
        Alarm("acme-churn-errors", "Invocation5XXErrors", "GreaterThanThreshold", 0.01),
        Alarm("acme-churn-latency", "ModelLatency", "GreaterThanThreshold", 500_000),
    ),
    rollback_alarms=("acme-churn-errors",),
    plan="sha256:0",
)
DATA = "s3://registry/run-2/model.tar.gz"
NAMES = ("acme-churn-errors", "acme-churn-latency")
GONE = object()
"""A thing that does not exist."""


def endpoint_answer(changes):
    if changes is GONE:
        return GONE
    answer = {
        "EndpointName": "acme-churn",
        "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/acme-churn",
        "EndpointConfigName": "acme-churn-aaaaaaaaaa",
        "ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": 2}],
        "EndpointStatus": "InService",
        "LastDeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "acme-churn-errors"}]}},
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
    } | (changes or {})
    return {name: value for name, value in answer.items() if value is not None}


def configuration_answer(name, changes, variant):
    if changes is GONE:
        return GONE
    main = {"VariantName": "main", "ModelName": "acme-churn-bbbbbbbbbb", "InstanceType": "ml.m5.large"}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://capture/churn",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    answer = {
        "EndpointConfigName": name,
        "EndpointConfigArn": f"arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/{name}",
        "ProductionVariants": [main | (variant or {})],
        "DataCaptureConfig": capture,
        "CreationTime": NOW,
    } | (changes or {})
    return {name: value for name, value in answer.items() if value is not None}


def model_answer(changes):
    if changes is GONE:
        return GONE
    container = {"Image": IMAGE, "ModelDataUrl": DATA}
    return {
        "ModelName": "acme-churn-bbbbbbbbbb",
        "ModelArn": "arn:aws:sagemaker:us-east-1:123456789012:model/acme-churn-bbbbbbbbbb",
        "PrimaryContainer": container | (changes or {}),
        "CreationTime": NOW,
    }


def package_answer(changes):
    if changes is GONE:
        return GONE
    return {
        "ModelPackageName": "churn",
        "ModelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/2",
        "CreationTime": NOW,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ModelApprovalStatus": "Approved",
    } | (changes or {})


def alarm_answers(changes):
    """The alarms as declared; changes of the first, or GONE for the second missing."""
    first, second = (
        {
            "AlarmName": alarm.name,
            "MetricName": alarm.metric,
            "ComparisonOperator": alarm.comparison,
            "Threshold": alarm.threshold,
            "ActionsEnabled": True,
        }
        for alarm in DECLARED.alarms
    )
    return [first] if changes is GONE else [first | (changes or {}), second]


def target_answer(changes):
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/acme-churn/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": 1,
        "MaxCapacity": 3,
        "RoleARN": "arn:aws:iam::123456789012:role/scaling",
        "CreationTime": NOW,
    } | (changes or {})


def deployed(resolved):
    image = {"SpecifiedImage": IMAGE, "ResolvedImage": resolved}
    return {"ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": 2, "DeployedImages": [image]}]}
