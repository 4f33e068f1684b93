"""SageMaker's tags, by ARN, for whatever was created: moto knows them for some kinds, and adds a changed one twice."""

import json
from typing import Any

from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.responses import SageMakerResponse

from infra.local.cloud import LocalCloud

Tags = dict[str, str]


def install(_: LocalCloud) -> None:
    """Remember the tags of every successful Create, and answer the three tag operations from that memory."""
    tags_by_arn: dict[str, Tags] = {}

    def call_action(response: SageMakerResponse) -> Any:  # noqa: ANN401 - moto's response tuple
        answer = BaseResponse.call_action(response)
        status, _headers, body = answer
        if status == 200 and response._get_action().startswith("Create"):  # noqa: PLR2004, SLF001 - moto's own method
            for arn in _arns(body):
                tags_by_arn[arn] = _as_dict(response.params.get("Tags", []))
        return answer

    def tags(response: SageMakerResponse) -> Tags:
        arn = response.params["ResourceArn"]
        if arn not in tags_by_arn:
            raise ValidationError(f"Could not find a resource with the ARN {arn}.")
        return tags_by_arn[arn]

    def list_tags(response: SageMakerResponse) -> ActionResult:
        return ActionResult({"Tags": _as_list(tags(response))})

    def add_tags(response: SageMakerResponse) -> ActionResult:
        tags(response).update(_as_dict(response.params["Tags"]))
        return list_tags(response)

    def delete_tags(response: SageMakerResponse) -> ActionResult:
        for key in response.params["TagKeys"]:
            tags(response).pop(key, None)
        return EmptyResult()

    SageMakerResponse.call_action = call_action
    SageMakerResponse.list_tags, SageMakerResponse.add_tags = list_tags, add_tags
    SageMakerResponse.delete_tags = delete_tags


def _arns(body: str | bytes) -> list[str]:
    return [value for name, value in json.loads(body or "{}").items() if name.endswith("Arn")]


def _as_dict(tags: list[Tags]) -> Tags:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _as_list(tags: Tags) -> list[Tags]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
