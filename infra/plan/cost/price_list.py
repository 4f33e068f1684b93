"""`sagestack prices`: AWS's own price list, read with the credentials of any account.

Source: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api.html
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

import boto3
import typer

from infra.config import chosen_environment, load_environment
from infra.errors import CheckFailed
from infra.prices import Prices, Reading
from infra.session import explained

Environment = Annotated[str | None, typer.Option("--env", envvar="SAGESTACK_ENV", help="The environment.")]

ASKED_IN: Final = "us-east-1"
"""The price list has an endpoint in few regions, and every region's prices there."""
SERVICE: Final = "AmazonSageMaker"
HOSTING: Final = re.compile(r"(?:^|-)Host:(?P<of>ml\.[a-z0-9-]+\.[a-z0-9]+)$")
SERVERLESS: Final = re.compile(r"(?:^|-)ServerlessInf:Mem-(?P<of>[0-9]+)GB$")
VOLUMES: Final = re.compile(r"(?:^|-)(?:Processing|Train):VolumeUsage\.(?P<of>gp2)$")


@explained
def read_prices(env: Environment = None) -> None:
    """Write the list prices of an environment's region from AWS's price list."""
    environment = load_environment(env or chosen_environment())
    found = price_list(boto3.client("pricing", region_name=ASKED_IN), environment.region)
    (reading,) = found.readings
    if not reading.instance_hour:
        raise CheckFailed(f"AWS's price list has no instance of SageMaker's in {environment.region}")
    typer.echo(f"{len(reading.instance_hour)} instance types of {found.region} as of {reading.as_of}: {found.write()}")


def price_list(pricing: Any, region: str) -> Prices:  # noqa: ANN401 - boto3's clients are made at run time
    """Every price of a region that an estimate asks for."""
    here = {"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}
    pages = pricing.get_paginator("get_products").paginate(ServiceCode=SERVICE, Filters=[here], FormatVersion="aws_v1")
    return Prices(region, (_reading([json.loads(one) for page in pages for one in page["PriceList"]]),))


def _reading(products: Iterable[dict[str, Any]]) -> Reading:
    products = list(products)
    seconds = [usd / int(gigabytes) for gigabytes, usd in _named(products, SERVERLESS)]
    volumes = [usd for _, usd in _named(products, VOLUMES)]
    return Reading(
        source=f"AWS Price List API, {SERVICE}",
        as_of=max((str(one["publicationDate"])[:10] for one in products), default="not dated"),
        instance_hour=dict(sorted(_named(products, HOSTING))),
        volume_gb_month=max(volumes, default=None),
        serverless_gb_second=max(seconds, default=None),
    )


def _named(products: Iterable[dict[str, Any]], usage: re.Pattern[str]) -> Iterator[tuple[str, float]]:
    """What the usage is of, and its price on demand; what is free is a free tier's."""
    for product in products:
        found = usage.search(product["product"]["attributes"].get("usagetype", ""))
        for term in product["terms"].get("OnDemand", {}).values() if found else ():
            for dimension in term["priceDimensions"].values():
                if found and (usd := float(dimension["pricePerUnit"].get("USD", 0))):
                    yield found["of"], usd
