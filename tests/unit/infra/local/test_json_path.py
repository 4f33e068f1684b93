import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.jobs.json_path import JsonPath, PathError

RECORD = {"id": 7, "features": [1, 2, 3], "a b": {"c": "x"}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", RECORD),
        ("$.id", 7),
        ("$['id']", 7),
        ('$["a b"].c', "x"),
        ("$['id','features']", {"id": 7, "features": [1, 2, 3]}),
        ("$.features[0]", 1),
        ("$.features[-1]", 3),
        ("$.features[0, 2]", [1, 3]),
        ("$.features[1:]", [2, 3]),
        ("$.features[:-1]", [1, 2]),
    ],
)
def test_a_path_selects_as_in_awss_examples(path, found):
    assert JsonPath.parse(path).select(RECORD) == found


@pytest.mark.parametrize("path", ["", "id", "$.", "$.*", "$[?(@.a)]", "$..id", "$[", "$['a]", "$.id extra"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(PathError, match="is no path"):
        JsonPath.parse(path)


@pytest.mark.parametrize("path", ["$.nothing", "$.features[9]", "$.features.id", "$[0]", "$.id[1:]"])
def test_a_path_that_leads_nowhere_says_so(path):
    with pytest.raises(PathError, match="leads nowhere"):
        JsonPath.parse(path).select(RECORD)


@given(st.text("$.[]'\",:0-9a*? ", max_size=20))
def test_any_text_is_a_path_or_refused(text):
    try:
        JsonPath.parse(text)
    except PathError:
        return
    assert text.startswith("$")


@given(st.lists(st.integers(), max_size=6), st.integers(-7, 7), st.integers(-7, 7))
def test_slices_are_those_of_a_list(values, start, stop):
    assert JsonPath.parse(f"$[{start}:{stop}]").select(values) == values[start:stop]


@given(st.dictionaries(st.text("abc_", min_size=1), st.integers(), min_size=1))
def test_any_name_can_be_quoted(record):
    for name, value in record.items():
        assert JsonPath.parse(f"$[{json.dumps(name)}]").select(record) == value
