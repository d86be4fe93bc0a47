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
from missions.api.attachments import AttachmentLinkView, AttachmentsView
from missions.api.changes import ChangesView
from missions.api.exports import ENDINGS, MissionTableView, StageTableView
from missions.api.imports import ConfirmImportView, ImportsView, OneImportView
from missions.api.mine import MyMissionsView
from missions.api.missions import MissionsView, OneMissionView
from missions.api.my_attachments import MyAttachmentLinkView, MyAttachmentsView
from missions.api.my_signatures import MySignaturesView
from missions.api.my_stages import MyCorrectionsView, MyMissionStagesView
from missions.api.share_links import ShareLinkRevocationView, ShareLinksView
from missions.api.signatures import SignatureLinkView, SignaturesView
from missions.api.sites import OneSiteView, SitesView
from missions.api.stages import StagesView
from missions.api.stops import OneStopView, StopOrderView, StopResultView, StopsView
from missions.api.webhooks import (
    DeliveriesView,
    OneWebhookView,
    RedeliverView,
    WebhookDisableView,
    WebhookEnableView,
    WebhookSecretView,
    WebhooksView,
    WebhookTestView,
)
from missions.file_links import file_view
from missions.pages.imports import (
    mission_import,
    mission_import_confirm,
    mission_import_example,
    mission_imports,
)
from missions.pages.mission_forms import mission_edit, mission_new
from missions.pages.mission_moves import (
    mission_assign_page,
    mission_cancel_page,
    mission_end_page,
)
from missions.pages.share import share_revoke, share_stop
from missions.pages.sites import site_new, site_page, site_remove, sites_page
from missions.pages.stage_forms import stage_correct, stage_new, stop_result_new
from missions.pages.verify import verify, verify_code
from missions.pages.webhooks import (
    webhook_new,
    webhook_page,
    webhook_redeliver,
    webhook_remove,
    webhook_rotate,
    webhook_switch,
    webhook_test,
    webhooks_page,
)

