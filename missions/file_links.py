"""Links to private files: made at the click, good for five minutes, needing no session.

The link is the proof. Who may see the mission asks for one; whoever has it reads one file
of one row until it expires. It is signed with the installation's key, so it cannot be made
up or altered, and the row is looked up on every use, so it dies with the row.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.core import signing
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, models
from django.db.models.fields.files import FieldFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from accounts.problems import problem_response
from missions.models import Attachment, ProofOfDelivery, Signature

log = logging.getLogger(__name__)

TTL_S: Final = 300
CHUNK_BYTES: Final = 64 * 1024
FILES: Final = "/files/"


@dataclass(frozen=True, slots=True)
class FileKind:
    """Which column of which rows, and what the file is called when it is saved."""

    model: type[models.Model]
    column: str
    called: str


KINDS: Final[dict[str, FileKind]] = {
    "attachment": FileKind(Attachment, "file", "photo"),
    "thumbnail": FileKind(Attachment, "thumbnail", "thumbnail"),
    "signature": FileKind(Signature, "image", "signature"),
    "proof": FileKind(ProofOfDelivery, "pdf", "proof-of-delivery"),
}
# The suffix is ours, never the sender's. What is not here is not shown by a browser.
MEDIA_TYPES: Final = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "pdf": "application/pdf",
}
# The link itself is the secret: in no cache, and in no Referer of what the file may open.
HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, slots=True)
class FileLink:
    """A path on this server, and until when it answers."""

    url: str
    expires_at: datetime


def new_link(kind: str, row_uuid: UUID, ttl_s: int = TTL_S) -> FileLink:
    """A fresh link. KeyError for a kind of which there are no files."""
    KINDS[kind]
    expires_s = int(time.time()) + ttl_s
    # Over the expiry too: what the link says of itself cannot be altered.
    token = _signer().sign_object([kind, row_uuid.hex, expires_s], compress=False)
    return FileLink(f"{FILES}{token}", datetime.fromtimestamp(expires_s, UTC))


def file_link(kind: str, row_uuid: UUID, ttl_s: int = TTL_S) -> str:
    """The path alone, for pages."""
    return new_link(kind, row_uuid, ttl_s).url


def _signer() -> signing.Signer:
    return signing.Signer(salt="missions.file_links")


@require_safe
def file_view(request: HttpRequest, token: str) -> HttpResponseBase:
    """Stream the file that a link names. 410 when it has expired, 404 when it never was one."""
    try:
        kind, row_hex, expires_s = _signer().unsign_object(token)
    except (signing.BadSignature, ValueError):
        return _refused(request, 404, "not_found", "There is nothing at this address.")
    if time.time() >= expires_s:
        return _refused(
            request, 410, "link_expired", "This link has expired: open the file again where it is."
        )
    stored = _stored_file(KINDS[kind], UUID(row_hex))
    if not stored:
        return _refused(request, 404, "not_found", "This file is no longer kept.")
    try:
        opened = default_storage.open(str(stored.name))
    except FileNotFoundError:
        # Its row is there, so somebody owes an answer; the name is random and says nothing.
        log.warning("the file of a %s is missing: %s", kind, stored.name)
        return _refused(request, 404, "not_found", "This file is no longer kept.")
    except Exception:  # whatever the store trips over
        log.exception("a file could not be opened")
        return _refused(
            request, 503, "storage_away", "Files cannot be read at this moment: try again later."
        )
    return _file_response(request, KINDS[kind], opened, str(stored.name))


def _stored_file(kind: FileKind, row_uuid: UUID) -> FieldFile | None:
    row: Any = kind.model._default_manager.filter(uuid=row_uuid).first()  # noqa: SLF001
    stored: FieldFile | None = getattr(row, kind.column) if row else None
    # A slow reader holds no connection: Django would keep this one until the last byte.
    # One inside a transaction is whoever's began it.
    if not connection.in_atomic_block:
        connection.close()
    return stored


def _file_response(
    request: HttpRequest, kind: FileKind, opened: "File[bytes]", name: str
) -> HttpResponseBase:
    suffix = name.rpartition(".")[2]
    media_type = MEDIA_TYPES.get(suffix)
    disposition = "inline" if media_type else "attachment"
    headers = {
        **HEADERS,
        "Content-Type": media_type or "application/octet-stream",
        "Content-Length": str(opened.size),
        "Content-Disposition": f'{disposition}; filename="{kind.called}.{suffix}"',
    }
    if request.method == "HEAD":
        opened.close()
        return HttpResponse(headers=headers)
    return StreamingHttpResponse(FileChunks(opened), headers=headers)


class FileChunks:
    """A file in chunks, each read in a thread, so that no slow disk holds up the others.

    Django closes it with the response, also when the client leaves early.
    """

    def __init__(self, opened: "File[bytes]") -> None:
        self._file = opened

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await asyncio.to_thread(self._file.read, CHUNK_BYTES):
            yield chunk

    def close(self) -> None:
        self._file.close()


def _refused(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    return problem_response(request, status, code, detail, headers=HEADERS)
