import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.provider import schema
from infra.provider.arguments import Arguments, describe, is_computed_only, required

BLOCK = {
    "attributes": {
        "name": {"type": "string", "required": True},
        "arn": {"type": "string", "computed": True},
        "size": {"type": "number", "optional": True},
        "enabled": {"type": "bool", "optional": True, "computed": True},
        "tags": {"type": ["map", "string"], "optional": True},
        "zones": {"type": ["set", "string"], "optional": True},
        "routes": {"type": ["list", ["object", {"to": "string", "cost": "number"}]], "optional": True},
    },
    "block_types": {
        "rule": {
            "nesting_mode": "list",
            "min_items": 1,
            "max_items": 2,
            "block": {"attributes": {"key": {"type": "string", "required": True}}},
        },
        "logging": {
            "nesting_mode": "list",
            "max_items": 1,
            "block": {"attributes": {"level": {"type": "string", "optional": True}}},
        },
        "timeouts": {
            "nesting_mode": "single",
            "block": {"attributes": {"create": {"type": "string", "optional": True}}},
        },
    },
}
ENOUGH = {"name": "x", "rule": {"key": "a"}}


def problems(**given_arguments):
    arguments = Arguments()
    arguments.block(BLOCK, ENOUGH | given_arguments)
    return arguments.problems


def plain(**given_arguments):
    arguments = Arguments()
    result = arguments.block(BLOCK, ENOUGH | given_arguments)
    assert arguments.problems == []
    return result


@pytest.mark.parametrize(
    ("given_arguments", "problem"),
    [
        ({"nmae": "x"}, "nmae is not an argument here: did you mean name?"),
        ({"Tags": {}}, "Tags is not an argument here: did you mean tags?"),
        ({"wholly_other": 1}, "wholly_other is not an argument here"),
        ({"arn": "a"}, "arn is set by AWS, it can only be read: remove it"),
        ({"name": 5}, 'name is 5 (int), expected a string: write "5"'),
        ({"name": True}, 'name is True (bool), expected a string: write "true"'),
        ({"size": "5"}, "size is '5' (str), expected a number"),
        ({"size": True}, "size is True (bool), expected a number"),
        ({"enabled": 1}, "enabled is 1 (int), expected a bool"),
        ({"tags": ["a"]}, "tags is a list, expected a dict of strings"),
        ({"tags": {"a": 1}}, 'tags.a is 1 (int), expected a string: write "1"'),
        ({"tags": {"a": None}}, "tags.a is None (NoneType), expected a string"),
        ({"zones": "a"}, "zones is 'a' (str), expected a list of strings: write [\"a\"]"),
        ({"zones": {"a"}}, "zones is {'a'} (set), expected a list of strings: a set has no order, give a sorted list"),
        ({"zones": ["a", 1]}, 'zones[1] is 1 (int), expected a string: write "1"'),
        ({"routes": [{"to": "x"}]}, "routes[0].cost is missing, and required"),
        ({"routes": [{"to": "x", "cost": 1, "via": ""}]}, "routes[0].via is not an argument here"),
        ({"rule": "x"}, "rule is 'x' (str), expected a dict (or a list of dicts)"),
        ({"rule": ["x"]}, "rule is a list, expected a dict (or a list of dicts)"),
        ({"rule": []}, "rule has 0 blocks, expected 1 to 2"),
        ({"rule": [{"key": "a"}] * 3}, "rule has 3 blocks, expected 1 to 2"),
        ({"rule": [{"key": "a"}, {}]}, "rule[1].key is missing, and required"),
        ({"logging": [{}, {}]}, "logging has 2 blocks, expected at most 1"),
        ({"logging": {"levle": "x"}}, "logging.levle is not an argument here: did you mean level?"),
        ({"timeouts": [{}, {}]}, "timeouts has 2 blocks, expected at most 1"),
    ],
)
def test_what_the_schema_refuses_is_named_with_its_path_the_rule_and_the_fix(given_arguments, problem):
    assert problems(**given_arguments) == [problem]


