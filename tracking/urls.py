"""Where histories, timelines and the fleet are found below /api/v1/ and below /."""

from django.urls import URLPattern, URLResolver, path

from tracking.api.fleet import Fleet
from tracking.api.otm5 import MissionTrip
from tracking.api.proofs import OneProofView, ProofLinkView, ProofsView
from tracking.api.quarantine import Quarantine, QuarantineRetry
from tracking.api.relinks import Relinks
from tracking.api.stop_times import StopTimesView
from tracking.api.timelines import DriverTimeline, MissionTimeline, MyTimeline, TruckTimeline
from tracking.api.tracks import (
    MEDIA_TYPES,
    DriverFixes,
    DriverTrack,
    MissionFixes,
    MissionTrack,
    MyFixes,
    TruckFixes,
    TruckTrack,
)
from tracking.api.whereabouts import Whereabouts
from tracking.days_pages import driver_day, driver_day_file, truck_day, truck_day_file
from tracking.live_page import fleet_table, live, live_stream
from tracking.map_pages import tile_file
from tracking.mission_page import mission_now, mission_page, mission_picture
from tracking.missions_page import missions
from tracking.month_pages import (
    driver_month,
    driver_month_file,
    truck_month,
    truck_month_file,
)
from tracking.move_site_page import move_site_page
from tracking.pages import basemap_file
from tracking.phone_pages import first_fix, first_fix_by_code, phone_link, set_up_phone
from tracking.phones_page import (
    give_new_token,
    hand_over_phone,
    phone,
    phone_passphrase,
    phones,
    revoke_phone,
)
from tracking.proof_page import proof_file, proof_page
from tracking.quarantine_pages import quarantine_page, retry_quarantined
from tracking.relink_page import relink_page
from tracking.replay_page import (
    driver_replay,
    driver_replay_data,
    mission_replay,
    mission_replay_data,
    truck_replay,
    truck_replay_data,
)
from tracking.saved_filters import delete_filter, save_filter
from tracking.shared_page import shared_file, shared_page
from tracking.today_page import home, today_board
from tracking.where_page import where_file, where_places, where_was_who

DRIVER = "drivers/<uuid:driver_id>"
TRUCK = "trucks/<uuid:truck_id>"
MISSION = "missions/<uuid:mission_id>"
PROOFS = f"{MISSION}/stops/<uuid:stop_id>/proofs"

