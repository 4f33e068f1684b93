"""An XGBoost file as a model, if it is the one that its signature describes."""

from typing import Final

from serving.core.boosted import BoostedTrees
from serving.core.errors import ArtifactError
from serving.core.signature import BINARY, MULTICLASS, Signature
from serving.core.xgboost_model import SIGMOID, SOFTMAX, XgboostModel, read_xgboost

NEWEST_XGBOOST: Final = (3, 2)
"""The newest XGBoost whose files this server's tests have seen."""


def load_xgboost(signature: Signature, content: bytes) -> tuple[BoostedTrees, str | None]:
    """The model of a file's content, and what to know about it.

    Raises:
        ArtifactError: the file cannot be read, or is not of the model that the signature describes.
    """
    model = read_xgboost(content)
    _check(signature, model)
    return BoostedTrees(model), _warning(model)


def _check(signature: Signature, model: XgboostModel) -> None:
    for place, (theirs, ours) in enumerate(zip(model.names, signature.names, strict=False), 1):
        if theirs != ours:
            raise ArtifactError(f"the model's feature {place} is {theirs!r:.60}, its signature's input {ours!r:.60}")
    if model.categorical is not None and model.categorical != signature.categorical:
        raise ArtifactError("the model's categorical features are not the signature's categorical inputs")
    for one, trained in zip(signature.inputs, model.categories, strict=False):
        if trained and trained != one.categories:
            raise ArtifactError(
                f"the model's categories of {one.name} are {', '.join(trained):.80}; its signature's are others, "
                "or stand in another order"
            )
    if signature.problem == BINARY and model.link != SIGMOID:
        raise ArtifactError("the model's objective gives no probability: a binary-classification needs binary:logistic")
    if signature.problem == MULTICLASS and model.link != SOFTMAX:
        raise ArtifactError("the model's objective gives no probabilities of classes: it needs multi:softprob")


def _warning(model: XgboostModel) -> str | None:
    if tuple(map(int, model.version.split(".")[:2])) > NEWEST_XGBOOST:
        return f"the model was saved by xgboost {model.version}, which is newer than this server: compare a few scores"
    if model.best_iteration is not None and model.best_iteration + 1 < model.rounds:
        return (
            f"all {model.rounds} rounds of the model are used, though its best iteration is {model.best_iteration}: "
            "save model[: model.best_iteration + 1] for the best alone"
        )
    return None
