"""The operator's pages."""

from django.urls import path

from editor.web.views.operator import audit, overview, people, plans, providers, workspaces

urlpatterns = [
    path("", overview.page, name="operator"),
    path("edits/", overview.edits, name="operator_edits"),
    path("ledger/", overview.ledger, name="operator_ledger"),
    path("mail/", overview.mail, name="operator_mail"),
    path("audit/", audit.page, name="operator_audit"),
    path("audit/csv/", audit.download, name="operator_audit_csv"),
    path("workspaces/", workspaces.page, name="operator_workspaces"),
    path("workspaces/new/", workspaces.new, name="operator_workspace_new"),
    path("workspaces/<uuid:workspace_id>/", workspaces.one, name="operator_workspace"),
    path("workspaces/<uuid:workspace_id>/credits/", workspaces.give, name="operator_give"),
    path("workspaces/<uuid:workspace_id>/plan/", workspaces.plan, name="operator_workspace_plan"),
    path("workspaces/<uuid:workspace_id>/suspend/", workspaces.suspend, name="operator_suspend"),
    path("workspaces/<uuid:workspace_id>/resume/", workspaces.resume, name="operator_resume"),
    path("workspaces/<uuid:workspace_id>/price/", workspaces.price, name="operator_price"),
    path("plans/", plans.page, name="operator_plans"),
    path("plans/new/", plans.new, name="operator_plan_new"),
    path("plans/<int:plan_id>/", plans.change, name="operator_plan"),
    path("people/", people.page, name="operator_people"),
    path("people/<uuid:user_id>/disable/", people.disable, name="operator_disable"),
    path("people/<uuid:user_id>/enable/", people.enable, name="operator_enable"),
    path("people/<uuid:user_id>/sessions/", people.end_sessions, name="operator_sessions"),
    path("people/<uuid:user_id>/second-factor/", people.reset_factor, name="operator_factor"),
    path("providers/", providers.page, name="operator_providers"),
    path("providers/<slug:provider>/key/", providers.save_key, name="operator_key"),
    path("providers/<slug:provider>/key/test/", providers.test_key, name="operator_key_test"),
    path("providers/<slug:provider>/key/remove/", providers.remove_key, name="operator_key_remove"),
    path("providers/<slug:provider>/on/", providers.switch_route, {"on": True}, name="operator_provider_on"),
    path(
        "providers/<slug:provider>/off/", providers.switch_route, {"on": False}, name="operator_provider_off"
    ),
    path(
        "providers/<slug:provider>/on/<path:model_id>/",
        providers.switch_route,
        {"on": True},
        name="operator_route_on",
    ),
    path(
        "providers/<slug:provider>/off/<path:model_id>/",
        providers.switch_route,
        {"on": False},
        name="operator_route_off",
    ),
    path("models/", providers.models, name="operator_models"),
    path("models/<path:model_id>/", providers.model, name="operator_model"),
]
