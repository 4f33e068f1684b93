"""A model's life as its owner, people on call and CI live it: every command as it is typed, everything asked of AWS.

Its chapters are fixtures, in `conftest.py`.
"""

import json
import re
from datetime import UTC, datetime

import pytest

from tests.flow.life import MODEL, STACKS

pytestmark = pytest.mark.local_cloud
PLATFORM, STACK = STACKS


def test_a_first_deploy_has_no_endpoint(provisioned):
    assert provisioned.endpoints == []


def test_labelled_data_starts_a_training_when_there_is_enough_of_it_and_not_before(trained):
    assert trained.versions_after_each_month == [[], [1]]
    first, second = trained.decisions
    assert (first["start"], first["reason"].split(": ")[1]) == (
        False,
        "1500 new row(s) since the last run was started, 2000 needed",
    )
    assert (second["start"], second["started_by"]) == (True, "new-data")


def test_a_trained_version_waits_for_approval_with_its_metrics_and_its_data(trained):
    for words in ("Pending", "auc 0.8", "2020-01 2020-02", "new-data"):
        assert words in trained.listed


def test_after_promotion_and_deploy_verify_finds_what_is_declared_live(released):
    code, out, err = released.verified
    assert (code, err) == (0, "")
    receipt, verified = out.splitlines()
    assert receipt.startswith(f"receipt: s3://flow-local-registry-123456789012/{MODEL}/receipts/")
    assert verified == f"{MODEL} in local is live as declared: {released.configuration}"


def test_the_endpoint_answers_every_row_with_a_score(released):
    assert len(released.scores) == 600
    assert all(0 < score < 1 for score in released.scores)
    assert len(set(released.scores)) > 1


def test_requests_and_answers_are_captured_as_they_were(drifted, released):
    (record,) = drifted.captured
    asked, answered = (record["captureData"][end]["data"] for end in ("endpointInput", "endpointOutput"))
    assert len(asked.splitlines()) == 600
    assert [float(line) for line in answered.splitlines()] == released.scores


def test_the_drift_report_names_what_has_moved_and_the_alarms_are_raised(drifted):
    assert (drifted.report["status"], drifted.report["drifted_features"]) == ("drift", ["age"])
    assert drifted.report["records"]["rows"] == 600
    assert "drift-features" in drifted.alarms


def test_the_windows_answers_are_explained_beside_the_training_rows(drifted):
    explained = drifted.report["explanations"]
    assert explained["rows"] == 100
    assert {each["name"] for each in explained["mean_absolute"]} == {"age", "visits"}
    assert explained["mean_absolute"][0]["name"] == "visits"
    assert "What the model goes by" in drifted.page


def test_drift_starts_one_training_and_never_a_second_beside_it(drifted):
    started = [decision for decision in drifted.decisions if decision["start"]]
    assert len(started) == 1
    assert started[0]["reason"].startswith(f"alarm flow-local-{MODEL}-drift-")
    assert all("still in flight" in decision["reason"] for decision in drifted.decisions if decision not in started)
    assert drifted.versions == [1, 2]


def test_labels_that_arrive_a_day_late_tell_how_wrong_the_answers_were_and_the_alarm_is_raised(judged):
    early, not_yet = judged.before
    assert (early["status"], early["labelled_rows"], not_yet) == ("not-enough-labels", 0, [])
    assert (judged.report["status"], judged.report["labelled_rows"]) == ("worse", 600)
    auc, watched = judged.report["metrics"]["auc"], judged.report["watched"]
    assert auc["high"] < watched["limit"] == pytest.approx(watched["baseline"] - 0.1)
    ((_, at, reason),) = judged.raised
    assert at.date() == datetime(2020, 3, 3, tzinfo=UTC).date()
    assert f"was less than the threshold ({watched['limit']})" in reason


def test_a_fall_of_quality_starts_one_training_as_drift_does(judged):
    started = [decision for decision in judged.decisions if decision["start"]]
    assert [decision["reason"] for decision in started] == [f"alarm flow-local-{MODEL}-quality"]
    assert judged.versions == [1, 2, 3]


