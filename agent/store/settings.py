"""Small settings of the person, by name."""

from __future__ import annotations

from datetime import datetime

from agent.store.database import Database, decoding


class SettingStore:
    """Single values by name. Raises DiskFault where one is written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str | None:
        with self._database.reading() as connection:
            row = connection.sealed("value", "setting", "WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def get_time(self, name: str) -> datetime | None:
        value = self.get(name)
        with decoding("setting"):
            return datetime.fromisoformat(value) if value else None

    def set(self, name: str, value: str | None) -> None:
        """None removes it."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM setting WHERE name = ?", (name,))
            if value is not None:
                connection.execute("INSERT INTO setting (name, value) VALUES (?, ?)", (name, value))
