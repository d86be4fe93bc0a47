"""A proof's values as the words of one language, for the PDF and for the page alike."""

from datetime import datetime
from typing import Final

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from missions.proof_parts import (
    Fact,
    IssueTexts,
    PhotoTexts,
    ProofTexts,
    SignatureTexts,
    Table,
)
from missions.proof_values import DRIVER, PhotoValues, ProofValues, SignatureValues, StageValues
from missions.proof_words import (
    CHECKS,
    MISSING,
    NOTHING,
    OUTCOMES,
    PHOTO_KINDS,
    PURPOSES,
    REASONS,
    RESULTS,
    STAGES,
    clock,
    distance,
    duration,
    late,
    moment,
)
from missions.site_sketch import Mark

LOCALES: Final = ("en", "nl", "fr")


def proof_texts(values: ProofValues, locale: str, *, photos_shown: int | None = None) -> ProofTexts:
    """The words of a proof. With `photos_shown` only so many photos are named one by one."""
    with translation.override(locale):
        shown = values.photos if photos_shown is None else values.photos[:photos_shown]
        more = len(values.photos) - len(shown)
        return ProofTexts(
            locale=locale,
            title=_("Proof of delivery"),
            employer=_("Carrier: %(name)s") % {"name": values.employer},
            consignee=values.consignee,
            facts=_facts(values),
            missing=tuple(str(MISSING[name]) for name in values.missing if name in MISSING),
            goods=_goods(values),
            goods_note=_goods_note(values),
            times=_times(values),
            spent=_spent(values),
            stages=_stages(values),
            marks=tuple(_marks(values)),
            radius_m=values.radius_m,
            sketch_title=_sketch_title(values),
            signatures_title=_("Signature"),
            signatures=tuple(_signature(row, values.timezone) for row in values.signatures),
            nobody_signed=_("No signature was asked for yet."),
            photos_title=_("Photos"),
            photos=tuple(
                PhotoTexts(
                    photo.id,
                    _caption(photo, values.timezone),
                )
                for photo in shown
            ),
            photo_not_there=_("This photo could not be read."),
            more_photos=ngettext(
                "%(count)d more photo is kept with the mission.",
                "%(count)d more photos are kept with the mission.",
                more,
            )
            % {"count": more}
            if more
            else "",
            disclaimer=_(
                "This is a proof of delivery. It is not a consignment note and no e-CMR. "
                "A drawn signature is a simple electronic signature."
            ),
        )


def issue_texts(
    locale: str, *, number: int, issued_at: datetime, zone: str, replaces: list[int], url: str
) -> IssueTexts:
    """The words of one issue; `url` is where the public page is, or empty."""
    with translation.override(locale):
        numbers = ", ".join(map(str, replaces))
        return IssueTexts(
            number=_("No. %(number)d") % {"number": number},
            issued=_("Issued on %(at)s") % {"at": moment(issued_at, zone)},
            replaces=_("Replaces no. %(numbers)s") % {"numbers": numbers} if replaces else "",
            code_label=_("Verification code"),
            verify=_("Look the code up at %(url)s to see whether this proof was issued.")
            % {"url": url}
            if url
            else _(
                "Look the code up on the verification page of the haulier's Milepost to see "
                "whether this proof was issued."
            ),
            page=_("Page %(page)s of %(pages)s") % {"page": "{page}", "pages": "{pages}"},
        )


def _facts(values: ProofValues) -> tuple[Fact, ...]:
    where = ", ".join(filter(None, (values.address, values.country if values.address else "")))
    stop = " · ".join(filter(None, (f"{values.stop_seq}", _written(values.stop_reference))))
    reason = REASONS.get(values.result_reason, values.result_reason)
    result = str(RESULTS.get(values.result, values.result))
    facts = [
        (_("Consignee"), values.consignee or NOTHING),
        (_("Address"), where),
        (_("Mission"), _written(values.mission)),
        (_("Stop"), f"{stop} ({PURPOSES.get(values.purpose, values.purpose)})"),
        (_("e-CMR number"), _written(values.ecmr_number)),
        (_("Result"), f"{result}: {reason}" if reason else result),
    ]
    return tuple(Fact(label, value) for label, value in facts if value)


def _goods(values: ProofValues) -> Table:
    rows = tuple(
        (
            _written(" · ".join(filter(None, (line.description, line.reference)))),
            line.unit,
            line.planned,
            NOTHING if line.actual is None else line.actual + ("" if line.is_counted else " *"),
        )
        for line in values.goods
    )
    heads = (
        pgettext("goods", "Goods"),
        pgettext("goods", "Unit"),
        pgettext("goods", "Planned"),
        pgettext("goods", "Actual"),
    )
    return Table(_("Goods"), heads, rows, numbers=(2, 3))


