"""Makes Django know of this room."""

from django.apps import AppConfig


class DataSubjectConfig(AppConfig):
    """Its tables have the names that they were made with."""

    name = "server.data_subject"
    label = "rights"
