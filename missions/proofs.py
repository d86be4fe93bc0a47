"""Proofs of delivery: asked for, numbered, issued with a code, and replaced; never changed.

What a proof says is handed down by whoever can gather it: this file knows rows, not times.
The row is the queue: it waits until `issue` has made it, whoever calls that and how often.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import Employer
from missions.models import ProofOfDelivery, Stop
from missions.proof import Issue, proof_pdf
from missions.proof_pictures import Pictures
from missions.proof_texts import LOCALES, issue_texts, proof_texts
from missions.proof_values import ProofValues, as_json
from missions.stored_files import StorageAway, stored

log = logging.getLogger(__name__)

# Crockford's base 32: no I, L, O and U, so that a code survives being read out.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH: Final = 16  # of 5 bits: nobody guesses 80 bits, so a plain hash will do
GROUP: Final = 4
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
# More photos than this are counted on the proof, not printed.
MOST_PHOTOS: Final = 24
# A lock on a stop's proofs alone: the stop's own row is what phones write to.
_LOCK_OF_PROOFS: Final = 0x0D10

State = Literal["requested", "issued", "failed"]


@dataclass(frozen=True, slots=True)
class Requested:
    """The proof, and whether this request asked for it first."""

    proof: ProofOfDelivery
    is_new: bool


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a proof says and shows, at one moment."""

    values: ProofValues
    pictures: Pictures


def proofs_in_force() -> QuerySet[ProofOfDelivery]:
    """Those that are issued and that no later one has replaced."""
    return ProofOfDelivery.objects.filter(issued_at__isnull=False, superseded_by=None)


def state_of(proof: ProofOfDelivery) -> State:
    if proof.issued_at is not None:
        return "issued"
    return "failed" if proof.failure else "requested"


def locale_for(stop: Stop, employer: Employer) -> str:
    """The language of the people at the site, else the employer's."""
    spoken = ((stop.site.language if stop.site else "") or employer.language)[:2]
    return spoken if spoken in LOCALES else LOCALES[0]


@transaction.atomic
def request_proof(
    stop: Stop, values: ProofValues, locale: str, *, actor: Actor | None = None
) -> Requested:
    """Ask for a proof in one language. One that says the same, or is on its way, comes back."""
    _lock_proofs(stop)
    own = ProofOfDelivery.objects.filter(stop=stop, locale=locale)
    waiting = own.filter(issued_at__isnull=True, failure="").first()
    if waiting is not None:
        return Requested(waiting, is_new=False)
    issued = proofs_in_force().filter(stop=stop, locale=locale).order_by("-id").first()
    if issued is not None and issued.printed == as_json(values):
        return Requested(issued, is_new=False)
    proof = ProofOfDelivery.objects.create(
        employer_id=stop.employer_id,
        mission_id=stop.mission_id,
        stop=stop,
        locale=locale,
        requested_by=actor.user if actor else None,
    )
    about = {"mission": str(stop.mission.uuid), "stop": str(stop.uuid)}
    record(actor, "proof.requested", proof, {**about, "locale": locale})
    return Requested(proof, is_new=True)


def waiting_proofs() -> list[int]:
    """Those that nobody has issued yet, oldest first."""
    waiting = ProofOfDelivery.objects.filter(issued_at__isnull=True, failure="")
    return list(waiting.order_by("id").values_list("pk", flat=True)[:500])


def issue(proof_id: int, gather: Callable[[ProofOfDelivery], Gathered | None]) -> bool:
    """Issue a proof that waits. False when there is nothing to do, or not now.

    `gather` gives None while it cannot be said what happened. A database or a store of files
    that is away leaves it waiting for the next sweep. What else fails is a defect of ours: the
    row says so, and holds up no other.
    """
    if not _number(proof_id):
        return False
    try:
        return _issue(proof_id, gather)
    except (OperationalError, InterfaceError, OSError, StorageAway):
        raise
    except Exception:
        log.exception("a proof of delivery could not be made")
        ProofOfDelivery.objects.filter(pk=proof_id, issued_at=None).update(failure="not_made")
        return False


