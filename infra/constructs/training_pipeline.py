"""The SageMaker pipeline that validates, trains, evaluates and registers, and the two roles it needs."""

from infra.config import ModelConfig, Release
from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.platform import Platform
from infra.images import IMAGES, SERVING, tag
from infra.naming import ModelNames
from infra.pipelines import Images, model_pipeline
from infra.provider import Construct, aws


class TrainingPipeline(Construct):
    """One pipeline a model. Its own role starts the steps; the jobs' role reads data and writes the runs' folder."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        model: ModelConfig,
        names: ModelNames,
        platform: Platform,
        live: Release | None,
    ) -> None:
        super().__init__(scope, id_)
        self.name = names.base
        self.arn = f"arn:aws:sagemaker:{names.environment.region}:{names.environment.account}:pipeline/{names.base}"
        jobs, conductor = self._job_role(names, platform), self._pipeline_role(names)
        definition = model_pipeline(
            model,
            names,
            images=Images(**{image: names.environment.image(image, tag(image)) for image in IMAGES}),
            role_arn=jobs.arn,
            champion=live.model_data_url if live else None,
            kms_key=platform.key.arn,
            vpc_config=None if platform.vpc is None else platform.vpc.request,
        )
        conductor.grant(
            allow(["iam:PassRole"], [jobs.arn], StringEquals={"iam:PassedToService": "sagemaker.amazonaws.com"})
        )
        platform.registry.grant_get(conductor, f"{names.model}/runs/")  # the steps' property files
        platform.key.grant_decrypt(conductor)
        self.pipeline = aws.SagemakerPipeline(
            self,
            "pipeline",
            pipeline_name=names.base,
            pipeline_display_name=names.base,
            pipeline_description=model.description or f"Trains {model.name}",
            role_arn=conductor.arn,
            pipeline_definition=definition.to_json(),
            depends_on=[jobs.attach(), conductor.attach()],
        )

    def grant_start(self, role: ServiceRole) -> None:
        """Start a run, and see which runs there were."""
        role.grant(
            allow(
                [
                    "sagemaker:ListPipelineExecutions",
                    "sagemaker:StartPipelineExecution",
                ],
                [self.arn],
            )
        )

    def grant_measure(self, role: ServiceRole) -> None:
        """See how long the steps of a run took."""
        role.grant(allow(["sagemaker:ListPipelineExecutionSteps"], [f"{self.arn}/execution/*"]))

    def _job_role(self, names: ModelNames, platform: Platform) -> ServiceRole:
        role = ServiceRole(
            self, "job-role", name=f"{names.base}-jobs", service="sagemaker.amazonaws.com", names=names.environment
        )
        platform.data.grant_read(role, names.data_prefix)
        platform.grant_models(role, names.model)
        platform.registry.grant_write(role, f"{names.model}/")
        platform.key.grant_outputs(role)
        platform.key.grant_volumes(role)
        platform.repositories.grant_pull(role, *(image for image in IMAGES if image != SERVING))
        platform.grant_running(role, names.environment.job_logs("Training"), names.environment.job_logs("Processing"))
        return role

    def _pipeline_role(self, names: ModelNames) -> ServiceRole:
        role = ServiceRole(
            self, "role", name=f"{names.base}-pipeline", service="sagemaker.amazonaws.com", names=names.environment
        )
        prefix = f"arn:aws:sagemaker:{names.environment.region}:{names.environment.account}"
        jobs = [f"{prefix}:{kind}-job/pipelines-*" for kind in ("training", "processing")]
        packages = [f"{prefix}:model-package-group/{names.base}", f"{prefix}:model-package/{names.base}/*"]
        role.grant(
            allow(
                [
                    f"sagemaker:{verb}{kind}Job"
                    for verb in ("Create", "Describe", "Stop")
                    for kind in ("Training", "Processing")
                ],
                jobs,
            ),
            allow(["sagemaker:AddTags"], [*jobs, *packages]),
            allow(["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage"], packages),
        )
        return role
