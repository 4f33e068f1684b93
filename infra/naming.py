"""Every physical name, S3 prefix and URI. Containers are told URIs; only this module builds them."""

from dataclasses import dataclass
from typing import Literal

from monitoring.contract import BASELINE_FILE

JobKind = Literal["Training", "Processing", "Transform"]
BucketKind = Literal["data", "registry", "capture", "logs"]
PLATFORM = "platform"
"""What an environment's models share is called so."""
VARIANT = "main"
"""The production variant's name never changes: a renamed variant breaks the deregistration of its scalable target."""
SHADOW_VARIANT = "shadow"
"""The variant that gets copies of requests."""
MODEL_CONTAINER = "model"
"""The release's container among those of an inference pipeline."""


@dataclass(frozen=True)
class Names:
    """Names within one environment: a prefix (the organisation), the environment, its account and region."""

    prefix: str
    environment: str
    account: str
    region: str

    @property
    def base(self) -> str:
        """What every name in the environment starts with."""
        return f"{self.prefix}-{self.environment}"

    @property
    def plan_role(self) -> str:
        """The role of workflows that plan; not named like the stacks' roles, so that no deploy can change it."""
        return f"plan-{self.base}"

    @property
    def deploy_role(self) -> str:
        """The role of workflows that deploy; named as above."""
        return f"deploy-{self.base}"

    @property
    def undecided(self) -> str:
        """The queue of events that the models' governors failed on."""
        return f"{self.base}-undecided"

    @property
    def dashboard(self) -> str:
        """The dashboard over all models; no model can be called so, since the platform's stack is."""
        return f"{self.base}-{PLATFORM}"

    @property
    def alarm_log(self) -> str:
        """The log group that keeps what alarms say; EventBridge may write below /aws/events only."""
        return f"/aws/events/{self.base}-alarms"

    @property
    def boundary(self) -> str:
        """The policy that bounds every role of the stacks; named as above."""
        return f"boundary-{self.base}"

    @property
    def boundary_arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:iam::{self.account}:policy/{self.boundary}"

    def bucket(self, kind: BucketKind) -> str:
        """Globally unique by the account id."""
        return f"{self.base}-{kind}-{self.account}"

    def repository(self, image: str) -> str:
        """The ECR repository of one of our images."""
        return f"{self.base}/{image}"

    def image(self, image: str, tag: str) -> str:
        """The image URI, as SageMaker takes it."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com/{self.repository(image)}:{tag}"

    def job_logs(self, kind: JobKind) -> str:
        """The log group of SageMaker's jobs of a kind: one for the whole account and region, by SageMaker's choice."""
        return f"/aws/sagemaker/{kind}Jobs"

    @property
    def flow_logs(self) -> str:
        """The log group of the network's connections, and the role that writes it."""
        return f"{self.base}-flow-logs"

    def model(self, model: str) -> "ModelNames":
        """The names of one model in this environment."""
        return ModelNames(self, model)


@dataclass(frozen=True)
class ModelNames:
    """Names of one model's resources."""

    environment: Names
    model: str

    @property
    def base(self) -> str:
        """The endpoint, the pipeline and the package group share this name; AWS keeps them in different namespaces."""
        return f"{self.environment.base}-{self.model}"

    def release(self, content_hash: str) -> str:
        """Immutable things (model, endpoint configuration) are named by what they contain."""
        return f"{self.base}-{content_hash[:10]}"

    @property
    def data_prefix(self) -> str:
        """Labelled data, one Parquet file a partition; the key of a new partition starts with this."""
        return f"{self.model}/labelled/"

    @property
    def data_uri(self) -> str:
        """Where labelled data arrives."""
        return f"s3://{self.environment.bucket('data')}/{self.data_prefix}"

    @property
    def runs_uri(self) -> str:
        """Below it: one folder a pipeline execution, one below that a step."""
        return f"s3://{self.environment.bucket('registry')}/{self.model}/runs"

    @property
    def asynchronous_prefix(self) -> str:
        """Below it: requests/, answers/ and failures/ of an asynchronous endpoint, in the data bucket."""
        return f"{self.model}/asynchronous"

    def asynchronous_uri(self, part: Literal["answers", "failures"]) -> str:
        """Where an asynchronous endpoint puts what became of a request."""
        return f"s3://{self.environment.bucket('data')}/{self.asynchronous_prefix}/{part}"

    def batch_uri(self, folder: str) -> str:
        """A batch transform's folder of requests or answers."""
        return f"s3://{self.environment.bucket('data')}/{self.model}/{folder}/"

    def archives_uri(self, folder: str) -> str:
        """Where the archives of a multi-model endpoint lie."""
        return f"s3://{self.environment.bucket('registry')}/{self.model}/{folder}/"

    def package_arn(self, version: int) -> str:
        """A version in the model package group."""
        where = f"{self.environment.region}:{self.environment.account}"
        return f"arn:aws:sagemaker:{where}:model-package/{self.base}/{version}"

    @property
    def group_arn(self) -> str:
        """The model package group."""
        where = f"{self.environment.region}:{self.environment.account}"
        return f"arn:aws:sagemaker:{where}:model-package-group/{self.base}"

    @property
    def versions_arn(self) -> str:
        """Every version in it."""
        where = f"{self.environment.region}:{self.environment.account}"
        return f"arn:aws:sagemaker:{where}:model-package/{self.base}/*"

    @property
    def capture_uri(self) -> str:
        """SageMaker adds /<endpoint>/<variant>/yyyy/mm/dd/hh/*.jsonl."""
        return f"s3://{self.environment.bucket('capture')}/{self.model}"

    def alarm_arn(self, alarm: str) -> str:
        """An alarm of the model's."""
        where = f"{self.environment.region}:{self.environment.account}"
        return f"arn:aws:cloudwatch:{where}:alarm:{alarm}"

    @property
    def drift_reports_uri(self) -> str:
        """Below it: one folder a run, named by the moment at which its schedule fired."""
        return f"s3://{self.environment.bucket('registry')}/{self.model}/drift"

    @property
    def ground_truth_prefix(self) -> str:
        """Below it: labels of captured requests, in yyyy/mm/dd/hh/*.jsonl by when they arrived."""
        return f"{self.model}/ground-truth/"

    @property
    def ground_truth_uri(self) -> str:
        """Where labels of captured requests arrive."""
        return f"s3://{self.environment.bucket('data')}/{self.ground_truth_prefix}".rstrip("/")

    @property
    def quality_reports_uri(self) -> str:
        """Below it: one folder a run, as of drift reports."""
        return f"s3://{self.environment.bucket('registry')}/{self.model}/quality"

    @property
    def governor(self) -> str:
        """The function that decides about retraining."""
        return f"{self.base}-governor"

    @property
    def governor_arn(self) -> str:
        """Its ARN."""
        where = f"{self.environment.region}:{self.environment.account}"
        return f"arn:aws:lambda:{where}:function:{self.governor}"

    @property
    def ledger(self) -> str:
        """The table of the governor's decisions."""
        return f"{self.base}-retraining"

    @property
    def endpoint_logs(self) -> str:
        """The log group that SageMaker writes what the endpoint's containers say to."""
        return f"/aws/sagemaker/Endpoints/{self.base}"

    @property
    def receipts_prefix(self) -> str:
        """Deploy receipts in the registry bucket, named by their moment."""
        return f"{self.model}/receipts/"

    @staticmethod
    def baseline_file(baseline_uri: str) -> str:
        """The baseline document inside a run's baseline folder."""
        return f"{baseline_uri.rstrip('/')}/{BASELINE_FILE}"
