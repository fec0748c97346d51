"""Makes Django know of this room."""

from django.apps import AppConfig


class RegionConfig(AppConfig):
    """Its tables have the names that they were made with."""

    name = "server.region"
    label = "tenants"
