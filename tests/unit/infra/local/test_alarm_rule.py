import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.alarms.composite_rule import AlarmRule

STATES = {"drift": "ALARM", "errors": "OK", "silence": "INSUFFICIENT_DATA", "my alarm (prod)": "ALARM"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("ALARM(drift)", True),
        ("OK(drift)", False),
        ("INSUFFICIENT_DATA(silence)", True),
        ('ALARM("my alarm (prod)")', True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:drift)", True),
        ("ALARM(drift) AND NOT ALARM(errors)", True),
        ("ALARM(errors) OR OK(errors)", True),
        ("ALARM(drift) AND (ALARM(errors) OR ALARM(silence))", False),
        ("ALARM(errors) AND ALARM(errors) OR ALARM(drift)", True),
        ("NOT (ALARM(errors) OR ALARM(silence))", True),
        ("NOT NOT TRUE", True),
        ("FALSE", False),
        (" ALARM ( drift )\nAND TRUE ", True),
    ],
)
def test_a_rule_holds_when_its_logic_says_so(rule, holds):
    assert AlarmRule.parse(rule).holds(STATES) is holds


def test_a_rule_knows_the_alarms_it_speaks_of():
    assert AlarmRule.parse('ALARM(a) AND NOT OK("b c")').names == {"a", "b c"}


@pytest.mark.parametrize(
    "rule", ["", "ALARM()", "ALARM(a) AND", "ALARM(a) ALARM(b)", "(ALARM(a)", "BROKEN(a)", "NOT", "a OR b"]
)
def test_a_wrong_rule_is_refused_with_the_place(rule):
    with pytest.raises(ValueError, match="not understood at position"):
        AlarmRule.parse(rule)


ATOMS = st.tuples(st.sampled_from(["ALARM", "OK", "INSUFFICIENT_DATA"]), st.sampled_from(sorted(STATES)))
TREES = st.recursive(
    ATOMS.map(lambda atom: (f'{atom[0]}("{atom[1]}")', STATES[atom[1]] == atom[0])),
    lambda inner: st.one_of(
        inner.map(lambda a: (f"NOT ({a[0]})", not a[1])),
        st.tuples(inner, inner).map(lambda p: (f"({p[0][0]}) AND ({p[1][0]})", p[0][1] and p[1][1])),
        st.tuples(inner, inner).map(lambda p: (f"({p[0][0]}) OR ({p[1][0]})", p[0][1] or p[1][1])),
    ),
    max_leaves=8,
)


@given(TREES)
def test_any_tree_of_logic_means_what_python_says(tree):
    text, expected = tree
    assert AlarmRule.parse(text).holds(STATES) == expected
