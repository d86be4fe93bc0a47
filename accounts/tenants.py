"""The wall between employers, as one function: another employer's id is 404, always."""

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from accounts.actors import Actor

Row = TypeVar("Row", bound=Model)


def of_employer(rows: type[Row] | QuerySet[Row], actor: Actor, uuid: UUID | str) -> Row:
    """The actor's employer's row with this id. Http404 for another's, none, or no UUID."""
    try:
        wanted = uuid if isinstance(uuid, UUID) else UUID(uuid)
    except (ValueError, TypeError, AttributeError):
        raise Http404 from None
    return get_object_or_404(rows, employer_id=actor.employer.pk, uuid=wanted)
