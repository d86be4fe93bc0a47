"""Missions and stages as files: CSV and XLSX, written while they are read."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Final, cast
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connection
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts.http import AnyAccept
from accounts.refusals import Invalid
from missions.api.mission_view import MissionView
from missions.exporting import (
    MISSION_TABLE,
    STAGE_TABLE,
    count_rows,
    mission_chunks,
    stage_chunks,
)
from missions.models import Mission
from missions.reading import matching, shown_missions
from missions.requests import MissionFilter
from missions.tables import MEDIA_TYPES, MOST_XLSX_ROWS, Row, writer_for

ENDINGS: Final = ("csv", "xlsx")


class TableSchema(AutoSchema):
    """One operation for each ending, with its media type."""

    @property
    def ending(self) -> str:
        return cast("TableView", self.view).ending

    def get_operation_id(self) -> str:
        return f"{cast('TableView', self.view).operation}_{self.ending}"

    def get_response_serializers(self) -> Any:
        media_type = MEDIA_TYPES[self.ending].split(";")[0]
        return {(200, media_type): OpenApiResponse(OpenApiTypes.BINARY, "All rows, streamed.")}


class TableView(MissionView):
    """A table as a file."""

    content_negotiation_class = AnyAccept
    schema = TableSchema()
    ending: ClassVar[str] = "csv"
    operation: ClassVar[str]

    def table(
        self, name: str, columns: Sequence[str], chunks: Iterator[list[Row]]
    ) -> StreamingHttpResponse:
        return StreamingHttpResponse(
            _document(self.ending, columns, chunks),
            content_type=MEDIA_TYPES[self.ending],
            headers={
                "Content-Disposition": f'attachment; filename="{name}.{self.ending}"',
                "X-Accel-Buffering": "no",
                "Cache-Control": "no-store",
            },
        )


async def _document(
    ending: str, columns: Sequence[str], chunks: Iterator[list[Row]]
) -> AsyncGenerator[bytes]:
    written = writer_for(ending, "missions")
    yield written.head(columns)
    async with aclosing(_in_turn(chunks)) as read:
        async for rows in read:
            yield written.rows(rows)
    yield written.tail()


async def _in_turn(chunks: Iterator[list[Row]]) -> AsyncGenerator[list[Row]]:
    """Each chunk when the one before was taken: a slow client holds no connection meanwhile."""
    while rows := await sync_to_async(_next)(chunks):
        yield rows


def _next(chunks: Iterator[list[Row]]) -> list[Row] | None:
    try:
        return next(chunks, None)
    finally:
        # Back to the pool. One inside a transaction is whoever's began it.
        if not connection.in_atomic_block:
            connection.close()


class MissionTableView(TableView):
    operation = "missions_table"

    @extend_schema(parameters=[MissionFilter])
    def get(self, request: Request) -> StreamingHttpResponse:
        """The missions of the list, by its filters, as a table that can be imported again."""
        wanted = MissionFilter(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        employer = self.actor.employer
        missions = matching(shown_missions().filter(employer=employer), wanted.validated_data)
        if self.ending == "xlsx":
            _refuse_too_many(missions)
        name = f"missions-{timezone.now():%Y%m%dT%H%M}"
        return self.table(name, MISSION_TABLE, mission_chunks(missions, employer))


def _refuse_too_many(missions: QuerySet[Mission]) -> None:
    rows = count_rows(missions)
    if rows > MOST_XLSX_ROWS:
        detail = (
            f"These are {rows} rows and a spreadsheet is written up to {MOST_XLSX_ROWS}:"
            " ask for CSV, or for less."
        )
        raise Invalid(detail, field="to", code="too_many_rows")


class StageTableView(TableView):
    operation = "mission_stages_table"

    @extend_schema(parameters=[])
    def get(self, request: Request, mission_id: UUID) -> StreamingHttpResponse:
        """Every stage of a mission: planned, actual, where, by whom, and what was corrected."""
        mission = self.mission(mission_id)
        employer = self.actor.employer
        name = f"stages-{mission.uuid}"
        return self.table(name, STAGE_TABLE, stage_chunks(mission, employer))
