from hypothesis import given
from hypothesis import strategies as st

from infra.config.tree import Node, key_path, merge, parse_key_path

KEYS = st.sampled_from("abcd")
SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3)
LISTS = st.lists(SCALARS, max_size=3)
ANYTHING = st.recursive(SCALARS | LISTS, lambda below: st.dictionaries(KEYS, below, max_size=3), max_leaves=8)
MAPPINGS = st.dictionaries(KEYS, ANYTHING, max_size=4)
# One shape: what is a mapping in one file is a mapping in every file.
LEAVES = SCALARS | LISTS
SECTIONS = st.dictionaries(st.sampled_from("xyz"), LEAVES, max_size=3)
SAME_SHAPE = st.fixed_dictionaries(
    {}, optional={"a": LEAVES, "b": SECTIONS, "c": st.dictionaries(st.just("d"), SECTIONS)}
)


def node(value):
    if isinstance(value, dict):
        return Node({key: node(child) for key, child in value.items()})
    return Node([node(child) for child in value]) if isinstance(value, list) else Node(value)


def merged(*values):
    result = node(values[0])
    for value in values[1:]:
        result = merge(result, node(value))
    return result.plain()


@given(MAPPINGS)
def test_an_empty_overlay_changes_nothing(base):
    assert merged(base, {}) == base


@given(MAPPINGS, MAPPINGS)
def test_mappings_merge_key_by_key(base, overlay):
    result = merged(base, overlay)
    assert set(result) == set(base) | set(overlay)
    for key in set(base) ^ set(overlay):
        assert result[key] == (base | overlay)[key]


@given(MAPPINGS, KEYS, LISTS | SCALARS)
def test_lists_and_values_replace_null_and_zero_included(base, key, value):
    assert merged(base, {key: value})[key] == value


@given(MAPPINGS, MAPPINGS)
def test_laying_the_same_overlay_twice_changes_nothing_more(base, overlay):
    assert merged(base, overlay, overlay) == merged(base, overlay)


@given(SAME_SHAPE, SAME_SHAPE, SAME_SHAPE)
def test_overlays_of_one_shape_can_be_joined_first(base, first, second):
    assert merged(base, first, second) == merged(base, merged(first, second))


@given(
    st.tuples(st.sampled_from(["features", "data"])), st.lists(st.sampled_from(["numeric", "x-y"]) | st.integers(0, 99))
)
def test_a_key_path_is_read_as_it_was_written(first, rest):
    path = (*first, *rest)
    assert parse_key_path(key_path(path)) == path
