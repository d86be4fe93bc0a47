"""Where people and fleet are, below /api/v1/ and below /."""

from django.urls import URLPattern, path

from accounts import api_duties, api_employer, api_fleet, api_me, api_people, api_phones
from accounts import openapi as openapi  # registers what the schema says of authentication
from accounts.pages import (
    audit,
    drivers,
    employer,
    keys,
    preferences,
    truck_assignments,
    trucks,
    users,
)
from accounts.pages.manage import manage

api_urlpatterns: list[URLPattern] = [
    path("employer", api_employer.EmployerView.as_view(), name="api-employer"),
    path("api-keys", api_employer.ApiKeysView.as_view(), name="api-api-keys"),
    path(
        "api-keys/<uuid:id>/revoke",
        api_employer.ApiKeyRevocationView.as_view(),
        name="api-api-key-revoke",
    ),
    path("audit", api_employer.AuditView.as_view(), name="api-audit"),
    path("users", api_people.UsersView.as_view(), name="api-users"),
    path("users/<uuid:id>", api_people.UserView.as_view(), name="api-user"),
    path("memberships", api_people.MembershipsView.as_view(), name="api-memberships"),
    path("memberships/<uuid:id>", api_people.MembershipView.as_view(), name="api-membership"),
    path("drivers", api_people.DriversView.as_view(), name="api-drivers"),
    path("drivers/<uuid:id>", api_people.DriverView.as_view(), name="api-driver"),
    path("trucks", api_fleet.TrucksView.as_view(), name="api-trucks"),
    path("trucks/<uuid:id>", api_fleet.TruckView.as_view(), name="api-truck"),
    path(
        "trucks/<uuid:id>/retire", api_fleet.TruckRetirementView.as_view(), name="api-truck-retire"
    ),
    path(
        "truck-assignments", api_fleet.TruckAssignmentsView.as_view(), name="api-truck-assignments"
    ),
    path(
        "truck-assignments/<uuid:id>",
        api_fleet.TruckAssignmentView.as_view(),
        name="api-truck-assignment",
    ),
    path(
        "truck-assignments/<uuid:id>/end",
        api_fleet.TruckAssignmentEndView.as_view(),
        name="api-truck-assignment-end",
    ),
    path("duties", api_duties.DutiesView.as_view(), name="api-duties"),
    path("devices", api_phones.DevicesView.as_view(), name="api-devices"),
    path("devices/<uuid:id>", api_phones.DeviceView.as_view(), name="api-device"),
    path(
        "devices/<uuid:id>/revoke",
        api_phones.DeviceRevocationView.as_view(),
        name="api-device-revoke",
    ),
    path(
        "devices/<uuid:id>/hand-over",
        api_phones.DeviceHandOverView.as_view(),
        name="api-device-hand-over",
    ),
    path(
        "devices/<uuid:id>/payload-key",
        api_phones.DevicePayloadKeyView.as_view(),
        name="api-device-payload-key",
    ),
    path("devices/<uuid:id>/token", api_phones.DeviceTokenView.as_view(), name="api-device-token"),
    path("pairing-codes", api_phones.PairingCodesView.as_view(), name="api-pairing-codes"),
    path("pairing", api_me.PairingView.as_view(), name="api-pairing"),
    path("me", api_me.MeView.as_view(), name="api-me"),
    path("me/settings", api_me.MySettingsView.as_view(), name="api-my-settings"),
    path("me/token", api_me.MyTokenView.as_view(), name="api-my-token"),
]
page_urlpatterns: list[URLPattern] = [
    path("manage", manage, name="manage"),
    path("manage/drivers", drivers.drivers, name="drivers_page"),
    path("manage/drivers/new", drivers.new_driver, name="driver_new"),
    path("manage/drivers/<uuid:driver_id>", drivers.driver, name="driver_page"),
    path("manage/drivers/<uuid:driver_id>/edit", drivers.edit_driver, name="driver_edit"),
    path("manage/trucks", trucks.trucks, name="trucks_page"),
    path("manage/trucks/new", trucks.new_truck, name="truck_new"),
    path("manage/trucks/<uuid:truck_id>", trucks.truck, name="truck_page"),
    path("manage/trucks/<uuid:truck_id>/edit", trucks.edit_truck, name="truck_edit"),
    path("manage/trucks/<uuid:truck_id>/retire", trucks.retire, name="truck_retire"),
    path("manage/trucks/<uuid:truck_id>/give", truck_assignments.give_truck, name="truck_give"),
    path(
        "manage/truck-assignments/<uuid:assignment_id>",
        truck_assignments.correct,
        name="truck_assignment",
    ),
    path(
        "manage/truck-assignments/<uuid:assignment_id>/end",
        truck_assignments.take_back,
        name="truck_take_back",
    ),
    path("manage/users", users.users, name="users_page"),
    path("manage/users/new", users.new_user, name="user_new"),
    path("manage/users/<uuid:user_id>", users.user, name="user_page"),
    path("manage/users/<uuid:user_id>/link", users.password_link, name="user_password_link"),
    path("manage/users/<uuid:user_id>/roles", users.give_role, name="role_give"),
    path("manage/users/<uuid:user_id>/close", users.deactivate, name="user_deactivate"),
    path("manage/users/<uuid:user_id>/open", users.reactivate, name="user_reactivate"),
    path("manage/users/<uuid:user_id>/reset", users.reset_factor, name="user_reset_factor"),
    path("manage/roles/<uuid:membership_id>/remove", users.take_role, name="role_take"),
    path("manage/keys", keys.keys, name="keys_page"),
    path("manage/keys/new", keys.new_key, name="key_new"),
    path("manage/keys/<uuid:key_id>/revoke", keys.revoke_key, name="key_revoke"),
    path("manage/employer", employer.employer, name="employer_page"),
    path("manage/audit", audit.audit, name="audit_page"),
    path("preferences", preferences.preferences, name="preferences"),
    path("preferences/employer", preferences.switch_employer, name="switch_employer"),
]
