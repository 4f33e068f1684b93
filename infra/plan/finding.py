"""What a policy rule finds."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One resource that breaks one rule.

    Attributes:
        rule: the rule's id: one of ours, or checkov's (CKV…).
        resource: STACK/TYPE.NAME.
        message: what is wrong, and how to mend it.
    """

    rule: str
    resource: str
    message: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.message} [{self.rule}]"