@transaction.atomic
def _number(proof_id: int) -> bool:
    """Give a waiting proof the employer's next number. It keeps it, however often it is tried."""
    proof = ProofOfDelivery.objects.filter(pk=proof_id, issued_at=None, failure="").first()
    if proof is None:
        return False
    # So that two proofs do not take one number. Rows that point to an employer do not wait.
    Employer.objects.select_for_update(no_key=True).get(pk=proof.employer_id)
    taken = ProofOfDelivery.objects.filter(employer_id=proof.employer_id)
    newest = taken.aggregate(newest=Max("number"))["newest"] or 0
    ProofOfDelivery.objects.filter(pk=proof_id, number=None).update(number=newest + 1)
    return True


@transaction.atomic
def _issue(proof_id: int, gather: Callable[[ProofOfDelivery], Gathered | None]) -> bool:
    waiting = ProofOfDelivery.objects.filter(issued_at=None, failure="", pk=proof_id)
    locked = waiting.select_for_update(skip_locked=True, of=("self",))
    proof = locked.select_related("stop__site", "mission__employer").first()
    if proof is None:
        return False
    _lock_proofs(proof.stop)
    gathered = gather(proof)
    if gathered is None:
        return False
    printed = as_json(gathered.values)
    replaced = list(_replaced_by(proof, printed).order_by("number"))
    now, code = timezone.now().replace(microsecond=0), new_code()
    content = _pdf(proof, gathered, now, code, [old.number or 0 for old in replaced])
    with stored(content, ".pdf") as name:
        proof.issued_at, proof.pdf, proof.printed = now, name, printed
        proof.content_sha256, proof.code_hash = sha256(content).digest(), code_hash(code)
        proof.save()
        ProofOfDelivery.objects.filter(pk__in=[old.pk for old in replaced]).update(
            superseded_by=proof
        )
        about = {"mission": str(proof.stop.mission.uuid), "stop": str(proof.stop.uuid)}
        detail = {"number": proof.number, "replaces": [old.number for old in replaced]}
        record(None, "proof.issued", proof, {**about, **detail})
    return True


def _replaced_by(proof: ProofOfDelivery, printed: dict[str, Any]) -> QuerySet[ProofOfDelivery]:
    """Proofs in force of the same stop that say something else, or the same in this language.

    One that says the same in another language stays in force beside it.
    """
    in_force = proofs_in_force().filter(stop_id=proof.stop_id)
    return in_force.filter(Q(locale=proof.locale) | ~Q(printed=printed))


def _pdf(
    proof: ProofOfDelivery, gathered: Gathered, now: datetime, code: str, replaces: list[int]
) -> bytes:
    texts = proof_texts(gathered.values, proof.locale, photos_shown=MOST_PHOTOS)
    page = f"{settings.PUBLIC_URL}/verify" if settings.PUBLIC_URL else ""
    own = issue_texts(
        proof.locale,
        number=proof.number or 0,
        issued_at=now,
        zone=gathered.values.timezone,
        replaces=replaces,
        url=page,
    )
    copy = Issue(own, now, in_groups(code), f"{page}/{code}" if page else "")
    return proof_pdf(texts, gathered.pictures, copy, fonts=settings.FONTS_DIR)


def _lock_proofs(stop: Stop) -> None:
    """Whoever asks for or issues a proof of this stop waits until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_OF_PROOFS, stop.pk])


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def in_groups(code: str) -> str:
    """For people to read: 7K3M-9QWX-0ABC-DEFG."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def code_hash(code: str) -> bytes:
    """Of the code as meant: capitals, dashes and misread letters do not matter."""
    return sha256(b"proof:" + code.upper().translate(_MISREAD).encode()).digest()


@dataclass(frozen=True, slots=True)
class Verified:
    """What the public is told of a proof, and nothing else."""

    issued_at: datetime
    sha256: str
    is_superseded: bool


def verified(code: str) -> Verified | None:
    """What a code proves; None for one of nobody. One query, whatever was typed."""
    proof = ProofOfDelivery.objects.filter(code_hash=code_hash(code[:100])).first()
    if proof is None or proof.issued_at is None or proof.content_sha256 is None:
        return None
    return Verified(
        proof.issued_at, bytes(proof.content_sha256).hex(), proof.superseded_by_id is not None
    )
