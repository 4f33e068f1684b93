"""What a family of instances has, by its name."""

import pytest

from infra.config.instance import has_gpu, has_local_disk


@pytest.mark.parametrize(
    "instance_type",
    [
        *("ml.m5d.large", "ml.c5d.xlarge", "ml.r6gd.large", "ml.m6id.large", "ml.g4dn.xlarge", "ml.g5.xlarge"),
        *("ml.g6e.xlarge", "ml.gr6.4xlarge", "ml.p4d.24xlarge", "ml.p5en.48xlarge", "ml.trn1.2xlarge"),
    ],
)
def test_a_type_with_local_storage_has_a_disk_of_its_own(instance_type):
    assert has_local_disk(instance_type)


@pytest.mark.parametrize(
    "instance_type", ["ml.m5.large", "ml.c6g.xlarge", "ml.t3.medium", "ml.p3.2xlarge", "ml.inf2.xlarge", "ml.m5dx"]
)
def test_a_type_on_network_storage_has_none(instance_type):
    assert not has_local_disk(instance_type)


def test_a_disk_says_nothing_of_a_gpu():
    assert has_gpu("ml.p3.2xlarge")
    assert not has_gpu("ml.m5d.large")
