"""The trail tells who did what to what, as CloudTrail does."""

import re

import pytest
from botocore.exceptions import ClientError

from infra.cli import main


def test_what_people_change_is_on_the_trail_and_what_they_read_is_not(roles):
    s3 = roles.cloud.client("s3")
    s3.create_bucket(Bucket=roles.name)
    s3.put_object(Bucket=roles.name, Key="x", Body=b"")
    s3.list_objects_v2(Bucket=roles.name)
    (event,) = roles.events(ResourceName=roles.bucket)
    assert (event["eventSource"], event["eventName"]) == ("s3.amazonaws.com", "CreateBucket")
    assert (event["userIdentity"]["type"], event["userIdentity"]["accessKeyId"]) == ("Root", "local")
    assert event["readOnly"] is False
    assert "errorCode" not in event


def test_a_job_leaves_its_roles_calls_and_who_assumed_the_role(roles, grants):
    roles.job(roles.role(*grants(roles.name).values()))
    assumed = roles.events(ResourceName=f"arn:aws:iam::123456789012:role/{roles.name}", EventName="AssumeRole")
    assert {event["userIdentity"]["invokedBy"] for event in assumed} == {"sagemaker.amazonaws.com"}
    (read,) = roles.events(ResourceName=f"{roles.bucket}/in/one.csv", EventName="GetObject")[:1]
    issuer = read["userIdentity"]["sessionContext"]["sessionIssuer"]
    assert (issuer["userName"], issuer["arn"]) == (roles.name, f"arn:aws:iam::123456789012:role/{roles.name}")
    assert read["readOnly"] is True


def test_events_come_in_pages_the_newest_first_each_once(roles):
    sqs, cloudtrail = roles.cloud.client("sqs"), roles.cloud.client("cloudtrail")
    names = [f"{roles.name}-{number}" for number in range(5)]
    for name in names:
        sqs.create_queue(QueueName=name)
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "CreateQueue"}]
    found, more = [], {}
    while True:
        answer = cloudtrail.lookup_events(LookupAttributes=wanted, MaxResults=2, **more)
        found += [event["Resources"][0]["ResourceName"].rsplit(":", 1)[-1] for event in answer["Events"]]
        if "NextToken" not in answer:
            break
        more = {"NextToken": answer["NextToken"]}
    assert [name for name in found if name in names] == names[::-1]


def test_events_can_be_asked_for_by_their_time(roles):
    before = roles.cloud.now()
    roles.cloud.client("sqs").create_queue(QueueName=roles.name)
    lookup = roles.cloud.client("cloudtrail").lookup_events
    arn = f"arn:aws:sqs:us-east-1:123456789012:{roles.name}"
    wanted = {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": arn}]}
    assert len(lookup(StartTime=before, **wanted)["Events"]) == 1
    assert lookup(EndTime=before, **wanted)["Events"] == []


def test_the_rest_of_cloudtrail_is_refused(roles):
    with pytest.raises(ClientError, match="does not support cloudtrail:DescribeTrails") as error:
        roles.cloud.client("cloudtrail").describe_trails()
    assert error.value.response["Error"]["Code"] == "UnsupportedOperation"


def test_a_person_is_shown_what_a_role_was_refused(  # noqa: PLR0917 - fixtures
    roles, grants, new_project, monkeypatch, capsys
):
    project = new_project()
    text = (project.root / "environments/local.yaml").read_text(encoding="utf-8")
    url = f"endpoint_url: {roles.cloud.endpoint_url}"
    project.environment("local", re.sub(r"endpoint_url: \S+", url, text))
    monkeypatch.setenv("SAGESTACK_ROOT", str(project.root))
    monkeypatch.setenv("COLUMNS", "400")
    granted = [statement for name, statement in grants(roles.name).items() if name != "s3:PutObject"]
    roles.job(roles.role(*granted))
    with pytest.raises(SystemExit) as ended:
        main(["trail", "--env", "local", "--role", roles.name, "--denied"])
    assert ended.value.code == 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "│" in line]
    _, _, who, did, to, why, _ = [cell.strip() for cell in row.split("│")]
    assert (who, did) == (f"assumed-role/{roles.name}/SageMaker", "s3:PutObject")
    assert to == f"{roles.bucket}/out/seen.json"
    assert why == "because no identity-based policy allows the s3:PutObject action"