def _goods_note(values: ProofValues) -> str:
    is_uncounted = any(line.actual is not None and not line.is_counted for line in values.goods)
    return _("* as planned; nobody counted it") if is_uncounted else ""


def _caption(photo: PhotoValues, zone: str) -> str:
    return f"{PHOTO_KINDS.get(photo.kind, photo.kind)}, {clock(photo.at, zone)}"


def _times(values: ProofValues) -> Table:
    zone = values.timezone

    def shown(at: datetime | None) -> str:
        return NOTHING if at is None else clock(at, zone)

    rows = [
        (
            _("Arrival"),
            shown(values.planned_arrival_at),
            shown(values.arrived_at),
            late(values.arrival_delta_s),
        ),
        (
            _("Departure"),
            shown(values.planned_departure_at),
            shown(values.departed_at),
            late(values.departure_delta_s),
        ),
    ]
    if values.window_start_at or values.window_end_at:
        window = f"{shown(values.window_start_at)} {NOTHING} {shown(values.window_end_at)}"
        kept = {True: _("kept"), False: _("missed"), None: NOTHING}[values.on_time]
        rows.insert(0, (_("Window"), window, shown(values.arrived_at), kept))
    heads = (
        pgettext("times", "What"),
        pgettext("times", "Planned"),
        pgettext("times", "Actual"),
        pgettext("times", "Difference"),
    )
    title = _("Times in %(zone)s") % {"zone": zone}
    return Table(title, heads, tuple(rows))


def _spent(values: ProofValues) -> tuple[Fact, ...]:
    inferred = f" ({_('end inferred')})" if values.end_inferred else ""
    spent = [
        (_("Waiting"), values.waiting_s, ""),
        (_("Loading"), values.loading_s, inferred),
        (_("Unloading"), values.unloading_s, inferred),
        (_("In all"), values.dwell_s, ""),
    ]
    return tuple(
        Fact(label, duration(seconds) + note)
        for label, seconds, note in spent
        if seconds is not None
    )


def _stages(values: ProofValues) -> Table:
    heads = (
        "",
        _("Stage"),
        _("Time"),
        _("From the site"),
        _("At the site"),
    )
    rows = tuple(
        (letter, _stage(stage), clock(stage.at, values.timezone), _far(stage), _check(stage))
        for letter, stage in zip(letters(len(values.stages)), values.stages, strict=True)
    )
    return Table(_("Stages"), heads, rows)


def _stage(stage: StageValues) -> str:
    name = str(STAGES.get(stage.stage, stage.stage))
    if stage.reason:
        name += f": {REASONS.get(stage.reason, stage.reason)}"
    return name if stage.source == "driver" else f"{name} ({_source(stage.source)})"


def _source(source: str) -> str:
    return _("entered by the dispatcher") if source == "dispatcher" else _("automatic")


def _far(stage: StageValues) -> str:
    if stage.distance_m is None:
        return NOTHING
    far = distance(stage.distance_m)
    return far if stage.accuracy_m is None else f"{far} ± {distance(stage.accuracy_m)}"


def _check(stage: StageValues) -> str:
    return str(CHECKS.get(stage.check, stage.check))


def letters(count: int) -> list[str]:
    """A, B, … Z, then A2, B2, …"""
    return [
        chr(65 + index % 26) + (str(index // 26 + 1) if index > 25 else "")
        for index in range(count)
    ]


def _marks(values: ProofValues) -> list[Mark]:
    return [
        Mark(letter, stage.distance_m, stage.accuracy_m)
        for letter, stage in zip(letters(len(values.stages)), values.stages, strict=True)
        if stage.distance_m is not None
    ]


def _sketch_title(values: ProofValues) -> str:
    if values.radius_m is None:
        return ""
    return _("The site, %(radius)s around its middle; distances, no directions") % {
        "radius": distance(values.radius_m)
    }


def _signature(row: SignatureValues, zone: str) -> SignatureTexts:
    facts = [
        (_("Name"), _written(row.signer_name)),
        (_("Role"), _written(row.signer_role)),
        (_("Time"), clock(row.at, zone)),
    ]
    return SignatureTexts(
        row.id,
        str(OUTCOMES.get(row.outcome, row.outcome)),
        tuple(Fact(label, value) for label, value in facts if value),
        (Fact(_("Reservations"), _written(row.reservations) or pgettext("reservations", "none")),),
        _("Signed for: SHA-256 %(hash)s") % {"hash": row.document_sha256},
    )


def _written(text: str) -> str:
    """What somebody wrote, with words where a driver's name stood."""
    return text.replace(DRIVER, _("the driver"))
