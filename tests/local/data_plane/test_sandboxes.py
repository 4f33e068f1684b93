import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local import s3_files
from infra.local.engine import Sandbox, image_name


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-local/training:0a1b", "training"),
        ("localhost:5000/acme/serving@sha256:00ff", "serving"),
        ("monitoring", "monitoring"),
    ],
)
def test_an_image_is_named_by_the_last_segment_of_its_repository(uri, name):
    assert image_name(uri) == name


@pytest.mark.parametrize(
    ("key", "prefix", "relative"),
    [
        ("data/train/a/b.csv", "data/train/", "a/b.csv"),
        ("data/train/a/b.csv", "data/train", "a/b.csv"),
        ("data/train.csv", "data/train.csv", "train.csv"),
        ("data/train-2/a.csv", "data/train", "train-2/a.csv"),
        ("a.csv", "", "a.csv"),
    ],
)
def test_a_key_keeps_its_folders_below_the_prefix(key, prefix, relative):
    assert s3_files.relative_key(key, prefix) == relative


@given(st.text("./ab", max_size=30))
def test_no_path_leads_out_of_a_sandbox(path):
    sandbox = Sandbox(s3_files.Path("/sandbox"))
    try:
        found = sandbox.path(f"/opt/ml/{path}")
    except ValueError:
        return
    assert found.is_relative_to(sandbox.ml)
