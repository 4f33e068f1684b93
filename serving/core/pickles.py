"""Pickles are refused by name: loading one runs whatever code it holds."""

import re
from typing import Final

from serving.core.errors import ArtifactError

_NAMES: Final = re.compile(
    r"(?:.*\.)?(?:pickle|pkl|p|joblib|cloudpickle|dill)(?:\.(?:gz|bz2|xz|lzma|z))?", re.IGNORECASE
)
_START: Final = re.compile(rb"\x80[\x02-\x05]")
_STOP: Final = b"."


def refuse_pickle(*names: str) -> None:
    """Look at the names of a format or of files.

    Raises:
        ArtifactError: one of them is a pickle's; the message says how to export the model instead.
    """
    for name in names:
        if _NAMES.fullmatch(name):
            raise ArtifactError(
                f"the model is a pickle ({name!r:.60}), which could run any code and is never loaded: save a LightGBM "
                "or XGBoost model by its own save_model, export a scikit-learn model to ONNX (skl2onnx)"
            )


def is_pickle(content: bytes) -> bool:
    """Whether a file begins and ends as a pickle does (protocol 2 or newer)."""
    return bool(_START.match(content)) and content.endswith(_STOP)
