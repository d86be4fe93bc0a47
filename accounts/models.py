"""Employers, people who sign in, drivers, phones, trucks, and who had which when.

Every tenant table carries its employer, and its foreign keys to other tenant tables are
composite `(employer_id, id)` in the database (see `tenancy.py`), so that a link between
two employers cannot be stored. Django knows only the single-column half of them.

Driver and truck are pointed to with PROTECT: a table that an erasure forgot makes it fail
loudly instead of taking other rows along.
"""

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.crypto import salted_hmac

from accounts.duty_marks import DUTY_KINDS, PRIVATE_KINDS, DutyMarkKind
from accounts.periods import ends_at, never_two
from accounts.trail import AuditEntry as AuditEntry
from accounts.trail import KeptAnswer as KeptAnswer
from accounts.trail import Look as Look


class TrackingWindow(models.TextChoices):
    """When an employer's drivers are tracked at all."""

    MISSION = "mission", "while a mission is open"
    DUTY = "duty", "while a duty or a mission is open"
    ALWAYS = "always", "always, with a recorded justification"


class Role(models.TextChoices):
    """What a person or an API key may do for one employer."""

    DISPATCHER = "dispatcher", "dispatcher"
    MANAGER = "manager", "manager"
    DPO = "dpo", "data protection officer"


class TokenScope(models.TextChoices):
    """What a phone's token opens."""

    APP = "app", "our own app: ingest and the driver's API, as Bearer only"
    INGEST = "ingest", "an off-the-shelf client: ingest only, also in the path"


class MarkSource(models.TextChoices):
    """Who said so."""

    DRIVER = "driver", "the driver's phone"
    DISPATCHER = "dispatcher", "a dispatcher"
    AUTOMATIC = "automatic", "the system"


class Employer(models.Model):
    """A haulier: the controller of its drivers' data, and the wall between tenants."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2, default="BE")
    timezone = models.CharField(max_length=64, default="Europe/Brussels")
    language = models.CharField(max_length=5, default="en")
    tracking_window = models.CharField(
        max_length=8, choices=TrackingWindow, default=TrackingWindow.DUTY
    )
    window_justification = models.TextField(blank=True)
    min_spacing_m = models.PositiveIntegerField(default=500)
    route_months = models.PositiveSmallIntegerField(default=2)
    staff_informed_on = models.DateField(null=True, blank=True)
    # How far an arrival may be from a planned time (not a window) and still be on time.
    early_s = models.PositiveIntegerField(default=900)
    late_s = models.PositiveIntegerField(default=900)
    is_two_factor_required = models.BooleanField(default=False)
    # Whether a consignee may be sent a link to one stop, and whether it may show the exact
    # position of the truck instead of a coarse one.
    is_share_enabled = models.BooleanField(default=False, db_default=False)
    is_shared_position_exact = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="always_tracking_is_justified_and_announced",
                condition=~Q(tracking_window="always")
                | (~Q(window_justification="") & Q(staff_informed_on__isnull=False)),
            ),
            models.CheckConstraint(
                name="routes_live_at_most_a_year", condition=Q(route_months__lte=12)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes users; the e-mail address is the user name, folded to lower case."""

    def create_user(self, email: str, password: str | None = None) -> "User":
        user = self.model(email=email.strip().lower())
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person who signs in with an e-mail address."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=5, blank=True)
    is_operator = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    has_shortcuts = models.BooleanField(default=True, db_default=True)  # single keys on pages
    # No sign-in from before this moment is good any more.
    sessions_ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="one_user_per_email_address"),
        ]

    def __str__(self) -> str:
        return self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What each session carries; when it changes all of them end, as on a new password."""
        of_password: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        if self.sessions_ended_at is None:
            return of_password
        ended_at = self.sessions_ended_at.isoformat()
        return salted_hmac("accounts.sessions", of_password + ended_at, secret=secret).hexdigest()


class Membership(models.Model):
    """The role a user has at an employer; the only way from a person to a tenant's data."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "employer", "role"], name="one_membership_per_role"
            ),
        ]


class Driver(models.Model):
    """A person whose phone reports. May be nameless: then it is a phone account only."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="drivers")
    user = models.OneToOneField(User, on_delete=models.PROTECT, null=True, blank=True)
    number = models.CharField(max_length=50, null=True, blank=True)  # noqa: DJ001
    name = models.CharField(max_length=200, blank=True)
    # Core PostgreSQL of the embedded wheel has no ICU: searched and sorted on this.
    name_folded = models.CharField(max_length=200, blank=True, editable=False)
    language = models.CharField(max_length=5, blank=True)
    adult_attested_on = models.DateField(null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employer", "id"], name="driver_of_its_employer"),
            models.UniqueConstraint(fields=["employer", "number"], name="one_driver_per_number"),
        ]
        indexes: ClassVar = [
            # Read by the driver list.
            models.Index(fields=["employer", "name_folded", "id"], name="drivers_by_name"),
        ]


class Truck(models.Model):
    """A vehicle, known by its plate while it is in service."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="trucks")
    plate = models.CharField(max_length=20)
    country = models.CharField(max_length=2, default="BE")
    name = models.CharField(max_length=100, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employer", "id"], name="truck_of_its_employer"),
            models.UniqueConstraint(
                fields=["employer", "country", "plate"],
                condition=Q(retired_at__isnull=True),
                name="one_truck_in_service_per_plate",
            ),
        ]

    def __str__(self) -> str:
        return self.plate


