"""One model's whole life, month by month: the events of 2013 in the order they happened."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import numpy as np
import polars as pl

from infra.config import load_project
from infra.demo import flights, flow
from infra.demo.cloud import DemoCloud
from infra.demo.first_model import FirstModel
from infra.demo.leftovers import leftovers
from infra.demo.progress import Progress
from infra.demo.record import Event, Record
from infra.demo.traffic import Traffic
from infra.release.commands import approve, promote, verify
from infra.release.registry import Registry, Version
from infra.session import client
from training.metrics import auc

MODEL = "flight-delay"
ENVIRONMENT = "local"
FIRST_LIVE_MONTH = 4
TRICKLE_ROWS = 2_000
DRIFT_PAGE = "drift.html"


class Story:
    """Runs the demo against a local cloud that is up, and keeps the record."""

    def __init__(self, cloud: DemoCloud, record: Record, progress: Progress, folder: Path) -> None:
        self.environment = load_project(ENVIRONMENT).environment
        self.model = load_project(ENVIRONMENT).models[MODEL]
        self.names = self.environment.names.model(MODEL)
        self.cloud, self.record, self.progress, self.folder = cloud, record, progress, folder
        features = (*self.model.features.numeric, *self.model.features.categorical)
        self.traffic = Traffic(client(self.environment, "sagemaker-runtime"), self.names.base, features)
        self.drift_alarms = [f"{self.names.base}-drift-{what}" for what in ("features", "prediction")]
        self.registry = Registry(self.environment, MODEL)
        self.first: FirstModel | None = None

    def run(self, last_month: int) -> None:
        """Provision, train on winter, then live through the months until `last_month`."""
        with self.progress.step("Provision: key, buckets, registry, pipeline, governor (cdktf deploy)"):
            Thread(target=flights.flights, daemon=True).start()  # read the year meanwhile
            flow.deploy(f"{ENVIRONMENT}-platform", f"{ENVIRONMENT}-{MODEL}", log=self._log("deploy-0"))
        with self.progress.step("Winter's labelled flights arrive; the third month starts the pipeline"):
            for month in range(1, FIRST_LIVE_MONTH):
                self._labels_arrive(month, hour=2)
        for month in range(FIRST_LIVE_MONTH, last_month):
            self._release_what_was_trained(month)
            self._live_through(month)
        self._release_what_was_trained(last_month)
        with self._planned_again():  # nothing is deployed after this
            self._live_through(last_month)
        self._new_version()  # what the last month started is registered, and waits for a person
        self._ask_the_governor()
        self.record.requests_sent, self.record.requests_failed = self.traffic.sent, len(self.traffic.failures)

    def tear_down(self) -> None:
        """Destroy everything, and ask the cloud what is left."""
        with self.progress.step("Destroy everything that was deployed (cdktf destroy)") as done:
            self.registry.retire()
            flow.destroy(f"{ENVIRONMENT}-{MODEL}", f"{ENVIRONMENT}-platform", log=self._log("destroy"))
            left = leftovers(self.environment)
            self.record.resources_left = len(left)
            done(f"{len(left)} resources left" + "".join(f"\n    {name}" for name in left))

    def _live_through(self, month: int) -> None:
        name = flights.partition(month)
        with self.progress.step(f"{name}: flights ask the endpoint; labels arrive; the drift job runs") as done:
            self._serve_month(month)
            self._labels_arrive(month, hour=1)
            self._drift_job_runs(month)
            with_, without = self.record.auc_with[name], self.record.auc_without[name]
            done(f"AUC {with_:.3f}, {without:.3f} had it never been retrained{self._alarm_words(name)}")

    def _serve_month(self, month: int) -> None:
        """A week at a time, each at its own time, so that what is captured carries it."""
        rows = flights.month(month)
        scores = []
        for week in rows.with_columns(week=pl.col("scheduled_at").dt.day() // 8).partition_by(
            "week", maintain_order=True
        ):
            self.cloud.advance(week["scheduled_at"][0])
            scores.append(self.traffic.score(week))
        labels, served = rows["late"].to_numpy(), np.concatenate(scores)
        answered = ~np.isnan(served)
        name = flights.partition(month)
        self.record.auc_with[name] = round(auc(labels[answered], served[answered]), 4)
        self.record.auc_without[name] = round(auc(labels, self._first_model().score(rows)), 4)

    def _labels_arrive(self, month: int, *, hour: int) -> None:
        """The month's labelled flights, hours after it ended; the bucket's event reaches the governor."""
        name = flights.partition(month)
        self.cloud.advance(_month_start(month + 1) + timedelta(hours=hour))
        path = self.folder / f"{name}.parquet"
        flights.month(month).write_parquet(path)
        client(self.environment, "s3").upload_file(
            str(path), self.environment.names.bucket("data"), f"{self.names.data_prefix}{name}.parquet"
        )
        self._happened("data", f"labelled flights of {name}")
        self.cloud.settle()
        if self.model.retraining.new_data is not None:
            self.cloud.quiet_down(self.model.retraining.new_data)

    def _drift_job_runs(self, month: int) -> None:
        """The schedule is due at six in the morning of the next month's first day."""
        self.cloud.advance(_month_start(month + 1) + timedelta(hours=8))
        name = flights.partition(month)
        for alarm, at, reason in self.cloud.alarms_raised(self.drift_alarms)[len(self.record.alarms) :]:
            self.record.alarms.append({"name": alarm, "window": name, "reason": reason})
            self.record.events.append(Event(at, "alarm", f"{alarm}: {reason}"))
        self.record.drift = self.cloud.drift_reports(self.names)
        (self.folder / DRIFT_PAGE).write_bytes(self.cloud.drift_page(self.names))

    def _release_what_was_trained(self, month: int) -> None:
        """Approve, promote, deploy and verify a version that is new, while flights keep asking."""
        version = self._new_version()
        if version is None:
            return
        title = f"Version {version.number}: approve, promote, deploy, verify"
        with self.progress.step(title) as done, self._flights_keep_asking(month):
            with (self.folder / "commands.log").open("a") as log, redirect_stdout(log):
                self._release(version)
            done(f"trained on {_span(version)}, started by {version.properties['started_by']}")

    def _release(self, version: Version) -> None:
        """The commands that a person would type."""
        why = f"AUC {version.metrics['auc']:.3f} on the newest labelled days"
        approve(MODEL, version.number, why=why, by="demo", env=ENVIRONMENT)
        self._happened("approval", f"version {version.number}: {why}")
        promote(MODEL, version.number, by="demo", env=ENVIRONMENT)
        flow.deploy_alone(f"{ENVIRONMENT}-{MODEL}", log=self._log(f"deploy-{version.number}"))
        verify(MODEL, by="demo", env=ENVIRONMENT)
        self._happened("deploy", f"version {version.number} is live, verified")
        self.record.deploys.append({"version": version.number, "verified": True})

    def _new_version(self) -> Version | None:
        """The version that has been registered since the last look, if one has."""
        newest = next(iter(self.registry.versions()), None)
        if newest is None or any(known["version"] == newest.number for known in self.record.versions):
            return None
        self._trained(newest)
        return newest

    def _trained(self, version: Version) -> None:
        trained_on = version.properties["trained_on"].split()
        started_by = version.properties["started_by"]
        self.record.versions.append(
            {
                "version": version.number,
                "auc": round(version.metrics["auc"], 4),
                "trained_on": trained_on,
                "started_by": started_by,
            }
        )
        self._happened("training", f"version {version.number} on {_span(version)}, started by {started_by}")

    @contextmanager
    def _flights_keep_asking(self, month: int) -> Iterator[None]:
        """A steady trickle during a deploy; before the first there is no endpoint to ask."""
        if not self.record.deploys:
            yield
            return
        with self.traffic.trickle(flights.month(month).head(TRICKLE_ROWS)):
            yield

    def _ask_the_governor(self) -> None:
        """Why it did, and why it did not."""
        for at, decision in self.cloud.decisions(MODEL):
            verdict = "started" if decision["start"] else "not started"
            self.record.events.append(Event(at, "decision", f"retraining {verdict}: {decision['reason']}"))

    @contextmanager
    def _planned_again(self) -> Iterator[None]:
        """Terraform looks beside the last month whether what is live equals what is declared."""
        stacks = (f"{ENVIRONMENT}-platform", f"{ENVIRONMENT}-{MODEL}")
        with ThreadPoolExecutor(1) as beside:
            changes = beside.submit(flow.planned_changes, *stacks)
            yield
            with self.progress.step(
                "Planned again meanwhile: is what is live what is declared? (terraform plan)"
            ) as done:
                self.record.second_plan_changes = changes.result()
                done(f"{self.record.second_plan_changes} changes")

    def _first_model(self) -> FirstModel:
        """The model of the first deploy, fetched once it is live."""
        if self.first is None:
            url = self.registry.version(1).model_data_url
            self.first = FirstModel(client(self.environment, "s3"), url, self.folder)
        return self.first

    def _alarm_words(self, window: str) -> str:
        raised = [alarm["name"] for alarm in self.record.alarms if alarm["window"] == window]
        return f"; alarms: {', '.join(raised)}" if raised else ""

    def _happened(self, kind: str, what: str) -> None:
        self.record.events.append(Event(self.cloud.now(), kind, what))  # type: ignore[arg-type]

    def _log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"


def _span(version: Version) -> str:
    """The months it was trained on: the first and the last."""
    months = version.properties["trained_on"].split()
    return f"{months[0]} to {months[-1]}"


def _month_start(month: int) -> datetime:
    return datetime(2013 + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)
