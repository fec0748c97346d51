"""Somebody comes near what starts a video: with the pointer, or with the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

_COMES = {QEvent.Type.Enter, QEvent.Type.FocusIn}
_GOES = {QEvent.Type.Leave, QEvent.Type.FocusOut, QEvent.Type.Hide}


class Prepares(Protocol):
    """What is got ready: ``ui.player.controller.Playback``."""

    def prepare(self) -> None: ...

    def let_go_soon(self) -> None: ...


class Nearby(QObject):
    """Gets a player ready while somebody is near some widgets, and lets it go a while after. Lives as long as the first."""

    def __init__(self, player: Prepares, wanted: Callable[[], bool], *widgets: QWidget) -> None:
        """``wanted`` says whether there is a video to be started."""
        super().__init__(widgets[0])
        self._player = player
        self._wanted = wanted
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _COMES and self._wanted():
            self._player.prepare()
        elif event.type() in _GOES:
            self._player.let_go_soon()
        return super().eventFilter(watched, event)
