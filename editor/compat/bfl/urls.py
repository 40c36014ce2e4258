"""Where BFL's API is. Other doors have some paths below /v1/ too: theirs come before these."""

from django.urls import path

from editor.compat.bfl import views

urlpatterns = [
    path("v1/get_result", views.result, name="bfl_result"),
    path("v1/credits", views.credits, name="bfl_credits"),
    path("v1/<str:target>", views.submit, name="bfl_submit"),
]
