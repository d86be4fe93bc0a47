"""The fixes of a driver, a truck or a mission: pages as JSON, or the whole range as a file."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, ClassVar, Final, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.http import AnyAccept
from accounts.models import Driver, Role, Truck
from accounts.pagination import DEFAULT_LIMIT, MAX_LIMIT, limit_of
from accounts.permissions import DRIVER, Allows
from accounts.refusals import Problem
from accounts.tenants import of_employer
from missions.models import Mission
from tracking.formats import Csv, Format, GeoJson, Gpx, rfc3339
from tracking.histories import History, Names, StoredFix, Subject, history_of
from tracking.parameters import AskedRange, asked_key, asked_range, cursor_for
from tracking.serializers import FixPageSerializer, RowWriter, fix_data
from tracking.turns import Turns

# What tells where somebody was is kept by nobody on the way.
NOT_STORED: Final = {"Cache-Control": "no-store"}

RANGE: Final = [
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="Inclusive; default: 24 h ago."),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="Exclusive; default: now."),
]
PAGE: Final = [
    OpenApiParameter("cursor", str, description="Where the page before ended; from its `next`."),
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        description="Fixes in a page.",
    ),
]
MEDIA_TYPES: Final = {
    "geojson": "application/geo+json",
    "gpx": "application/gpx+xml",
    "csv": "text/csv",
}

# Streams of one process, each with a connection of its own beside Django's pool: half as many
# as the pool has, so that exports never take more of the server than all other reading.
STREAMS_AT_ONCE: Final = 8
# How long a request waits for its turn, and when to come back where none came.
TURN_PATIENCE_S: Final = 5.0
RETRY_AFTER_S: Final = 30
# A client takes 2,000 fixes, some 300 kB, within this time, or its stream is broken off.
CHUNK_PATIENCE_S: Final = 60.0
turns = Turns(STREAMS_AT_ONCE)


class ExportsBusy(Problem):
    """As many files as may be are being written at this moment."""

    status = 503
    code = "exports_busy"

    def __init__(self) -> None:
        super().__init__(
            f"Other exports are running. Try again in {RETRY_AFTER_S} seconds.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )


def driver_of(request: Request, driver_id: UUID) -> Driver:
    """The employer's driver. A frozen one is not there."""
    drivers = Driver.objects.select_related("employer").filter(frozen_at__isnull=True)
    return of_employer(drivers, actor_of(request), driver_id)


def truck_of(request: Request, truck_id: UUID) -> Truck:
    """The employer's truck."""
    return of_employer(Truck.objects.select_related("employer"), actor_of(request), truck_id)


def mission_of(request: Request, mission_id: UUID) -> Mission:
    """The employer's mission."""
    return of_employer(Mission.objects.select_related("employer"), actor_of(request), mission_id)


def own_driver(request: Request) -> Driver:
    """Whoever carries the phone that asks."""
    driver = actor_of(request).driver
    if driver is None:
        raise Http404
    return driver


class FixesView(APIView):
    """A page of a history."""

    permission_classes = [Allows(Role.DISPATCHER)]

    def page(self, request: Request, subject: Subject) -> Response:
        limit, after = limit_of(request), asked_key(request)
        asked = asked_range(request, subject, timezone.now())
        page = history_of(subject, *asked).page(limit, after)
        names = Names().learn(page.fixes)
        url = None
        if page.next_after is not None:
            url = _next_url(request, asked, cursor_for(page.next_after))
        return Response(
            {"results": [fix_data(fix, names) for fix in page.fixes], "next": url},
            headers=NOT_STORED | ({"Link": f'<{url}>; rel="next"'} if url else {}),
        )


def _next_url(request: Request, asked: AskedRange, cursor: str) -> str:
    """With the range written out: "the last 24 hours" must not move while somebody pages."""
    url = request.build_absolute_uri()
    for name, value in (
        ("from", rfc3339(asked.begin_at)),
        ("to", rfc3339(asked.end_at)),
        ("cursor", cursor),
    ):
        url = replace_query_param(url, name, value)
    return url


class DriverFixes(FixesView):
    @extend_schema(
        operation_id="driver_fixes", parameters=[*RANGE, *PAGE], responses=FixPageSerializer
    )
    def get(self, request: Request, driver_id: UUID) -> Response:
        """A driver's fixes across trucks and missions, oldest first."""
        return self.page(request, driver_of(request, driver_id))


class TruckFixes(FixesView):
    @extend_schema(
        operation_id="truck_fixes", parameters=[*RANGE, *PAGE], responses=FixPageSerializer
    )
    def get(self, request: Request, truck_id: UUID) -> Response:
        """A truck's fixes across its drivers, oldest first."""
        return self.page(request, truck_of(request, truck_id))


class MissionFixes(FixesView):
    @extend_schema(
        operation_id="mission_fixes", parameters=[*RANGE, *PAGE], responses=FixPageSerializer
    )
    def get(self, request: Request, mission_id: UUID) -> Response:
        """A mission's fixes across its drivers, oldest first; without a range the whole of it."""
        return self.page(request, mission_of(request, mission_id))


