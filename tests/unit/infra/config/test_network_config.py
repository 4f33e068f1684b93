"""The network that an environment's file asks for."""

from ipaddress import IPv4Network
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config import ConfigError, CreatedNetwork, load_environment, load_model
from infra.config.network import Zone

ZONES = get_args(Zone)
PROD = """
prefix: acme
account: "123456789012"
region: eu-central-1
state: {kind: s3, bucket: acme-terraform-state}
network: {kind: create}
"""
WITH_AN_ARCHIVE = """
endpoint:
  kind: inference-pipeline
  before:
    - name: lookup
      image: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/acme/lookup:1.4"
      model_archive: s3://acme-lookup/1/model.tar.gz
monitoring: {drift: null}
retraining: {on_drift: false}
"""


@given(prefix=st.integers(16, 25), block=st.integers(0, 2**8 - 1))
def test_zones_share_the_addresses_out_without_overlap(prefix, block):
    whole = IPv4Network(f"10.{block}.0.0/{prefix}")
    network = CreatedNetwork(kind="create", cidr=str(whole), zones=ZONES)
    subnets = [IPv4Network(network.subnet(zone)) for zone in ZONES]
    assert all(subnet.subnet_of(whole) and subnet.prefixlen <= 28 for subnet in subnets)
    assert not any(a.overlaps(b) for a in subnets for b in subnets if a is not b)


def test_another_zone_moves_no_subnet():
    few, many = (CreatedNetwork(kind="create", zones=zones) for zones in (("b",), ("a", "b", "c")))
    assert few.subnet("b") == many.subnet("b")


def test_an_archive_that_the_network_has_no_way_to_is_refused_with_the_way_to_open_one(files):
    files.write("infra/environments/prod.yaml", PROD)
    files.model("churn", WITH_AN_ARCHIVE)
    with pytest.raises(ConfigError) as caught:
        load_model("churn", load_environment("prod", files.root), files.root)
    assert str(caught.value) == (
        "infra/models/churn.yaml:12: endpoint.before[0].model_archive is in the bucket acme-lookup, which the network "
        "of prod has no way to: add it to other_buckets in environments/prod.yaml"
    )
    files.write("infra/environments/prod.yaml", f"{PROD}other_buckets: [acme-lookup]\n")
    assert load_model("churn", load_environment("prod", files.root), files.root).name == "churn"
