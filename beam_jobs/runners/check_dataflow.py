"""Check Dataflow: what a job needs there, asked before any work, and before Beam makes up for what is missing."""

from typing import Final
from urllib.parse import urlsplit

from apache_beam.internal.gcp.auth import get_service_credentials
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from schemas.errors import UsageError

_NEEDED: Final = ("project", "region", "temp_location")


def check_dataflow(options: PipelineOptions) -> None:
    """Raise UsageError if an option, Beam's gcp extra, credentials or the bucket for temporary files is missing.

    Beam itself would make a bucket where none is named, and try for ten minutes to write to one that is not there.
    """
    cloud = options.view_as(GoogleCloudOptions)
    if missing := [f"--{name}" for name in _NEEDED if not getattr(cloud, name)]:
        raise UsageError(f"Dataflow needs {', '.join(missing)} after `--`; docs/dataflow.md says what for.")
    try:
        from apache_beam.io.gcp.gcsio import GcsIO
        from google.api_core.exceptions import GoogleAPICallError
    except ImportError as error:
        raise UsageError("Dataflow needs Google's libraries: pip install 'cleartitle[gcp]'.") from error
    if not cloud.no_auth and get_service_credentials(options) is None:
        raise UsageError(
            "There are no Google credentials on this machine.\n"
            "Run `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name a key file."
        )
    for name in ("temp_location", "staging_location"):
        path = getattr(cloud, name)
        if not path:
            continue
        bucket = urlsplit(path).netloc
        try:
            found = GcsIO(pipeline_options=options).get_bucket(bucket)
        except GoogleAPICallError as error:
            raise UsageError(f"gs://{bucket}, which --{name} names, cannot be used: {error.message}") from error
        if found is None:
            raise UsageError(
                f"There is no bucket gs://{bucket}, which --{name} names.\n"
                f"Make it: gcloud storage buckets create gs://{bucket} --location={cloud.region}"
            )
