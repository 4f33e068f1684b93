"""Lambda's dead-letter queue, which moto forgets."""

from typing import Any, Final

from moto.awslambda.models import LambdaFunction

from infra.local.cloud import LocalCloud

KEY: Final = "DeadLetterConfig"


def install(_: LocalCloud) -> None:
    """Keep it on moto's functions, as `dead_letter_config`."""
    init, update = LambdaFunction.__init__, LambdaFunction.update_configuration
    configuration = LambdaFunction.get_configuration

    def create(function: LambdaFunction, account_id: str, spec: dict[str, Any], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - moto's own
        init(function, account_id, spec, *args, **kwargs)
        function.dead_letter_config = spec.get(KEY)

    def change(function: LambdaFunction, updates: dict[str, Any]) -> dict[str, Any]:
        if KEY in updates:
            function.dead_letter_config = updates[KEY]
        update(function, updates)
        return described(function)

    def described(function: LambdaFunction, *args: bool, **kwargs: bool) -> dict[str, Any]:
        told: dict[str, Any] = configuration(function, *args, **kwargs)
        return told | ({KEY: function.dead_letter_config} if function.dead_letter_config else {})

    LambdaFunction.__init__, LambdaFunction.update_configuration = create, change
    LambdaFunction.get_configuration = described