class MyFixes(FixesView):
    permission_classes = [Allows(DRIVER)]

    @extend_schema(operation_id="my_fixes", parameters=[*RANGE, *PAGE], responses=FixPageSerializer)
    def get(self, request: Request) -> Response:
        """The fixes of the driver who carries the phone that asks."""
        return self.page(request, own_driver(request))


class TrackSchema(AutoSchema):
    """One operation for each ending, with its media type."""

    @property
    def ending(self) -> str:
        return cast("TrackView", self.view).ending

    def get_operation_id(self) -> str:
        return f"{cast('TrackView', self.view).operation}_{self.ending}"

    def get_response_serializers(self) -> Any:
        media_type = MEDIA_TYPES[self.ending]
        return {(200, media_type): OpenApiResponse(OpenApiTypes.STR, "The whole range, streamed.")}


class TrackView(APIView):
    """A whole history as a file, written while it is read."""

    permission_classes = [Allows(Role.DISPATCHER)]
    content_negotiation_class = AnyAccept
    schema = TrackSchema()
    ending: ClassVar[str] = "geojson"
    operation: ClassVar[str]

    def stream(self, request: Request, subject: Subject) -> StreamingHttpResponse:
        asked = asked_range(request, subject, timezone.now())
        history = history_of(subject, *asked)
        written = self.format_for(subject)
        name = f"{history.kind}-{subject.uuid}-{asked.begin_at:%Y%m%dT%H%M}.{self.ending}"
        # Django would give it back to the pool only after the last byte, however slowly the
        # client reads. One inside a transaction is whoever's began it.
        if not connection.in_atomic_block:
            connection.close()
        if not turns.take(TURN_PATIENCE_S):
            raise ExportsBusy
        return TrackResponse(
            written,
            history,
            content_type=written.media_type,
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "X-Accel-Buffering": "no",
                **NOT_STORED,
            },
        )

    def format_for(self, subject: Subject) -> Format:
        if self.ending == "csv":
            return Csv(ZoneInfo(subject.employer.timezone))
        if self.ending == "gpx":
            spacing_m = float(subject.employer.min_spacing_m)
            return Gpx(_title(subject), min_spacing_m=spacing_m)
        return GeoJson()


def _title(subject: Subject) -> str:
    if isinstance(subject, Mission):
        return subject.reference or subject.external_id or str(subject.uuid)
    named = subject.name if isinstance(subject, Driver) else subject.plate
    return named or str(subject.uuid)


class TrackResponse(StreamingHttpResponse):
    """A file while it is written. It holds a turn, taken before, until it is closed."""

    def __init__(self, written: Format, history: History, **options: Any) -> None:
        self._give_back = turns.until_gone(self)
        super().__init__(_document(written, history, self._give_back), **options)

    def close(self) -> None:
        super().close()
        self._give_back()


async def _document(
    written: Format, history: History, give_back: Callable[[], object]
) -> AsyncGenerator[bytes]:
    names = Names()
    writer = RowWriter(names)
    yield written.head()
    # Closed here and now when the client leaves, not whenever it is collected.
    async with aclosing(history.chunks(names)) as chunks:
        async for chunk in chunks:
            rows = written.rows(writer.rows(chunk))
            async with _Taken(chunks, give_back):
                yield rows
    yield written.tail()


class _Taken:
    """Around a yield: a client that does not take it in time is as good as gone.

    What the stream holds is closed at the deadline itself, since the server may notice that
    its sending was cancelled only when the client reads again.
    """

    def __init__(
        self, chunks: AsyncGenerator[list[StoredFix]], give_back: Callable[[], object]
    ) -> None:
        self._chunks = chunks
        self._give_back = give_back
        self._sending = asyncio.current_task()
        self._leaving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(CHUNK_PATIENCE_S, self._start_to_leave)

    async def __aexit__(self, *_: object) -> None:
        self._deadline.cancel()
        if self._leaving is not None:
            await self._leaving
            # Never a file that looks whole. Django takes this for a client that left.
            raise asyncio.CancelledError

    def _start_to_leave(self) -> None:
        self._leaving = asyncio.get_running_loop().create_task(self._leave())

    async def _leave(self) -> None:
        await self._chunks.aclose()
        self._give_back()
        if self._sending is not None:
            self._sending.cancel()


class DriverTrack(TrackView):
    operation = "driver_fixes"

    @extend_schema(parameters=RANGE)
    def get(self, request: Request, driver_id: UUID) -> StreamingHttpResponse:
        """A driver's fixes in the whole range, as a file."""
        return self.stream(request, driver_of(request, driver_id))


class TruckTrack(TrackView):
    operation = "truck_fixes"

    @extend_schema(parameters=RANGE)
    def get(self, request: Request, truck_id: UUID) -> StreamingHttpResponse:
        """A truck's fixes in the whole range, as a file."""
        return self.stream(request, truck_of(request, truck_id))


class MissionTrack(TrackView):
    operation = "mission_fixes"

    @extend_schema(parameters=RANGE)
    def get(self, request: Request, mission_id: UUID) -> StreamingHttpResponse:
        """A mission's fixes, without a range all of them, as a file."""
        return self.stream(request, mission_of(request, mission_id))
