"""URLs of the BFL-compatible API. Other APIs also have paths below /v1/, which must come before these."""

from django.urls import path

from editor.compat.bfl import views

urlpatterns = [
    path("v1/get_result", views.result, name="bfl_result"),
    path("v1/credits", views.credits, name="bfl_credits"),
    path("v1/<str:target>", views.submit, name="bfl_submit"),
]
