"""A duplicate is found, whichever reader met the event first, and nothing else is taken for one."""

import ctypes

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.contract import SCAN_LIBRARY_VARIABLE
from monitoring.event_ids import FIRST_SLOTS, SeenEvents, hashes

IDS = st.lists(st.one_of(st.none(), st.text(max_size=40), st.sampled_from(["a", "b", "é"])), max_size=40)


@pytest.fixture(scope="module", params=["compiled", "without a library"], autouse=True)
def library(request, scan_library):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SCAN_LIBRARY_VARIABLE, str(scan_library) if request.param == "compiled" else "")
        yield


@given(IDS)
def test_both_readers_hash_an_id_alike(scan_library, ids):
    hash_ = ctypes.CDLL(str(scan_library)).scan_hash
    hash_.restype = ctypes.c_uint64
    texts = [(each or "").encode() for each in ids]
    compiled = [hash_(text, ctypes.c_int64(len(text))) for text in texts]
    assert hashes(pl.Series(ids, dtype=pl.String)).tolist() == compiled


@given(st.lists(IDS, max_size=5))
def test_an_id_is_first_once_however_the_ids_are_dealt(batches):
    seen, met = SeenEvents(), set()
    for ids in batches:
        first = seen.first(hashes(pl.Series(ids, dtype=pl.String)))
        for id_, is_first in zip(ids, first.tolist(), strict=True):
            assert is_first == (not id_ or id_ not in met)
            met.add(id_)


def test_the_table_grows_and_forgets_nothing():
    seen, ids = SeenEvents(), np.random.default_rng(1).integers(1, 2**63, 5 * FIRST_SLOTS, dtype=np.uint64)
    assert all(seen.first(part).all() for part in np.split(ids, 5))
    assert not seen.first(ids).any()


def test_a_thousand_ids_that_differ_little_have_hashes_that_differ():
    assert len(set(hashes(pl.Series([f"event-{number:04}" for number in range(1000)])).tolist())) == 1000
