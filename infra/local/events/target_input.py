"""What a rule's target receives: the event, a part of it, a constant, or a template filled from it.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from infra.local.cloud import Event

_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']+)'\]|\[\"([^\"]+)\"\]")


def path_value(path: str, event: Any) -> Any:  # noqa: ANN401 - any part of an event
    """The value at a JSON path such as `$.detail.items[0].name`; None if there is none.

    Raises:
        ValueError: the path is not of that form.
    """
    if not re.fullmatch(rf"\$(?:{_STEP.pattern})*", path):
        raise ValueError(f"{path!r} is not a JSON path like $.detail.state")
    value = event
    for name, index, single, double in _STEP.findall(path):
        key = name or single or double
        try:
            value = value[int(index)] if index else value[key]
        except (LookupError, TypeError):
            return None
    return value


def target_input(target: Mapping[str, Any], event: Event, rule_arn: str) -> str:
    """The text that `target` receives for `event`.

    Raises:
        ValueError: the target's transformation does not work on this event.
    """
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(path_value(target["InputPath"], event))
    if "InputTransformer" in target:
        return _transform(target["InputTransformer"], event, rule_arn)
    return json.dumps(event)


def _transform(transformer: Mapping[str, Any], event: Event, rule_arn: str) -> str:
    values = {name: path_value(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rsplit("/", 1)[-1],
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
    }
    template = str(transformer["InputTemplate"])
    is_json = template.lstrip().startswith(("{", "[", '"'))
    filled = _fill(template, values, is_json=is_json)
    if is_json:
        try:
            json.loads(filled)
        except ValueError:
            raise ValueError(f"the input template gives no JSON: {filled}") from None
    return filled


def _fill(template: str, values: Mapping[str, Any], *, is_json: bool) -> str:
    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            return match[0]
        value = values[name]
        quoted = template[: match.start()].count('"') - template[: match.start()].count('\\"')
        if is_json and quoted % 2 == 0:
            return json.dumps(value)
        if isinstance(value, str):
            return json.dumps(value)[1:-1] if is_json else value
        text = "" if value is None else json.dumps(value)
        return text.replace('"', '\\"') if is_json else text

    return re.sub(r"<([\w.-]+)>", replace, template)
