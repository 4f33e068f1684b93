"""Waivers: what a file may say, and what they do to findings."""

from datetime import date, timedelta

import pytest

from infra.config import ConfigError, Waiver, load_waivers, project_root
from infra.plan.finding import Finding
from infra.plan.waiving import judge

GOOD = """waivers:
  - rule: CKV_AWS_144
    resources: "*-platform/aws_s3_bucket.*"
    reason: A region that is gone takes the endpoints with it.
    owner: platform@example.com
    expires: 2027-06-30
"""
LAST_DAY = date(2027, 6, 30)
FINDING = Finding("CKV_AWS_144", "prod-platform/aws_s3_bucket.data", "is not replicated")


@pytest.fixture
def waivers(tmp_path):
    def read(text):
        (tmp_path / "waivers.yaml").write_text(text, encoding="utf-8")
        return load_waivers(tmp_path)

    return read


def waiver(**changes):
    plain = {
        "rule": FINDING.rule,
        "resources": FINDING.resource,
        "reason": "a reason that is long enough",
        "owner": "platform@example.com",
        "expires": LAST_DAY,
    }
    return Waiver(**(plain | changes))


def test_a_file_says_what_is_waived_why_by_whom_and_until_when(waivers):
    (one,) = waivers(GOOD)
    assert (one.rule, one.owner, one.expires) == ("CKV_AWS_144", "platform@example.com", LAST_DAY)


def test_a_project_needs_no_waivers(tmp_path):
    assert load_waivers(tmp_path) == ()


def test_the_projects_own_waivers_are_valid():
    assert load_waivers(project_root())


@pytest.mark.parametrize(
    ("wrong", "instead", "told"),
    [
        ("expires: 2027-06-30", "expires: someday", "waivers.yaml:6: waivers[0].expires"),
        ("    expires: 2027-06-30\n", "", "waivers[0].expires"),
        (
            "owner: platform@example.com",
            "owner: somebody",
            """waivers[0].owner is "somebody" but must be an e-mail address""",
        ),
        ("reason: A region that is gone takes the endpoints with it.", "reason: later", "waivers[0].reason"),
        ("rule: CKV", "rules: CKV", "waivers[0].rules is not a known key: did you mean rule"),
        ("waivers:", "waiver:", "did you mean waivers"),
    ],
)
def test_a_waiver_without_reason_owner_or_day_is_refused_with_its_place(waivers, wrong, instead, told):
    with pytest.raises(ConfigError) as refused:
        waivers(GOOD.replace(wrong, instead))
    assert told in str(refused.value)


def test_a_waiver_holds_on_its_last_day():
    verdict = judge([FINDING], [waiver()], today=LAST_DAY)
    assert [finding for finding, _ in verdict.waived] == [FINDING]
    assert list(verdict.problems(everywhere=True)) == []


def test_a_day_later_the_gate_fails_for_the_finding_and_the_waiver():
    verdict = judge([FINDING], [waiver()], today=LAST_DAY + timedelta(days=1))
    told = list(verdict.problems(everywhere=True))
    assert len(told) == 2
    assert "expired on 2027-06-30" in told[1]


def test_an_expired_waiver_fails_the_gate_even_if_nothing_needs_it():
    assert judge([], [waiver()], today=LAST_DAY + timedelta(days=1)).expired


def test_a_waiver_that_covers_nothing_fails_the_gate():
    assert [
        problem for problem in judge([], [waiver()], today=LAST_DAY).problems(everywhere=True) if "remove it" in problem
    ]


def test_of_one_environment_alone_nobody_can_say_that_a_waiver_is_not_needed():
    assert list(judge([], [waiver()], today=LAST_DAY).problems(everywhere=False)) == []


@pytest.mark.parametrize("other", [{"rule": "CKV_AWS_1"}, {"resources": "dev-*"}])
def test_a_waiver_covers_its_own_rule_and_resources_only(other):
    assert judge([FINDING], [waiver(**other)], today=LAST_DAY).failed == (FINDING,)
