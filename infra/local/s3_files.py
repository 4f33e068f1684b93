"""Files between S3 and a sandbox: what SageMaker downloads before a container runs, and uploads after it."""

import tarfile
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

IN_THIS_THREAD = TransferConfig(use_threads=False)


class DataNotFoundError(Exception):
    """There is nothing in S3 where data was said to be."""


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI.

    Raises:
        DataNotFoundError: `uri` is no S3 URI.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise DataNotFoundError(f"{uri} is not an S3 URI (s3://bucket/key)")
    return bucket, key


def fetch_prefix(s3: Any, uri: str, into: Path, share: slice = slice(None)) -> list[Path]:  # noqa: ANN401 - a boto3 client
    """Download every object whose key starts with the key in `uri`, or a share of them, keeping the folders below it.

    Raises:
        DataNotFoundError: there is none, or no such bucket.
    """
    bucket, prefix = split_uri(uri)
    into.mkdir(parents=True, exist_ok=True)
    return [_download(s3, bucket, key, _inside(into, relative_key(key, prefix))) for key in keys(s3, uri)[share]]


def keys(s3: Any, uri: str) -> list[str]:  # noqa: ANN401 - a boto3 client
    """The keys of every object, folders' markers apart, whose key starts with the key in `uri`.

    Raises:
        DataNotFoundError: there is none, or no such bucket.
    """
    bucket, prefix = split_uri(uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    try:
        found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    except ClientError as error:
        raise DataNotFoundError(
            f"{_no_objects(uri)} Error message from S3: {error.response['Error']['Message']}"
        ) from error
    if not (files := [key for key in found if not key.endswith("/")]):
        raise DataNotFoundError(_no_objects(uri))
    return files


def relative_key(key: str, prefix: str) -> str:
    """The key's place below the prefix as a folder; a prefix that ends within a name keeps that whole name."""
    folder = prefix if prefix.endswith("/") or key.startswith(f"{prefix}/") else prefix.rpartition("/")[0]
    return key.removeprefix(folder).lstrip("/")


def fetch_object(s3: Any, uri: str, to: Path) -> None:  # noqa: ANN401 - a boto3 client
    """Download one object.

    Raises:
        DataNotFoundError: there is no such object.
    """
    bucket, key = split_uri(uri)
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        s3.download_file(bucket, key, str(to), Config=IN_THIS_THREAD)
    except ClientError as error:
        raise DataNotFoundError(f"{error.response['Error'].get('Message', error)} ({uri})") from error


def encryption(key_id: str | None) -> dict[str, str]:
    """PutObject's members for an object encrypted by a key; none for one that its bucket's default sees to."""
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}


def upload_folder(s3: Any, folder: Path, uri: str) -> None:  # noqa: ANN401 - a boto3 client
    """Upload every file below `folder` (which may not exist), keeping its folders."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        upload(s3, path, f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}")


def upload_archive(s3: Any, folder: Path, archive: Path, uri: str) -> None:  # noqa: ANN401 - a boto3 client
    """Upload what is in `folder` as one tar.gz, made at `archive`."""
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    upload(s3, archive, uri)


def upload(s3: Any, path: Path, uri: str) -> None:  # noqa: ANN401 - a boto3 client
    """Upload one file."""
    bucket, key = split_uri(uri)
    s3.upload_file(str(path), bucket, key, Config=IN_THIS_THREAD)


def _inside(folder: Path, relative: str) -> Path:
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise DataNotFoundError(f"the key ending in {relative} leads out of its folder")
    return path


def _download(s3: Any, bucket: str, key: str, to: Path) -> Path:  # noqa: ANN401 - a boto3 client
    to.parent.mkdir(parents=True, exist_ok=True)
    s3.download_file(bucket, key, str(to), Config=IN_THIS_THREAD)
    return to


def _no_objects(uri: str) -> str:
    return (
        f'No S3 objects found under S3 URL "{uri}" given in input data source.'
        " Please ensure that the bucket exists in the selected region and that objects exist under that S3 prefix."
    )
