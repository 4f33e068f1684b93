"""The model registry: the group that every version of one model is registered in."""

from infra.config import ModelConfig
from infra.constructs.retention import retained
from infra.naming import ModelNames
from infra.provider import Construct, aws


class Registry(Construct):
    """A SageMaker model package group."""

    def __init__(self, scope: Construct, id_: str, *, model: ModelConfig, names: ModelNames, protected: bool) -> None:
        super().__init__(scope, id_)
        self.name = names.base
        aws.SagemakerModelPackageGroup(
            self,
            "group",
            model_package_group_name=names.base,
            model_package_group_description=model.description or f"Versions of {model.name}",
            **retained(protected=protected),
        )
