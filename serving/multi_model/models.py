"""The models that are loaded, under a memory limit.

Models are loaded and unloaded by one thread; the event loop only looks them up, so that no answer waits for a load. A
request that has its model keeps it to its end, also when the model is unloaded meanwhile.
"""

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from serving.core.predictor import Predictor
from serving.invocation import Invocations
from serving.multi_model.memory import MEBIBYTE, ModelMemory, model_bytes
from serving.trial import Trial

PAGE: Final = 100
"""So many models a page of the list."""


class LoadedError(Exception):
    """A model of that name is loaded already."""


class NotLoadedError(Exception):
    """No model of that name is loaded."""


class NoMemoryError(Exception):
    """A model does not fit beside those that are loaded; the message says by how much."""


@dataclass
class LoadedModel:
    """A model that answers, where it came from, and when it last was asked."""

    name: str
    url: str
    predictor: Predictor
    bytes: int
    used: int
    invocations: Invocations = field(init=False)

    def __post_init__(self) -> None:
        self.invocations = Invocations(self.predictor)


class Models:
    """Loaded models by name."""

    def __init__(self, memory: ModelMemory, trial: Trial) -> None:
        """Hold models in so much memory, each tried out before it is loaded."""
        self._memory = memory
        self._trial = trial
        self._models: dict[str, LoadedModel] = {}
        self._clock = count()

    def __len__(self) -> int:
        return len(self._models)

    @property
    def bytes(self) -> int:
        """About how much memory the loaded models take."""
        return sum(one.bytes for one in tuple(self._models.values()))

    def get(self, name: str) -> LoadedModel:
        """A loaded model.

        Raises:
            NotLoadedError: it is not loaded.
        """
        try:
            return self._models[name]
        except KeyError:
            raise NotLoadedError from None

    def asked(self, name: str) -> LoadedModel:
        """A loaded model that is asked for an answer now.

        Raises:
            NotLoadedError: it is not loaded.
        """
        model = self.get(name)
        model.used = next(self._clock)
        return model

    def load(self, name: str, url: str) -> LoadedModel:
        """Load the unpacked model in the folder `url`.

        Raises:
            LoadedError: one of that name is loaded.
            NoMemoryError: it does not fit.
            ArtifactError: it cannot be served.
        """
        if name in self._models:
            raise LoadedError
        folder = Path(url)
        needed = model_bytes(folder)
        self._make_room(needed)
        self._trial.try_out(folder)
        try:
            model = LoadedModel(name, url, Predictor.load(folder), needed, next(self._clock))
        except MemoryError:
            raise NoMemoryError("the machine has no memory left") from None
        self._models[name] = model
        return model

    def unload(self, name: str) -> LoadedModel:
        """Forget a model.

        Raises:
            NotLoadedError: it is not loaded.
        """
        model = self.get(name)
        del self._models[name]
        return model

    def close(self) -> None:
        """Try nothing out any more."""
        self._trial.close()

    def page(self, after: str) -> tuple[list[LoadedModel], str | None]:
        """The models whose names sort behind `after`, so many as a page has, and where the next page begins, if any."""
        behind = sorted((one for one in tuple(self._models.values()) if one.name > after), key=lambda one: one.name)
        page = behind[:PAGE]
        return page, page[-1].name if len(behind) > PAGE else None

    def _make_room(self, needed: int) -> None:
        limit = self._memory.limit_bytes
        while self._memory.evict and self._models and self.bytes + needed > limit >= needed:
            self.unload(min(self._models.values(), key=lambda one: one.used).name)
        if self.bytes + needed > limit:
            raise NoMemoryError(
                f"the model takes about {_shown(needed)}, the {len(self)} that are loaded {_shown(self.bytes)}, "
                f"and the limit is {_shown(limit)}"
            )


def _shown(size: int) -> str:
    return f"{size / MEBIBYTE:.1f} MiB"
