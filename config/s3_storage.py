"""Files in an S3-compatible store instead of on local disks: private, and served by us alone."""

from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage


class PrivateS3Storage(S3Storage):  # type: ignore[misc]  # the library has no types
    """A bucket that nobody reads but this program: files have no address of their own."""

    def get_default_settings(self) -> dict[str, Any]:
        return {
            **super().get_default_settings(),
            "default_acl": None,  # the bucket's own, which must not be public
            "file_overwrite": True,  # names are random: no need to ask whether one is taken
            "max_memory_size": 1024 * 1024,  # bytes of a file in memory while it is streamed
            "client_config": Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},  # self-hosted stores have no name per bucket
                # Older stores do not know the checksums that are sent by default.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                # A phone waits for the answer: rather a 503 and its next try.
                connect_timeout=3,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        }

    def url(self, name: str, *args: object, **kwargs: object) -> str:
        raise NotImplementedError("private files are read through links of file_links.py")
