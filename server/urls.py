"""Addresses. Everything lies under `/api/v1/`."""

from django.urls import path

from server.api import api

urlpatterns = [path("api/v1/", api.urls)]
