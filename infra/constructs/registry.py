"""The model registry: the group that every version of one model is registered in."""

from collections.abc import Sequence

from infra.config import ModelConfig
from infra.constructs.permissions import policy_document
from infra.constructs.retention import retained
from infra.constructs.sharing import shared_group
from infra.naming import ModelNames
from infra.provider import Construct, aws


class Registry(Construct):
    """A SageMaker model package group, which other accounts may read if the environment says so."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        model: ModelConfig,
        names: ModelNames,
        protected: bool,
        readers: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id_)
        self.name = names.base
        group = aws.SagemakerModelPackageGroup(
            self,
            "group",
            model_package_group_name=names.base,
            model_package_group_description=model.description or f"Versions of {model.name}",
            **retained(protected=protected),
        )
        if readers:
            aws.SagemakerModelPackageGroupPolicy(
                self,
                "policy",
                model_package_group_name=group.model_package_group_name,
                resource_policy=policy_document(shared_group(names, readers)),
            )