def test_a_retrained_version_is_approved_without_a_person_where_it_passes_every_gate_and_the_reason_is_kept(refused):
    new, drift, quality = refused.approvals
    assert new == ("1", False, "started by new-data; without a person only what drift or quality started")
    assert drift[:2] == ("2", True)
    assert re.fullmatch(
        r"auc (0\.8\d+) \(at least 0\.6 asked\), against the live model's \1 \(0 better asked\); started by drift",
        drift[2],
    )
    assert quality == ("3", False, "1 approved without a person this month already, 1 allowed")


def test_the_months_costs_stop_a_start_even_a_persons_and_the_reason_has_the_figures(refused, judged):
    assert (refused.decision["start"], refused.decision["started_by"]) == (False, "person")
    spent, expected = map(float, re.findall(r"cost (?:about )?\$([\d.]+)", refused.decision["reason"]))
    assert spent > expected > 0.01
    assert refused.decision["reason"].endswith(", and $0.05 are allowed a month")
    assert {one["version"] for one in json.loads(refused.told)["approvals"]} == {"1", "2", "3"}
    assert judged.versions == [1, 2, 3]


def test_verify_fails_with_the_difference_after_somebody_changed_the_endpoint_by_hand(broken, released):
    code, out, err = broken.verified
    assert (code, out.split(":")[0]) == (1, "receipt")
    assert err.splitlines() == [
        f"{MODEL} in local is not as declared:",
        f"  endpoint configuration: declared {released.configuration}, live by-hand",
        "  capture percent: declared 100, live 0",
    ]


def test_the_next_release_puts_it_right_and_keeps_the_configuration_to_go_back_to(released_again):
    code, _, err = released_again.verified
    assert (code, err) == (0, "")
    assert released_again.live != released_again.before
    assert released_again.configurations == {released_again.live, released_again.before}


def test_a_second_plan_has_nothing_to_change(released_again):
    assert released_again.changes == {PLATFORM: "", STACK: ""}


def test_one_of_two_deploys_at_once_gets_the_states_lock_and_the_other_its_error(rolled_back, released_again):
    code, out, err = rolled_back.contended
    assert code == 1
    assert "Error acquiring the state lock" in out + err
    assert rolled_back.configuration_after_contention == released_again.live


def test_a_rollback_brings_back_what_was_live_before_and_verifies_it(rolled_back, released):
    code, out, err = rolled_back.finished
    assert (code, err) == (0, "")
    assert f"{MODEL} is back at version 1" in out
    assert f"{MODEL} in local is live as declared: {released.configuration}" in out
    assert rolled_back.live == released.configuration


def test_a_rollback_orphans_nothing_and_leaves_nothing_to_change(rolled_back, released_again):
    assert rolled_back.configurations == {rolled_back.live, released_again.live}
    assert rolled_back.changes == ""


def test_every_deploy_left_one_receipt_the_difference_that_was_found_among_them(rolled_back):
    rows = [
        [cell.strip() for cell in line.split("│")[1:-1]] for line in rolled_back.receipts.splitlines() if "│" in line
    ]
    told = [(by, before, after, verified[:3]) for _, by, before, after, _, verified in rows if after]
    assert told == [
        ("grace", "2", "1", "yes"),
        ("ada", "1", "2", "yes"),
        ("ada", "1", "1", "no:"),
        ("ada", "nothing", "1", "yes"),
    ]


def test_no_role_and_no_service_lacked_a_grant(looked_back_on):
    assert [call for call in looked_back_on.calls if call.refused] == []


def test_every_role_did_something_and_nothing_was_done_to_what_is_not_known(looked_back_on):
    assert looked_back_on.allowed.keys() <= looked_back_on.used.keys()
    by_name = {call.action for call in looked_back_on.calls if call.role and not call.resources}
    assert by_name <= {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData", "cloudwatch:GetMetricData"}


def test_every_action_that_a_role_is_allowed_was_used_or_is_listed_with_its_reason(life, looked_back_on):
    idle = {role: actions - looked_back_on.used.get(role, set()) for role, actions in looked_back_on.allowed.items()}
    assert {role: actions for role, actions in idle.items() if actions} == life.grants_not_used()


def test_after_retire_and_destroy_nothing_is_left(gone):
    assert "3 versions deleted" in gone.retired
    assert gone.left == []


def test_verify_after_destroy_fails_because_the_lock_still_wants_an_endpoint(gone):
    code, _, err = gone.verified
    assert code == 1
    assert "live does not exist" in err
