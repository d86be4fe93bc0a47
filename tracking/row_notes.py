"""What a row of a timeline says beside its time and place: the plan, the evidence, corrections."""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import MarkSource
from missions.models import Attachment, PositionSource, Signature, SiteCheck, StageEvent
from missions.proof_words import (
    OUTCOMES,
    PHOTO_KINDS,
    REASONS,
    RESULTS,
    STAGES,
    distance,
    duration,
    late,
)
from missions.stages import Stage
from tracking.entries import Entry

Write = Callable[[datetime], str]


def warnings_of(entry: Entry) -> Iterator[str]:
    """What stands out with a mark of its own: late, and far from the site."""
    seen = entry.compared
    if seen is not None and seen.on_time is False and (seen.delta_s or 1) > 0:
        yield late(seen.delta_s) if seen.delta_s is not None else _("after its window")
    event = _own_event(entry)
    if event is not None and event.site_check == SiteCheck.OUTSIDE and event.site_distance_m:
        yield _("%(distance)s from the site") % {"distance": distance(event.site_distance_m)}


def evidence_of(entry: Entry, write: Write) -> Iterator[str]:
    """The plan, how a visit was spent, what was said, and what was corrected."""
    yield from _planned(entry, write)
    yield from said_of(entry, write)


def said_of(entry: Entry, write: Write) -> Iterator[str]:
    """The same without the plan, where that has a column of its own."""
    yield from _spent(entry)
    event = _own_event(entry)
    if event is not None:
        yield from _said(event)
        if event.position_source == PositionSource.LAST_KNOWN and event.position_recorded_at:
            yield _("last known position, of %(time)s") % {
                "time": write(event.position_recorded_at)
            }
        yield from _corrected(entry, event, write)
    if entry.proof is not None:
        yield from _shown(entry.proof)
    if entry.segment.type == "result" and entry.stop is not None:
        yield str(RESULTS.get(entry.stop.result, entry.stop.result))
        yield from _reasons(entry.stop.result_reason, entry.stop.remark)


def _own_event(entry: Entry) -> StageEvent | None:
    """The stage of a stage's row; a photo's row has its stage only to find its stop."""
    return entry.event if entry.segment.type == "stage" else None


def _planned(entry: Entry, write: Write) -> Iterator[str]:
    seen = entry.compared
    if seen is None or seen.planned_at is None:
        return
    planned = _("planned %(time)s") % {"time": write(seen.planned_at)}
    is_late = seen.on_time is False and (seen.delta_s or 0) > 0
    yield planned if is_late or seen.delta_s is None else f"{planned}, {late(seen.delta_s)}"


def _spent(entry: Entry) -> Iterator[str]:
    if entry.split is not None:
        parts = (
            (entry.split.waiting_s, _("waiting %(duration)s")),
            (entry.split.loading_s, _("loading %(duration)s")),
            (entry.split.unloading_s, _("unloading %(duration)s")),
            (entry.split.paperwork_s, _("paperwork %(duration)s")),
        )
        told = [text % {"duration": duration(seconds)} for seconds, text in parts if seconds]
        if told:
            yield ", ".join(told)
        if entry.split.end_inferred:
            yield _("an end was not marked: taken from the signature or the departure")
    if entry.detention_s:
        yield _("%(duration)s beyond the free time") % {"duration": duration(entry.detention_s)}


def _said(event: StageEvent) -> Iterator[str]:
    if event.result:
        yield str(RESULTS.get(event.result, event.result))
    yield from _reasons(event.reason, event.note)


def _reasons(reason: str, remark: str) -> Iterator[str]:
    if reason:
        yield str(REASONS.get(reason, reason))
    if remark:
        yield f"“{remark}”"


def _corrected(entry: Entry, event: StageEvent, write: Write) -> Iterator[str]:
    """The original and its correction name each other; who, why, and what it was."""
    if entry.is_superseded:
        by = entry.corrected_by
        if by is not None and by.is_retraction:
            yield _("did not happen, says %(who)s") % {"who": _author(by)}
        elif by is not None:
            yield _("corrected by %(who)s") % {"who": _author(by)}
        if by is not None and by.remark:
            yield f"“{by.remark}”"
        return
    wrong = event.corrects
    if wrong is not None:
        was = STAGES.get(Stage(wrong.stage).label, Stage(wrong.stage).label)
        said = {"stage": was, "time": write(wrong.recorded_at), "who": _author(event)}
        yield _("was: %(stage)s %(time)s; corrected by %(who)s") % said
    elif event.source != MarkSource.DRIVER:
        yield _("entered by %(who)s") % {"who": _author(event)}
    if event.remark:
        yield f"“{event.remark}”"


def _author(event: StageEvent) -> str:
    if event.author is not None:
        return event.author.name or event.author.email
    if event.source == MarkSource.DRIVER:
        return _("the driver")
    return _("the system") if event.source == MarkSource.AUTOMATIC else _("the office")


def _shown(proof: Attachment | Signature) -> Iterator[str]:
    if isinstance(proof, Attachment):
        yield str(PHOTO_KINDS.get(proof.kind, proof.kind))
    else:
        yield str(OUTCOMES.get(proof.outcome, proof.outcome))
        if proof.signer_name:
            yield ", ".join(part for part in (proof.signer_name, proof.signer_role) if part)
        if proof.reservations:
            yield _("reservation: %(text)s") % {"text": proof.reservations}
    if proof.remark:
        yield f"“{proof.remark}”"
