"""What tests do with a variant that is a scalable target."""

from datetime import timedelta

MINUTE = timedelta(minutes=1)


class Scaling:
    """An endpoint's variant as a scalable target, and what is done to it."""

    def __init__(self, live, namespace):
        self.namespace = namespace
        self.live, self.client = live, live.cloud.client("application-autoscaling")
        self.resource_id = f"endpoint/{live.name}/variant/main"
        self.identity = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": self.resource_id,
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }

    def register(self, least=1, most=4, **more):
        answer = self.client.register_scalable_target(**self.identity, MinCapacity=least, MaxCapacity=most, **more)
        self.live.cloud.settle()
        return answer["ScalableTargetARN"]

    def track(self, target_value, name="requests", **more):
        metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
        return self.put(
            name,
            "TargetTrackingScaling",
            {"TargetValue": target_value, "PredefinedMetricSpecification": metric} | more,
        )

    def step(self, adjustments, name="steps", adjustment_type="ChangeInCapacity", **more):
        steps = {"AdjustmentType": adjustment_type, "StepAdjustments": adjustments} | more
        return self.put(name, "StepScaling", steps)["PolicyARN"]

    def put(self, name, kind, config):
        member = f"{kind}PolicyConfiguration"
        return self.client.put_scaling_policy(**self.identity, PolicyName=name, PolicyType=kind, **{member: config})

    def activities(self, **more):
        return self.client.describe_scaling_activities(
            ServiceNamespace="sagemaker", ResourceId=self.resource_id, **more
        )["ScalingActivities"]

    def targets(self):
        found = self.client.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[self.resource_id])
        return found["ScalableTargets"]

    def instances(self):
        (variant,) = self.live.describe()["ProductionVariants"]
        assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"]
        return variant["CurrentInstanceCount"]

    def processes(self):
        return len({self.live.ask()["pid"] for _ in range(8)})

    def traffic(self, requests, minutes=1):
        """So many requests in each of the next minutes; returns when the last is over."""
        for _ in range(minutes):
            for _ in range(requests):
                self.live.ask()
            self.pass_minute()

    def pass_minute(self):
        self.live.cloud.advance(self.live.cloud.now().replace(second=0, microsecond=0) + MINUTE)

    def ring(self, name, *actions, threshold=10.0, value=None):
        """An alarm of the test's own on a metric of its own, which goes off at once."""
        cloudwatch = self.live.cloud.client("cloudwatch")
        cloudwatch.put_metric_alarm(
            AlarmName=f"{self.namespace}-{name}",
            Namespace=self.namespace,
            MetricName=name,
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=threshold,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=list(actions),
        )
        self.publish(name, threshold + 1 if value is None else value)

    def publish(self, name, value):
        data = [{"MetricName": name, "Value": value, "Timestamp": self.live.cloud.now()}]
        self.live.cloud.client("cloudwatch").put_metric_data(Namespace=self.namespace, MetricData=data)
        self.live.cloud.settle()
