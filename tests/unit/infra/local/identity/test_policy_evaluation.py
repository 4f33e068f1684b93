"""Whether an access is allowed: cases of AWS's own documentation, and what holds for any policies."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.identity.conditions import UnsupportedPolicyError, context
from infra.local.identity.evaluation import Policies, decide
from infra.local.identity.policy import Access, Principal, parse

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/jobs"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/jobs/SageMaker"
JOBS = Principal(SESSION, ACCOUNT, frozenset({ROLE, SESSION}))
EVENTS = Principal("events.amazonaws.com", ACCOUNT, service="events.amazonaws.com")
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NOTHING = EVERYTHING | {"Effect": "Deny"}
ACTIONS = ("s3:GetObject", "s3:PutObject", "sqs:SendMessage", "kms:Decrypt")
RESOURCES = ("arn:aws:s3:::data/a", "arn:aws:s3:::data/b/c", "arn:aws:sqs:eu-west-1:123456789012:q", "*")
PATTERNS = (*ACTIONS, "s3:*", "*", "s3:?etObject", "S3:getobject", "kms:*")
PLACES = (*RESOURCES, "arn:aws:s3:::data/*", "arn:aws:s3:::*", "arn:aws:sqs:*:*:q")

statements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])},
).flatmap(
    lambda effect: st.tuples(
        st.sampled_from(["Action", "NotAction"]),
        st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3),
        st.sampled_from(["Resource", "NotResource"]),
        st.lists(st.sampled_from(PLACES), min_size=1, max_size=3),
        st.sampled_from([{}, {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}]),
    ).map(lambda parts: effect | {parts[0]: parts[1], parts[2]: parts[3]} | parts[4])
)
documents = st.lists(statements, max_size=4)
accesses = st.builds(
    Access,
    st.just(JOBS),
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    st.sampled_from([{}, context(**{"aws:SourceAccount": ACCOUNT})]),
)


def policy(*given_statements):
    return parse(json.dumps({"Version": "2012-10-17", "Statement": list(given_statements)}))


def allowed(access, **policies):
    return decide(access, Policies(**policies)).allowed


def asked(action="s3:GetObject", resource=RESOURCES[0], principal=JOBS, **known):
    return Access(principal, action, resource, context(**known))


def test_without_a_policy_nothing_is_allowed_and_the_reason_is_aws_own_words():
    decision = decide(asked(), Policies())
    assert not decision.allowed
    assert decision.why_not == "because no identity-based policy allows the s3:GetObject action"


@given(documents, accesses)
def test_a_deny_of_everything_wins_over_any_policies(document, access):
    denied = policy(NOTHING)
    for policies in (
        Policies(identity=(policy(*document), denied)),
        Policies(identity=(policy(*document),), boundary=denied),
        Policies(identity=(policy(*document),), resource=denied),
    ):
        decision = decide(access, policies)
        assert not decision.allowed
        assert decision.why_not.startswith("with an explicit deny in a")


@given(documents, documents, accesses)
def test_more_that_allows_never_takes_away(document, more, access):
    allowing = [one for one in more if one["Effect"] == "Allow"]
    if allowed(access, identity=(policy(*document),)):
        assert allowed(access, identity=(policy(*document, *allowing),))


@given(documents, documents, accesses)
def test_the_order_of_statements_and_policies_says_nothing(one, other, access):
    forth = allowed(access, identity=(policy(*one), policy(*other)))
    assert forth == allowed(access, identity=(policy(*reversed(other)), policy(*reversed(one))))
    assert forth == allowed(access, identity=(policy(*one, *other),))


@given(documents, documents, accesses)
def test_a_boundary_allows_nothing_and_lets_pass_what_both_allow(document, limit, access):
    own, boundary = policy(*document), policy(*limit)
    both = allowed(access, identity=(own,)) and allowed(access, identity=(boundary,))
    assert allowed(access, identity=(own,), boundary=boundary) == both


@given(statements, accesses)
def test_a_statement_speaks_of_an_action_or_of_all_but_it(statement, access):
    element = next(name for name in statement if name.endswith("Action"))
    other = element.removeprefix("Not") if element.startswith("Not") else f"Not{element}"
    turned = {other if name == element else name: value for name, value in statement.items()}
    whole = policy({name: value for name, value in statement.items() if name != element})
    assert allowed(access, identity=(whole,)) == (
        allowed(access, identity=(policy(statement),)) or allowed(access, identity=(policy(turned),))
    )
    assert not (allowed(access, identity=(policy(statement),)) and allowed(access, identity=(policy(turned),)))


def test_an_action_is_read_in_any_case_and_a_resource_as_it_is_written():
    assert allowed(asked("S3:GETOBJECT"), identity=(policy(EVERYTHING | {"Action": "s3:getobject"}),))
    assert not allowed(asked(resource="arn:aws:s3:::DATA/a"), identity=(policy(EVERYTHING | {"Resource": PLACES[4]}),))


def test_what_is_not_known_of_a_resource_is_held_to_the_action_alone():
    only = (policy(EVERYTHING | {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*"}),)
    assert allowed(asked(resource=None), identity=only)
    assert not allowed(asked("s3:PutObject", resource=None), identity=only)


@pytest.mark.parametrize("principal", [{"AWS": ROLE}, {"AWS": [SESSION, "arn:aws:iam::1:root"]}, "*", {"AWS": "*"}])
def test_a_resources_own_policy_may_name_the_role_its_session_or_anybody(principal):
    assert allowed(asked(), resource=policy(EVERYTHING | {"Principal": principal}))


@pytest.mark.parametrize("principal", [{"AWS": f"{ROLE}2"}, {"Service": "sagemaker.amazonaws.com"}, {"AWS": "1"}])
def test_a_resources_own_policy_for_others_allows_nothing(principal):
    assert not allowed(asked(), resource=policy(EVERYTHING | {"Principal": principal}))


def test_a_boundary_limits_what_a_resource_allows_a_role():
    resource = policy(EVERYTHING | {"Principal": {"AWS": ROLE}})
    decision = decide(asked(), Policies(resource=resource, boundary=policy(EVERYTHING | {"Action": "sqs:*"})))
    assert decision.why_not == "because no permissions boundary allows the s3:GetObject action"


@pytest.mark.parametrize("root", [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"])
def test_a_key_or_a_role_that_leaves_it_to_the_account_takes_the_roles_own_policy_too(root):
    key = {"resource": policy(EVERYTHING | {"Principal": {"AWS": root}}), "resource_decides": True}
    access = asked("kms:Decrypt", "arn:aws:kms:eu-west-1:123456789012:key/1")
    assert not allowed(access, **key)
    assert allowed(access, **key, identity=(policy(EVERYTHING),))


def test_a_key_whose_policy_says_nothing_of_the_account_is_closed_to_roles():
    key = policy(EVERYTHING | {"Principal": {"Service": "logs.amazonaws.com"}})
    policies = Policies(identity=(policy(EVERYTHING),), resource=key, resource_decides=True)
    decision = decide(asked("kms:Decrypt"), policies)
    assert decision.why_not == "because no resource-based policy allows the kms:Decrypt action"


def test_a_service_is_allowed_by_a_resources_policy_that_names_it_under_its_conditions():
    rule = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/"
    queue = policy(
        EVERYTHING
        | {
            "Principal": {"Service": "events.amazonaws.com"},
            "Condition": {"ArnLike": {"aws:SourceArn": f"{rule}mine-*"}},
        }
    )
    for name, expected in (("mine-1", True), ("theirs", False)):
        access = asked("sqs:SendMessage", RESOURCES[2], EVENTS, **{"aws:SourceArn": f"{rule}{name}"})
        assert allowed(access, resource=queue) is expected
    decision = decide(asked("sqs:SendMessage", RESOURCES[2], EVENTS), Policies(resource=queue))
    assert decision.why_not == "because no resource-based policy allows the sqs:SendMessage action"


def test_an_account_that_is_named_is_not_a_service_of_that_account():
    resource = policy(EVERYTHING | {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}})
    assert not allowed(asked(principal=EVENTS), resource=resource)


def test_a_deny_for_everybody_but_one_spares_that_one():
    others = NOTHING | {"NotPrincipal": {"AWS": ROLE}}
    assert allowed(asked(), identity=(policy(EVERYTHING),), resource=policy(others))
    somebody = Principal("arn:aws:iam::123456789012:role/other", ACCOUNT, frozenset({"other"}))
    assert not allowed(asked(principal=somebody), identity=(policy(EVERYTHING),), resource=policy(others))


def test_a_single_statement_need_not_be_in_a_list():
    assert allowed(asked(), identity=(parse(json.dumps({"Statement": EVERYTHING})),))


@pytest.mark.parametrize(
    "statement",
    [
        EVERYTHING | {"Condition": {"StringMatches": {"aws:SourceAccount": "1"}}},
        EVERYTHING | {"Condition": {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}},
        EVERYTHING | {"Resource": "arn:aws:s3:::data/${aws:username}/*"},
    ],
)
def test_what_cannot_be_evaluated_is_said_and_not_passed_over(statement):
    with pytest.raises(UnsupportedPolicyError):
        allowed(asked(**{"aws:SourceAccount": "1"}), identity=(policy(statement),))
