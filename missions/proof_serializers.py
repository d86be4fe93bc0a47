"""Proofs of delivery as JSON. The verification code is on the PDF alone."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import Form, UuidOf
from missions.models import ProofOfDelivery
from missions.proof_texts import LOCALES
from missions.proofs import state_of
from missions.signature_serializers import Sha256Field


class ProofRequest(Form):
    locale = serializers.ChoiceField(
        LOCALES, required=False, help_text="default: the site's language, else the employer's"
    )


class ProofSerializer(Form):
    """A proof is requested, then issued or failed; once issued it never changes.

    `superseded_by` is the proof that replaces it. `printed` is what it says.
    """

    id = serializers.UUIDField(source="uuid")
    mission = UuidOf("mission")
    stop = UuidOf("stop")
    state = serializers.SerializerMethodField()
    number = serializers.IntegerField(allow_null=True)
    locale = serializers.CharField()
    requested_at = serializers.DateTimeField()
    issued_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.CharField()
    content_sha256 = Sha256Field(allow_null=True)
    superseded_by = UuidOf("superseded_by", allow_null=True)
    replaces = serializers.SerializerMethodField(help_text="the numbers of those it replaces")
    printed = serializers.DictField()

    @extend_schema_field(serializers.ChoiceField(["requested", "issued", "failed"]))
    def get_state(self, proof: ProofOfDelivery) -> str:
        return state_of(proof)

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_replaces(self, proof: ProofOfDelivery) -> Any:
        # Wants `supersedes` prefetched.
        return sorted(old.number for old in proof.supersedes.all() if old.number is not None)
