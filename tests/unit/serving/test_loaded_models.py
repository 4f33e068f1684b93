"""Which models are loaded, under a memory limit."""

import dataclasses
import gc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.contract import MODELS_EVICT_VARIABLE, MODELS_MEMORY_VARIABLE, MULTI_MODEL_VARIABLE, WORKERS_VARIABLE
from serving.core.predictor import Predictor
from serving.core.signature import write_signature
from serving.lanes import Work
from serving.message import Request
from serving.multi_model import models as loading
from serving.multi_model.application import MultiModelApplication
from serving.multi_model.memory import BYTES_A_MODEL, MEBIBYTE, ModelMemory, model_bytes
from serving.multi_model.models import LoadedError, Models, NoMemoryError, NotLoadedError
from serving.settings import Settings
from serving.trial import Trial
from serving.variables import SettingsError
from tests.unit.serving.conftest import GOOD_ROW

SIZES = {"a": 1, "b": 2, "c": 3, "d": 4}
LIMIT = 6
PIECES = [b"/", b"models", b"invoke", b"a", b"%", b"%ff", b"?next_page_token=", b"&"]
Step = tuple[str, str]


@pytest.fixture(autouse=True)
def quick_loads(monkeypatch: pytest.MonkeyPatch, predictor: Predictor) -> None:
    """Models that take as many bytes as their name's place in the alphabet, and no time."""
    monkeypatch.setattr(loading, "model_bytes", lambda folder: SIZES[folder.name])
    monkeypatch.setattr(loading.Predictor, "load", lambda _folder: predictor)


class Untried(Trial):
    """Takes every model for good."""

    def __init__(self) -> None:
        """Start nothing."""

    def try_out(self, folder: Path) -> None:
        """Say nothing against it."""


def within(limit: int, *, evict: bool = False) -> Models:
    return Models(ModelMemory(limit, evict), Untried())


def outcome(models: Models, action: str, name: str) -> str:
    try:
        {
            "load": lambda: models.load(name, f"/{name}"),
            "unload": lambda: models.unload(name),
            "ask": lambda: models.asked(name),
        }[action]()
    except (LoadedError, NotLoadedError, NoMemoryError) as error:
        return type(error).__name__
    return "done"


def expected(held: list[str], action: str, name: str, *, evict: bool) -> str:
    """What a list of names in the order of their last use says; the list is changed."""
    if action == "load":
        if name in held:
            return "LoadedError"
        while evict and held and sum(SIZES[one] for one in held) + SIZES[name] > LIMIT:
            held.pop(0)
        if sum(SIZES[one] for one in held) + SIZES[name] > LIMIT:
            return "NoMemoryError"
    elif name not in held:
        return "NotLoadedError"
    else:
        held.remove(name)
    if action != "unload":
        held.append(name)
    return "done"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    evict=st.booleans(),
    steps=st.lists(
        st.tuples(st.sampled_from(["load", "load", "unload", "ask"]), st.sampled_from(sorted(SIZES))), max_size=30
    ),
)
def test_models_come_and_go_as_a_list_ordered_by_use_says(evict: bool, steps: list[Step]) -> None:  # noqa: FBT001
    models, held = within(LIMIT, evict=evict), []  # type: tuple[Models, list[str]]
    for action, name in steps:
        assert outcome(models, action, name) == expected(held, action, name, evict=evict)
        assert [one.name for one in models.page("")[0]] == sorted(held)
        assert models.bytes <= LIMIT


def test_a_model_larger_than_the_limit_drives_nobody_out() -> None:
    models = within(2, evict=True)
    models.load("a", "/a")
    with pytest.raises(NoMemoryError, match="the model takes about"):
        models.load("d", "/d")
    assert models.get("a")


def test_a_model_that_is_unloaded_answers_what_it_was_asked_before() -> None:
    models = within(LIMIT)
    models.load("a", "/a")
    asked = models.asked("a")
    models.unload("a")
    gc.collect()
    answer = asked.invocations.answer(Request(b"POST", content_type=b"text/csv", body=GOOD_ROW * 2))
    assert (answer.status, answer.body.count(b"\n")) == (200, 2)


def test_a_machine_without_memory_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_folder: Path) -> Predictor:
        raise MemoryError

    monkeypatch.setattr(loading.Predictor, "load", load)
    with pytest.raises(NoMemoryError, match="the machine has no memory left"):
        within(LIMIT).load("a", "/a")


def test_pages_hold_every_model_once_also_when_one_is_unloaded_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "PAGE", 3)
    monkeypatch.setattr(loading, "model_bytes", lambda _folder: 0)
    models = within(LIMIT)
    for name in "gecafbd":
        models.load(name, f"/{name}")
    first, token = models.page("")
    models.unload("c")
    second, further = models.page(token or "")
    last, end = models.page(further or "")
    assert ["".join(one.name for one in page) for page in (first, second, last)] == ["abc", "def", "g"]
    assert end is None


def test_a_models_memory_is_estimated_from_its_file(tmp_path: Path, predictor: Predictor) -> None:
    write_signature(dataclasses.replace(predictor.signature, model_file="m"), tmp_path)
    (tmp_path / "m").write_bytes(b"1" * 1000)
    assert model_bytes(tmp_path) == BYTES_A_MODEL + 2000


def test_multi_model_mode_is_read_from_the_environment() -> None:
    asked = {MULTI_MODEL_VARIABLE: "true", MODELS_MEMORY_VARIABLE: "5", MODELS_EVICT_VARIABLE: "true"}
    assert Settings.read(asked).models == ModelMemory(5 * MEBIBYTE, evict=True)
    assert Settings.read({}).models is None
    unsaid = Settings.read({MULTI_MODEL_VARIABLE: "true", WORKERS_VARIABLE: "cores"})
    assert unsaid.workers == 1
    assert unsaid.models
    assert unsaid.models.limit_bytes > 50 * MEBIBYTE
    assert not unsaid.models.evict


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({MULTI_MODEL_VARIABLE: "yes"}, "SAGEMAKER_MULTI_MODEL is 'yes': it must be true or false"),
        ({MODELS_EVICT_VARIABLE: "1"}, "SAGESTACK_MODELS_EVICT is '1': it must be true or false"),
        ({MODELS_MEMORY_VARIABLE: "0"}, "SAGESTACK_MODELS_MEMORY_MB is '0': it must be a number of MiB"),
        ({WORKERS_VARIABLE: "2"}, "SAGESTACK_WORKERS is 2: with SAGEMAKER_MULTI_MODEL one process holds every model"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        Settings.read({MULTI_MODEL_VARIABLE: "true"} | wrong)


@given(
    method=st.sampled_from([b"GET", b"POST", b"DELETE", b"PUT"]),
    path=st.lists(
        st.sampled_from([b"/", b"models", b"invoke", b"a", b"%", b"%ff", b"?next_page_token=", b"&"]), max_size=8
    ),
    body=st.binary(max_size=50)
    | st.sampled_from([b"{}", b'{"model_name": 1}', b'{"model_name": "\\ud800", "url": "/"}']),
)
def test_whatever_is_asked_of_many_models_is_answered_or_refused(method: bytes, path: list[bytes], body: bytes) -> None:
    application = MultiModelApplication(within(LIMIT))
    request = Request(method, b"/" + b"".join(path), b"text/csv", body=body)
    assert application.long_work(request) in (None, Work.LOADING)
    assert application.respond(request).status < 500
