import json

import pytest

from infra.local.events.target_input import path_value, target_input

RULE = "arn:aws:events:us-east-1:123456789012:rule/nightly"
EVENT = {
    "source": "aws.cloudwatch",
    "detail-type": "CloudWatch Alarm State Change",
    "time": "2013-05-01T00:00:00Z",
    "resources": ["arn:a", "arn:b"],
    "detail": {
        "alarmName": 'say "drift"',
        "state": {"value": "ALARM"},
        "count": 3,
        "key with space": 1,
        "parts": [{"n": 1}],
    },
}


def given(**target):
    return target_input(target, EVENT, RULE)


def test_without_a_transformation_a_target_receives_the_event():
    assert json.loads(given(Arn="x")) == EVENT


def test_a_constant_input_replaces_the_event():
    assert given(Input='{"a": 1}') == '{"a": 1}'


def test_an_input_path_gives_a_part_of_the_event():
    assert json.loads(given(InputPath="$.detail.state")) == {"value": "ALARM"}


def test_a_template_is_filled_from_the_event():
    filled = given(
        InputTransformer={
            "InputPathsMap": {"state": "$.detail.state.value", "all": "$.detail.state", "n": "$.detail.count"},
            "InputTemplate": '{"state": <state>, "is": "<state>", "a": <all>, "n": <n>, "r": <aws.events.rule-name>}',
        }
    )
    state = {"value": "ALARM"}
    assert json.loads(filled) == {"state": "ALARM", "is": "ALARM", "a": state, "n": 3, "r": "nightly"}


def test_a_quoted_value_keeps_the_template_valid_json():
    filled = given(InputTransformer={"InputPathsMap": {"a": "$.detail.alarmName"}, "InputTemplate": '"alarm: <a>"'})
    assert json.loads(filled) == 'alarm: say "drift"'


def test_a_template_of_plain_text_gives_plain_text():
    transformer = {"InputPathsMap": {"a": "$.detail.alarmName"}, "InputTemplate": "Alarm <a>, <unknown>"}
    assert given(InputTransformer=transformer) == 'Alarm say "drift", <unknown>'


def test_a_template_that_gives_no_json_is_refused():
    with pytest.raises(ValueError, match="gives no JSON"):
        given(InputTransformer={"InputPathsMap": {}, "InputTemplate": '{"a": <b>}'})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", EVENT),
        ("$.resources[1]", "arn:b"),
        ("$.detail.parts[0].n", 1),
        ("$.detail['key with space']", 1),
        ("$.detail-type", "CloudWatch Alarm State Change"),
        ("$.detail.missing.deeper", None),
        ("$.resources[9]", None),
    ],
)
def test_a_path_finds_its_value(path, value):
    assert path_value(path, EVENT) == value


@pytest.mark.parametrize("path", ["detail", "$..a", "$.a[*]", ""])
def test_a_wrong_path_is_refused(path):
    with pytest.raises(ValueError, match="not a JSON path"):
        path_value(path, EVENT)
