"""The private PostgreSQL cluster takes connections on the loopback address, with its password only."""

import psycopg
import pytest

from tests.support.server.postgres import PostgresCluster


def test_each_new_database_is_empty_and_its_own(postgres_cluster: PostgresCluster) -> None:
    first, second = postgres_cluster.new_database(), postgres_cluster.new_database()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE one (x int)")
    with psycopg.connect(second) as connection:
        count = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'one'").fetchone()
    assert count == (0,)


def test_a_wrong_password_is_refused(postgres_cluster: PostgresCluster) -> None:
    url = postgres_cluster.url("postgres")
    password = url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "guess"))
