"""How many processors and GPUs an instance type has: CloudWatch counts 100 % for each of them.

Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-type-specifications.html
"""

import re
from typing import Final

ODD_SIZES: Final = {"c4.8xlarge": 36, "p3dn.24xlarge": 96}
SMALL_SIZES: Final = {"medium": 1, "large": 2, "xlarge": 4}
PROCESSORS_AN_XLARGE: Final = 4

FOUR: Final = ("12xlarge", "24xlarge")
GPUS: Final = {
    "g4dn": {"12xlarge": 4},
    "g5": {**dict.fromkeys(FOUR, 4), "48xlarge": 8},
    "g6": {**dict.fromkeys(FOUR, 4), "48xlarge": 8},
    "g6e": {**dict.fromkeys(FOUR, 4), "48xlarge": 8},
    "p2": {"8xlarge": 8, "16xlarge": 16},
    "p3": {"8xlarge": 4, "16xlarge": 8},
    "p3dn": {"24xlarge": 8},
    "p4d": {"24xlarge": 8},
    "p4de": {"24xlarge": 8},
    "p5": {"4xlarge": 1, "48xlarge": 8},
    "p5e": {"48xlarge": 8},
    "p5en": {"48xlarge": 8},
}
"""By family; sizes that are not named have one."""


def processors(instance_type: str) -> int:
    """The virtual processors of a SageMaker instance type."""
    _, family, size = instance_type.split(".")
    odd = ODD_SIZES.get(f"{family}.{size}") or SMALL_SIZES.get(size)
    multiple = re.fullmatch(r"(\d+)xlarge", size)
    if odd is not None or multiple is None:
        return odd or PROCESSORS_AN_XLARGE
    return int(multiple[1]) * PROCESSORS_AN_XLARGE


def gpus(instance_type: str) -> int:
    """The GPUs of a SageMaker instance type; 0 for one without, or one of a family that is not known here."""
    _, family, size = instance_type.split(".")
    return GPUS[family].get(size, 1) if family in GPUS else 0
