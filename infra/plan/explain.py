"""A plan in plain words, as Markdown: for which model, with what downtime, and what of it changes."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from infra.plan.document import Change, Plan, ResourceChange
from infra.plan.effects import TOLD, Effect, effect

NAMES: Final = (
    *("name", "bucket", "function_name", "alarm_name", "pipeline_name", "dashboard_name"),
    *("model_package_group_name", "target_id", "rule", "role", "resource_id", "id"),
)
"""What a resource is called, the first of these that it has."""
WORDS: Final = {"sagemaker": "", "cloudwatch": "", "appautoscaling": "scaling", "metric": "", "kms": "KMS", "s3": "S3"}
VERBS: Final = {
    ("create",): "make",
    ("update",): "change",
    ("delete",): "delete",
    ("create", "delete"): "replace",
    ("delete", "create"): "replace",
    ("forget",): "no longer look after",
}
IGNORED: Final = frozenset({("no-op",), ("read",)})
LONGEST: Final = 60
"""A value longer than this says nothing to people; that it changes, does."""


def changes(plan: Plan) -> list[ResourceChange]:
    """What is really changed, the worst effect first."""
    real = [one for one in plan.resource_changes if one.mode == "managed" and one.change.actions not in IGNORED]
    return sorted(real, key=lambda one: (-effect(one), one.type, one.address))


def worst(plan: Plan) -> Effect:
    """The downtime class of the whole plan."""
    return max((effect(one) for one in changes(plan)), default=Effect.NONE)


def explained(plan: Plan) -> Iterator[str]:
    """The plan as lines of Markdown."""
    found, tags = changes(plan), plan.tags
    where, model = tags.get("environment", "unknown environment"), tags.get("model")
    what = f"model {model}" if model else "the platform that all models share"
    yield f"### {where}: {what}"
    yield ""
    if not found:
        yield "Nothing changes."
    else:
        yield f"**{TOLD[worst(plan)]}** ({_counted(found)})"
        yield ""
        yield from (_line(one) for one in found)
    drifted = [one for one in plan.resource_drift if one.change.actions not in IGNORED]
    if drifted:
        yield ""
        yield "Not as it was deployed (changed by hand, or by AWS):"
        yield ""
        yield from (f"- {_called(one)}{_details(one.change)}" for one in drifted)
    yield ""


def _counted(found: list[ResourceChange]) -> str:
    counts = Counter(VERBS[one.change.actions] for one in found)
    return ", ".join(f"{verb} {count}" for verb, count in sorted(counts.items()))


def _line(resource: ResourceChange) -> str:
    verb = VERBS[resource.change.actions]
    notice = f" (**{TOLD[effect(resource)]}**)" if effect(resource) >= Effect.OUTAGE else ""
    return f"- {verb} {_called(resource)}{_details(resource.change)}{notice}"


def _called(resource: ResourceChange) -> str:
    words = [WORDS.get(word, word) for word in resource.type.removeprefix("aws_").split("_")]
    values = resource.change.after or resource.change.before or {}
    name = next((values[key] for key in NAMES if isinstance(values.get(key), str)), resource.address)
    return f"{' '.join(filter(None, words))} `{name}`"


def _details(change: Change) -> str:
    """Which attributes change, with both values where they are short and no secret."""
    if change.before is None or change.after is None:
        return ""
    keys = sorted(key for key in change.before | change.after if change.before.get(key) != change.after.get(key))
    return ": " + ", ".join(_difference(change, key) for key in keys) if keys else ""


def _difference(change: Change, key: str) -> str:
    marks = (change.before_sensitive, change.after_sensitive)
    secret = any(mark.get(key) if isinstance(mark, dict) else mark for mark in marks)
    before, after = (_short(values.get(key)) for values in (change.before or {}, change.after or {}))
    if secret or before is None or after is None:
        return key
    return f"{key} {before} → {after}" if key in (change.after or {}) else f"{key} {before} → known after apply"


def _short(value: Any) -> str | None:  # noqa: ANN401 - any of Terraform's values
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST and not isinstance(value, dict | list) else None