class AssignmentSource(models.TextChoices):
    """Where a truck assignment came from."""

    APP = "app", "the driver's app"
    DISPATCHER = "dispatcher", "a dispatcher"
    TACHOGRAPH = "tachograph", "a tachograph"
    QR = "qr", "a code in the cab"
    STATIC = "static", "always the same"


class TruckAssignment(models.Model):
    """Who drove which truck during a half-open period."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    # Indexed together with when they end, below.
    truck = models.ForeignKey(
        Truck, on_delete=models.PROTECT, related_name="assignments", db_index=False
    )
    driver = models.ForeignKey(
        Driver,
        on_delete=models.PROTECT,
        null=True,
        related_name="truck_assignments",
        db_index=False,
    )
    erased_driver = models.UUIDField(null=True, blank=True)
    period = DateTimeRangeField()
    source = models.CharField(
        max_length=10, choices=AssignmentSource, default=AssignmentSource.DISPATCHER
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            never_two("one_driver_per_truck_at_a_time", "truck_id"),
            never_two("one_truck_per_driver_at_a_time", "driver_id", may_be_null=True),
            models.CheckConstraint(
                name="truck_assignment_has_a_driver_or_an_erased_one",
                condition=Q(driver__isnull=False) ^ Q(erased_driver__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            # Read by the recording statement: the trucks of a driver since a moment.
            models.Index(F("driver"), ends_at("period"), name="trucks_of_a_driver"),
            # Read by a truck's history: its drivers since a moment.
            models.Index(F("truck"), ends_at("period"), name="drivers_of_a_truck"),
        ]


class Device(models.Model):
    """A phone. Its tokens come and go; who carried it when is in its holdings."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="devices")
    name = models.CharField(max_length=100, blank=True)
    platform = models.CharField(max_length=40, blank=True)  # or which app, off the shelf
    last_seen_at = models.DateTimeField(null=True, blank=True)
    health = models.JSONField(db_default={})  # what it says of itself: serializers.Health
    payload_key = models.BinaryField(null=True)  # a passphrase, sealed; opens what it encrypts
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employer", "id"], name="device_of_its_employer"),
        ]


class DeviceToken(models.Model):
    """A secret that opens ingest for one phone. Only its SHA-256 is stored.

    Rotation adds a second row and lets the first expire 14 days later, so that a phone
    whose answer was lost can still come in with the old one.
    """

    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="tokens")
    scope = models.CharField(max_length=6, choices=TokenScope)
    token_hash = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())


class DeviceHolding(models.Model):
    """Which driver carried a phone during a half-open period."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="holdings")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="holdings")
    period = DateTimeRangeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [never_two("one_holder_per_device_at_a_time", "device_id")]


class PairingCode(models.Model):
    """A short code that a phone trades, once and within 15 minutes, for its token."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    driver = models.ForeignKey(Driver, on_delete=models.CASCADE, related_name="+")
    code_hash = models.BinaryField(max_length=32, unique=True)
    scope = models.CharField(max_length=6, choices=TokenScope, default=TokenScope.APP)
    device_name = models.CharField(max_length=100, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())


class Tries(models.Model):
    """Tries of one kind from one address in one hour; kind and address as one hash only."""

    address_hash = models.BinaryField(max_length=32)
    hour_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["address_hash", "hour_at"], name="one_count_per_address_and_hour"
            ),
        ]


class ApiKey(models.Model):
    """A secret of the employer's own systems, with one role. Only its SHA-256 is stored."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=10, choices=Role)
    prefix = models.CharField(max_length=12)
    key_hash = models.BinaryField(max_length=32, unique=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())


class DutyMark(models.Model):
    """The driver began or ended duty or private mode: time only, no place."""

    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="duty_marks")
    kind = models.PositiveSmallIntegerField(choices=[(kind, kind.label) for kind in DutyMarkKind])
    recorded_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=10, choices=MarkSource, default=MarkSource.DRIVER)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["driver", "recorded_at", "kind"],
                name="a_duty_mark_is_stored_once",
            ),
        ]
        indexes: ClassVar = [
            # Read by the recording statement: the newest mark of a class at a moment.
            models.Index(
                fields=["driver", "-recorded_at", "-kind"],
                condition=Q(kind__in=DUTY_KINDS),
                name="duty_marks_of_a_driver",
            ),
            models.Index(
                fields=["driver", "-recorded_at", "-kind"],
                condition=Q(kind__in=PRIVATE_KINDS),
                name="private_marks_of_a_driver",
            ),
        ]