def test_everything_wrong_is_told_at_once():
    arguments = Arguments()
    arguments.block(BLOCK, {"arn": "a", "size": "x"})
    assert [problem.split()[0] for problem in arguments.problems] == ["arn", "size", "name", "rule"]


def test_none_is_not_given_and_zero_false_and_empty_are():
    assert plain(size=0, enabled=False, tags={}, zones=[]) == {
        "name": "x",
        "rule": [{"key": "a"}],
        "size": 0,
        "enabled": False,
        "tags": {},
        "zones": [],
    }
    assert plain(size=None, enabled=None, tags=None, logging=None) == {"name": "x", "rule": [{"key": "a"}]}


def test_a_required_argument_given_as_none_is_missing():
    assert problems(name=None) == ["name is missing, and required"]


def test_a_block_of_which_there_is_one_is_an_object_however_it_was_given():
    assert plain(logging={"level": "x"})["logging"] == plain(logging=[{"level": "x"}])["logging"] == {"level": "x"}


def test_a_block_of_which_there_can_be_many_is_a_list_however_it_was_given():
    assert plain(rule={"key": "a"})["rule"] == plain(rule=({"key": "a"},))["rule"] == [{"key": "a"}]


def test_an_empty_list_of_blocks_is_no_block():
    assert "logging" not in plain(logging=[])


def test_tuples_become_lists():
    assert plain(zones=("a", "b"))["zones"] == ["a", "b"]


@pytest.mark.parametrize("name", ["size", "enabled", "tags", "zones", "routes"])
def test_a_reference_stands_for_any_value(name):
    assert plain(**{name: "${TfToken[TOKEN.1]}"})[name] == "${TfToken[TOKEN.1]}"


def test_types_are_described_in_words():
    assert describe("number") == "number"
    assert describe(["map", ["set", "string"]]) == "dict of lists of strings"
    assert describe(["list", ["object", {}]]) == "list of dicts"


VALUES = {
    "string": st.text(max_size=5),
    "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "dynamic": st.none(),
}


def values(expected):
    match expected:
        case ["list" | "set", element]:
            return st.lists(values(element), max_size=2)
        case ["map", element]:
            return st.dictionaries(st.text(max_size=3), values(element), max_size=2)
        case ["object", fields]:
            return st.fixed_dictionaries({name: values(field) for name, field in fields.items()})
    return VALUES[expected]


def blocks(block):
    must, may = {}, {}
    for name, attribute in block.get("attributes", {}).items():
        if not is_computed_only(attribute):
            (must if attribute.get("required") else may)[name] = values(attribute["type"])
    for name, nested in block.get("block_types", {}).items():
        low = nested.get("min_items", 0)
        high = nested.get("max_items", 1 if nested["nesting_mode"] == "single" else 2)
        (must if low else may)[name] = st.lists(blocks(nested["block"]), min_size=low, max_size=min(high, low + 1))
    return st.fixed_dictionaries(must, optional=may)


SMALL = [
    "aws_sagemaker_endpoint",
    "aws_sagemaker_endpoint_configuration",
    "aws_cloudwatch_metric_alarm",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_security_group",
]


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_whatever_fits_the_schema_is_accepted_and_stays_as_it_is_when_checked_again(data):
    block = schema.block("resource", data.draw(st.sampled_from(SMALL)))
    once = Arguments()
    result = once.block(block, data.draw(blocks(block)))
    again = Arguments()
    assert again.block(block, result) == result
    assert once.problems == again.problems == []


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_leaving_out_a_required_argument_or_adding_one_is_always_noticed(data):
    block = schema.block("resource", data.draw(st.sampled_from(SMALL[:3])))
    fitting = data.draw(blocks(block))
    for name in required(block):
        arguments = Arguments()
        arguments.block(block, {key: value for key, value in fitting.items() if key != name})
        assert arguments.problems == [f"{name} is missing, and required"]
    arguments = Arguments()
    arguments.block(block, fitting | {"zzzzzz": 1})
    assert arguments.problems == ["zzzzzz is not an argument here"]
