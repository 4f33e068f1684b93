import json
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/automation"
OFF = {"Mode": "OFF"}
JOB = {
    "ProcessingJobName": "drift-<aws.scheduler.execution-id>",
    "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
    "AppSpecification": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme/none:1"},
    "Environment": {"SAGESTACK_WINDOW_END": "<aws.scheduler.scheduled-time>"},
    "RoleArn": ROLE,
}


def target(arn, given=None, **more):
    constant = {} if given is None else {"Input": json.dumps(given)}
    return {"Arn": arn, "RoleArn": ROLE} | constant | more


def schedule(automation, name, expression, to, **more):
    more = {"FlexibleTimeWindow": OFF} | more
    return automation.client("scheduler").create_schedule(Name=name, ScheduleExpression=expression, Target=to, **more)


def months_after(now, count):
    """The next first days of a month, at six."""
    moment, found = now.replace(day=1, hour=6, minute=0, second=0, microsecond=0), []
    while len(found) < count:
        if moment > now:
            found.append(moment)
        moment = (moment + timedelta(days=32)).replace(day=1)
    return found


def test_a_monthly_schedule_starts_a_processing_job_a_month_each_with_its_own_window(automation):
    job = target("arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob", JOB)
    schedule(automation, "sc-monthly", "cron(0 6 1 * ? *)", job)
    months = months_after(automation.now(), 3)
    automation.handle.advance(months[-1] + timedelta(hours=1))
    automation.client("scheduler").delete_schedule(Name="sc-monthly")
    sagemaker = automation.client("sagemaker")
    names = [
        job["ProcessingJobName"]
        for job in sagemaker.list_processing_jobs(NameContains="drift-")["ProcessingJobSummaries"]
    ]
    jobs = [sagemaker.describe_processing_job(ProcessingJobName=name) for name in names]
    assert sorted(job["Environment"]["SAGESTACK_WINDOW_END"] for job in jobs) == [
        f"{m:%Y-%m-%dT%H:%M:%SZ}" for m in months
    ]
    assert len(set(names)) == 3


def test_a_schedule_updated_disabled_or_deleted_fires_as_it_now_says(automation):
    queue, scheduler = automation.queue("sc-changes"), automation.client("scheduler")
    to = target(queue, "<aws.scheduler.scheduled-time>")
    schedule(automation, "sc-changes", "rate(1 day)", to, StartDate=automation.now() + timedelta(hours=1))
    automation.advance(seconds=86_400)
    assert len(automation.received(queue)) == 1
    changed = {"Name": "sc-changes", "Target": to, "FlexibleTimeWindow": OFF}
    scheduler.update_schedule(ScheduleExpression="cron(0 * * * ? *)", **changed)
    automation.advance(seconds=3 * 3600)
    assert len(automation.received(queue)) == 3
    scheduler.update_schedule(ScheduleExpression="cron(0 * * * ? *)", State="DISABLED", **changed)
    automation.advance(seconds=3 * 3600)
    assert automation.received(queue) == []
    scheduler.update_schedule(ScheduleExpression="cron(0 * * * ? *)", State="ENABLED", **changed)
    scheduler.delete_schedule(Name="sc-changes")
    automation.advance(seconds=3 * 3600)
    assert automation.received(queue) == []


def test_a_schedule_keeps_within_its_dates_and_goes_when_it_is_done(automation):
    queue, now = automation.queue("sc-dates"), automation.now()
    dates = {"StartDate": now + timedelta(days=1), "EndDate": now + timedelta(days=3, hours=1)}
    schedule(automation, "sc-dates", "rate(1 day)", target(queue), ActionAfterCompletion="DELETE", **dates)
    automation.advance(seconds=4 * 86_400)
    assert len(automation.received(queue)) == 3
    with pytest.raises(ClientError, match="does not exist"):
        automation.client("scheduler").get_schedule(Name="sc-dates")


def test_a_one_time_schedule_fires_once(automation):
    queue, moment = automation.queue("sc-once"), automation.now() + timedelta(hours=2)
    schedule(
        automation,
        "sc-once",
        f"at({moment:%Y-%m-%dT%H:%M:%S})",
        target(queue, {"at": "<aws.scheduler.scheduled-time>"}),
    )
    automation.advance(seconds=86_400)
    assert automation.bodies(queue) == [{"at": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}]


def test_a_schedule_can_put_an_event_that_starts_a_function(automation):
    queue = automation.queue("sc-event")
    automation.rule("sc-event", {"source": ["clockwork"], "detail-type": ["Tick"]}, queue)
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/default"
    parameters = {"EventBridgeParameters": {"Source": "clockwork", "DetailType": "Tick"}}
    schedule(automation, "sc-event", "rate(1 hour)", target(bus, {"n": "<aws.scheduler.attempt-number>"}, **parameters))
    automation.advance(seconds=1800)
    automation.client("scheduler").delete_schedule(Name="sc-event")
    assert [event["detail"] for event in automation.bodies(queue)] == [{"n": "1"}]


def test_a_target_that_does_not_work_ends_in_the_dead_letter_queue(automation):
    dead = automation.queue("sc-dead")
    wrong = target("arn:aws:scheduler:::aws-sdk:sagemaker:frobnicate", {}, DeadLetterConfig={"Arn": dead})
    schedule(automation, "sc-dead", "rate(1 day)", wrong)
    automation.advance(seconds=3600)
    automation.client("scheduler").delete_schedule(Name="sc-dead")
    [(body, attributes)] = automation.received(dead)
    assert body == "{}"
    assert attributes["ERROR_MESSAGE"] == "sagemaker has no operation frobnicate"
    assert attributes["SCHEDULE_ARN"].endswith("schedule/default/sc-dead")


@pytest.mark.parametrize("expression", ["rate(1 days)", "cron(0 6 1 * *)", "at(tomorrow)", "daily"])
def test_a_wrong_expression_is_refused(automation, expression):
    with pytest.raises(ClientError, match="Invalid Schedule Expression"):
        schedule(automation, "sc-wrong", expression, target(automation.queue("sc-wrong")))


def test_an_unknown_time_zone_is_refused(automation):
    zone = {"ScheduleExpressionTimezone": "Mars/Olympus"}
    with pytest.raises(ClientError, match="not a time zone"):
        schedule(automation, "sc-zone", "cron(0 6 1 * ? *)", target(automation.queue("sc-zone")), **zone)
