"""Weights come back from AWS as they were sent, or are refused with a number that would."""

import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.config import ShadowConfig, VariantConfig
from infra.config.instance import has_gpu


def kept(weight):
    return struct.unpack("f", struct.pack("f", weight))[0]


@given(st.floats(min_value=0, allow_nan=False, allow_infinity=False))
def test_a_weight_is_taken_just_when_aws_keeps_it(weight):
    try:
        variant = VariantConfig(name="other", version=2, weight=weight)
    except ValidationError as error:
        assert "AWS keeps weights as 32-bit numbers" in str(error)  # noqa: PT017 - not always raised
        with pytest.raises((OverflowError, AssertionError)):
            assert kept(weight) == weight
    else:
        assert kept(variant.weight) == variant.weight


@given(st.floats(min_value=0, max_value=100, exclude_min=True))
def test_a_refused_share_of_the_shadow_comes_with_one_that_is_taken(percent):
    try:
        shadow = ShadowConfig(version=2, percent=percent)
    except ValidationError as error:
        nearest = float(re.search(r"take ([0-9.e-]+)", str(error))[1])
        shadow = ShadowConfig(version=2, percent=nearest)
        assert abs(shadow.percent - percent) <= 100 / 64
    assert kept(shadow.weight) == shadow.weight


@pytest.mark.parametrize(
    ("instance_type", "expected"),
    [("ml.g5.xlarge", True), ("ml.gr6.4xlarge", True), ("ml.p4d.24xlarge", True), ("ml.m5.large", False)],
)
def test_an_instance_with_a_gpu_is_known_by_its_family(instance_type, expected):
    assert has_gpu(instance_type) is expected