MISSION = "missions/<uuid:mission_id>"
ASSIGNMENT = f"{MISSION}/assignments/<uuid:assignment_id>"
STOP = f"{MISSION}/stops/<uuid:stop_id>"
WEBHOOK = "webhooks/<uuid:id>"
HOOK_PAGE = f"manage/{WEBHOOK}"

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
    path(f"{MISSION}/share-links", ShareLinksView.as_view(), name="share-links"),
    path(
        f"{MISSION}/share-links/<uuid:link_id>/revoke",
        ShareLinkRevocationView.as_view(),
        name="share-link-revoke",
    ),
    *(
        path(
            f"missions.{ending}", MissionTableView.as_view(ending=ending), name=f"missions-{ending}"
        )
        for ending in ENDINGS
    ),
    *(
        path(
            f"{MISSION}/stages.{ending}",
            StageTableView.as_view(ending=ending),
            name=f"stages-{ending}",
        )
        for ending in ENDINGS
    ),
    path("mission-imports", ImportsView.as_view(), name="mission-imports"),
    path(
        "mission-imports/<uuid:import_id>", OneImportView.as_view(), name="mission-import-checked"
    ),
    path(
        "mission-imports/<uuid:import_id>/confirm",
        ConfirmImportView.as_view(),
        name="mission-import-confirm",
    ),
    path("sites", SitesView.as_view(), name="sites"),
    path("sites/<uuid:site_id>", OneSiteView.as_view(), name="site"),
    path("webhooks", WebhooksView.as_view(), name="webhooks"),
    path(WEBHOOK, OneWebhookView.as_view(), name="webhook"),
    path(f"{WEBHOOK}/rotate-secret", WebhookSecretView.as_view(), name="webhook-rotate-secret"),
    path(f"{WEBHOOK}/enable", WebhookEnableView.as_view(), name="webhook-enable"),
    path(f"{WEBHOOK}/disable", WebhookDisableView.as_view(), name="webhook-disable"),
    path(f"{WEBHOOK}/test", WebhookTestView.as_view(), name="webhook-test"),
    path(f"{WEBHOOK}/deliveries", DeliveriesView.as_view(), name="webhook-deliveries"),
    path(
        f"{WEBHOOK}/deliveries/<uuid:delivery_id>/redeliver",
        RedeliverView.as_view(),
        name="webhook-redeliver",
    ),
    path("changes", ChangesView.as_view(), name="changes"),
    path(f"{MISSION}/attachments", AttachmentsView.as_view(), name="attachments"),
    path(
        f"{MISSION}/attachments/<uuid:attachment_id>/link",
        AttachmentLinkView.as_view(),
        name="attachment-link",
    ),
    path("me/missions", MyMissionsView.as_view(), name="my-missions"),
    path("me/missions/<uuid:mission_id>/stages", MyMissionStagesView.as_view(), name="my-stages"),
    path(
        "me/stages/<uuid:stage_id>/corrections", MyCorrectionsView.as_view(), name="my-corrections"
    ),
    path("me/attachments", MyAttachmentsView.as_view(), name="my-attachments"),
    path(
        "me/attachments/<uuid:attachment_id>/link",
        MyAttachmentLinkView.as_view(),
        name="my-attachment-link",
    ),
    path("me/signatures", MySignaturesView.as_view(), name="my-signatures"),
]
page_urlpatterns: list[URLPattern | URLResolver] = [
    path("files/<str:token>", file_view, name="file"),
    path("missions/new", mission_new, name="mission_new"),
    path("missions/import", mission_imports, name="mission_imports"),
    *(
        path(
            f"missions/import/example.{ending}",
            mission_import_example,
            {"ending": ending},
            name=f"mission_import_{ending}",
        )
        for ending in ENDINGS
    ),
    path("missions/import/<uuid:import_id>", mission_import, name="mission_import"),
    path(
        "missions/import/<uuid:import_id>/confirm",
        mission_import_confirm,
        name="mission_import_confirm",
    ),
    path(f"{MISSION}/edit", mission_edit, name="mission_edit"),
    path(f"{MISSION}/assign", mission_assign_page, name="mission_assign_page"),
    path(f"{MISSION}/end", mission_end_page, name="mission_end_page"),
    path(f"{MISSION}/cancel", mission_cancel_page, name="mission_cancel_page"),
    path(f"{MISSION}/result", stop_result_new, name="stop_result_new"),
    path(f"{MISSION}/stages/new", stage_new, name="stage_new"),
    path(
        f"{MISSION}/stages/<uuid:stage_id>/correct",
        stage_correct,
        name="stage_correct",
    ),
    path("manage/sites", sites_page, name="sites_page"),
    path("manage/sites/new", site_new, name="site_new"),
    path("manage/sites/<uuid:site_id>", site_page, name="site_page"),
    path("manage/sites/<uuid:site_id>/remove", site_remove, name="site_remove"),
    path(f"{STOP}/share", share_stop, name="share_stop"),
    path(f"{MISSION}/share-links/<uuid:link_id>/revoke", share_revoke, name="share_revoke"),
    path("manage/webhooks", webhooks_page, name="webhooks_page"),
    path("manage/webhooks/new", webhook_new, name="webhook_new"),
    path(HOOK_PAGE, webhook_page, name="webhook_page"),
    path(f"{HOOK_PAGE}/secret", webhook_rotate, name="webhook_rotate"),
    path(f"{HOOK_PAGE}/test", webhook_test, name="webhook_test_page"),
    path(f"{HOOK_PAGE}/switch", webhook_switch, name="webhook_switch"),
    path(f"{HOOK_PAGE}/remove", webhook_remove, name="webhook_remove"),
    path(
        f"{HOOK_PAGE}/deliveries/<uuid:delivery_id>/again",
        webhook_redeliver,
        name="webhook_again",
    ),
    path("verify", verify, name="verify"),
    path("verify/<str:code>", verify_code, name="verify-code"),
]
