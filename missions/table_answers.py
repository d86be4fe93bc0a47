"""A small table as a file, written whole. One that may be long is streamed: api/exports.py."""

from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from missions.tables import MEDIA_TYPES, Row, writer_for


def table_answer(
    name: str, ending: str, sheet: str, columns: Sequence[str], batches: Iterable[Iterable[Row]]
) -> HttpResponse:
    """`ending` is one of MEDIA_TYPES, `name` the file's without it; `sheet` is for XLSX."""
    written = writer_for(ending, sheet)
    content = written.head(columns)
    content += b"".join(written.rows(batch) for batch in batches)
    content += written.tail()
    return HttpResponse(
        content,
        content_type=MEDIA_TYPES[ending],
        headers={"Content-Disposition": f'attachment; filename="{name}.{ending}"'},
    )