api_urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{DRIVER}/fixes", DriverFixes.as_view(), name="driver-fixes"),
    path(f"{TRUCK}/fixes", TruckFixes.as_view(), name="truck-fixes"),
    path(f"{MISSION}/fixes", MissionFixes.as_view(), name="mission-fixes"),
    *(
        path(f"{subject}/fixes.{ending}", view.as_view(ending=ending), name=f"{name}-{ending}")
        for subject, view, name in (
            (DRIVER, DriverTrack, "driver-fixes"),
            (TRUCK, TruckTrack, "truck-fixes"),
            (MISSION, MissionTrack, "mission-fixes"),
        )
        for ending in MEDIA_TYPES
    ),
    path(f"{DRIVER}/timeline", DriverTimeline.as_view(), name="driver-timeline"),
    path(f"{TRUCK}/timeline", TruckTimeline.as_view(), name="truck-timeline"),
    path(f"{MISSION}/timeline", MissionTimeline.as_view(), name="mission-timeline"),
    path(f"{MISSION}/otm5", MissionTrip.as_view(), name="mission-otm5"),
    path(f"{MISSION}/stops/times", StopTimesView.as_view(), name="stop-times"),
    path(PROOFS, ProofsView.as_view(), name="proofs"),
    path(f"{PROOFS}/<uuid:proof_id>", OneProofView.as_view(), name="proof"),
    path(f"{PROOFS}/<uuid:proof_id>/link", ProofLinkView.as_view(), name="proof-link"),
    path("fleet", Fleet.as_view(), name="fleet"),
    path("whereabouts", Whereabouts.as_view(), name="whereabouts"),
    path("quarantine", Quarantine.as_view(), name="quarantine"),
    path(
        "quarantine/<uuid:quarantined_id>/retry",
        QuarantineRetry.as_view(),
        name="quarantine-retry",
    ),
    path("relinks", Relinks.as_view(), name="relinks"),
    path("me/fixes", MyFixes.as_view(), name="my-fixes"),
    path("me/timeline", MyTimeline.as_view(), name="my-timeline"),
]
page_urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("today/board", today_board, name="today_board"),
    path("filters", save_filter, name="save_filter"),
    path("filters/<uuid:filter_id>/delete", delete_filter, name="delete_filter"),
    path("live", live, name="live"),
    path("live/stream", live_stream, name="live_stream"),
    path("where", where_was_who, name="where_was_who"),
    path("manage/relink", relink_page, name="relink_page"),
    path("where/places", where_places, name="where_places"),
    path("where.csv", where_file, {"ending": "csv"}, name="where_csv"),
    path("where.xlsx", where_file, {"ending": "xlsx"}, name="where_xlsx"),
    path("missions", missions, name="missions_page"),
    path(MISSION, mission_page, name="mission_page"),
    path(f"{MISSION}/now", mission_now, name="mission_now"),
    path(f"{MISSION}/replay", mission_replay, name="mission_replay"),
    path(f"{MISSION}/replay/data", mission_replay_data, name="mission_replay_data"),
    path(f"{DRIVER}/replay", driver_replay, name="driver_replay"),
    path(f"{DRIVER}/replay/data", driver_replay_data, name="driver_replay_data"),
    path(f"{TRUCK}/replay", truck_replay, name="truck_replay"),
    path(f"{TRUCK}/replay/data", truck_replay_data, name="truck_replay_data"),
    path(f"{MISSION}/pictures/<str:kind>/<uuid:file_id>", mission_picture, name="mission_picture"),
    path(f"{MISSION}/stops/<uuid:stop_id>/proof", proof_page, name="proof_page"),
    path(
        f"{MISSION}/stops/<uuid:stop_id>/proof/<str:kind>/<uuid:file_id>",
        proof_file,
        name="proof_file",
    ),
    path("fleet/table", fleet_table, name="fleet_table"),
    path(f"{DRIVER}/day", driver_day, name="driver_day"),
    path(f"{TRUCK}/day", truck_day, name="truck_day"),
    path(f"{DRIVER}/day.<str:ending>", driver_day_file, name="driver_day_file"),
    path(f"{TRUCK}/day.<str:ending>", truck_day_file, name="truck_day_file"),
    path(f"{DRIVER}/month", driver_month, name="driver_month"),
    path(f"{TRUCK}/month", truck_month, name="truck_month"),
    path(f"{DRIVER}/month.<str:ending>", driver_month_file, name="driver_month_file"),
    path(f"{TRUCK}/month.<str:ending>", truck_month_file, name="truck_month_file"),
    path("quarantine", quarantine_page, name="quarantine_page"),
    path("quarantine/<uuid:quarantined_id>/retry", retry_quarantined, name="retry_quarantined"),
    path("phones", phones, name="phones"),
    path("phones/<uuid:device_id>", phone, name="phone"),
    path("phones/<uuid:device_id>/token", give_new_token, name="give_new_token"),
    path("phones/<uuid:device_id>/revoke", revoke_phone, name="revoke_phone"),
    path("phones/<uuid:device_id>/hand-over", hand_over_phone, name="hand_over_phone"),
    path("phones/<uuid:device_id>/passphrase", phone_passphrase, name="phone_passphrase"),
    path("phones/new", set_up_phone, name="set_up_phone"),
    path("phones/link/<slug:client>/<str:code>", phone_link, name="phone_link"),
    path("phones/<uuid:device_id>/first-fix", first_fix, name="first_fix"),
    path("phones/codes/<uuid:code_id>/first-fix", first_fix_by_code, name="first_fix_by_code"),
    path("map/tiles/<str:token>/map.pmtiles", tile_file, name="tile_file"),
    path(f"{MISSION}/sites/<uuid:site_id>/move", move_site_page, name="move_site"),
    path("s/<str:token>", shared_page, name="shared_page"),
    path("s/<str:token>/<str:kind>/<uuid:file_id>", shared_file, name="shared_file"),
    path("map/<str:name>.json", basemap_file, name="basemap_file"),
]
