"""What is where below /api/v1/ and, later, below /."""

from django.urls import URLPattern, URLResolver, path

from missions.api.assignments import (
    AssignmentsView,
    AssignView,
    CancelView,
    EndView,
    HandOverView,
    OneAssignmentView,
    TruckView,
    UnassignView,
)
from missions.api.imports import ConfirmImportView, ImportsView
from missions.api.changes import ChangesView
from missions.api.mine import MyMissionsView
from missions.api.missions import MissionsView, OneMissionView
from missions.api.my_signatures import MySignaturesView
from missions.api.signatures import SignatureLinkView, SignaturesView
from missions.api.sites import OneSiteView, SitesView
from missions.api.stages import StagesView
from missions.api.stops import OneStopView, StopOrderView, StopResultView, StopsView
from missions.file_links import file_view

MISSION = "missions/<uuid:mission_id>"
ASSIGNMENT = f"{MISSION}/assignments/<uuid:assignment_id>"
STOP = f"{MISSION}/stops/<uuid:stop_id>"

api_urlpatterns: list[URLPattern | URLResolver] = [
    path("missions", MissionsView.as_view(), name="missions"),
    path(MISSION, OneMissionView.as_view(), name="mission"),
    path(f"{MISSION}/assignments", AssignmentsView.as_view(), name="mission-assignments"),
    path(
        ASSIGNMENT,
        OneAssignmentView.as_view(),
        name="mission-assignment",
    ),
    path(f"{MISSION}/assign", AssignView.as_view(), name="mission-assign"),
    path(f"{MISSION}/unassign", UnassignView.as_view(), name="mission-unassign"),
    path(f"{MISSION}/hand-over", HandOverView.as_view(), name="mission-hand-over"),
    path(f"{MISSION}/truck", TruckView.as_view(), name="mission-truck"),
    path(f"{MISSION}/end", EndView.as_view(), name="mission-end"),
    path(f"{MISSION}/cancel", CancelView.as_view(), name="mission-cancel"),
    path(f"{MISSION}/stops", StopsView.as_view(), name="stops"),
    path(f"{MISSION}/stops/order", StopOrderView.as_view(), name="stop-order"),
    path(STOP, OneStopView.as_view(), name="stop"),
    path(f"{STOP}/result", StopResultView.as_view(), name="stop-result"),
    path(f"{MISSION}/stages", StagesView.as_view(), name="stages"),
    path(f"{MISSION}/signatures", SignaturesView.as_view(), name="signatures"),
    path(
        f"{MISSION}/signatures/<uuid:signature_id>/link",
        SignatureLinkView.as_view(),
        name="signature-link",
    ),
    path("mission-imports", ImportsView.as_view(), name="mission-imports"),
    path(
        "mission-imports/<uuid:import_id>/confirm",
        ConfirmImportView.as_view(),
        name="mission-import-confirm",
    ),
    path("sites", SitesView.as_view(), name="sites"),
    path("sites/<uuid:site_id>", OneSiteView.as_view(), name="site"),
    path("changes", ChangesView.as_view(), name="changes"),
    path("me/missions", MyMissionsView.as_view(), name="my-missions"),
    path("me/signatures", MySignaturesView.as_view(), name="my-signatures"),
]
page_urlpatterns: list[URLPattern | URLResolver] = [
    path("files/<str:token>", file_view, name="file"),
]
