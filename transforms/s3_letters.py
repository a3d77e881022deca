"""Letters of an S3 service: what a refusal means for the user, and whether it is a fault of the settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ParamValidationError,
)

from schemas.errors import UsageError

S3: Final = "s3://"
MISSING: Final = ("404", "NoSuchKey")
NO_BUCKET: Final = "NoSuchBucket"
DENIED: Final = ("403", "AccessDenied", "AllAccessDisabled")
_UNKNOWN: Final = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidClientTokenId")
_EXPIRED: Final = ("ExpiredToken", "RequestExpired", "TokenRefreshRequired")
_ELSEWHERE: Final = ("301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
_SETTINGS: Final = (
    "S3 is set up by the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AWS_DEFAULT_REGION, "
    "AWS_ENDPOINT_URL)\nor by Beam's options after `--` (--s3_endpoint_url and others). See docs/object_stores.md."
)


class ObjectError(OSError):
    """What a store answered of one path; `strerror` says it without the path."""

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def split_path(path: str) -> tuple[str, str]:
    """Bucket and key; the key is empty for the bucket itself. Raises UsageError where no bucket is named.

    >>> split_path("s3://bucket/a/b"), split_path("s3://bucket")
    (('bucket', 'a/b'), ('bucket', ''))
    """
    bucket, _, key = path.removeprefix(S3).partition("/")
    if not bucket:
        raise UsageError(f"{path} names no bucket. Write s3://BUCKET/PATH.")
    return bucket, key


def place_of(path: str) -> dict[str, str]:
    """Bucket and key of an object, as the client takes them. Raises UsageError where none is named."""
    bucket, key = split_path(path)
    if not key:
        raise UsageError(f"{path} names no object, only a bucket. Write s3://BUCKET/PATH.")
    return {"Bucket": bucket, "Key": key}


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def letters(path: str, *, of_bucket: bool = False) -> Iterator[None]:
    """Say what went wrong: UsageError where settings are at fault, else OSError. One may not read all that is listed.

    `of_bucket` means what is done to a bucket rather than to one object, so that who is denied it can do nothing there.
    """
    try:
        yield
    except ClientError as error:
        raise _answered(path, error, of_bucket) from error
    except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
        raise ObjectError(None, f"the service cannot be reached, or broke off: {error}", path) from error
    except ParamValidationError as error:  # it checks nothing else that comes from a path
        raise UsageError(f"{path}: no bucket can have the name `{split_path(path)[0]}`. Correct it.") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no address
        raise UsageError(f"{path}: {error}\n{_SETTINGS}") from error


def _answered(path: str, error: ClientError, of_bucket: bool) -> Exception:
    code, bucket = error_code(error), split_path(path)[0]
    said = f"{code}: {error.response.get('Error', {}).get('Message', '')}"
    if code in MISSING:
        return FileNotFoundError(f"there is no {path}")
    if code == NO_BUCKET:
        return UsageError(f"{path}: there is no bucket `{bucket}`. Correct the name, or make the bucket first.")
    if code in _UNKNOWN:
        return UsageError(f"{path}: S3 does not accept the credentials ({said}).\n{_SETTINGS}")
    if code in _EXPIRED:
        return ObjectError(None, f"the credentials have expired ({code}). Renew them, and go on with --resume.", path)
    if code in _ELSEWHERE:
        return UsageError(f"{path}: the bucket `{bucket}` lies in another region ({said}). Set AWS_DEFAULT_REGION.")
    if code in DENIED and of_bucket:
        return UsageError(
            f"{path}: S3 denies access to the bucket `{bucket}` ({said}).\nA run needs s3:ListBucket and s3:GetObject "
            "to read; s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload to write."
        )
    if code in DENIED:
        return ObjectError(None, f"S3 denies access ({said}); without s3:ListBucket also for what is not there", path)
    if code in ("412", "PreconditionFailed"):
        return ObjectError(None, "it was replaced while it was being read", path)
    return ObjectError(None, f"S3 answered {said}", path)
