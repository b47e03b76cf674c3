"""What becomes of connections that the server has ended between two uses."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from memesnipe.storage.database import connect

ENDS = sa.text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = :name")


@pytest.mark.parametrize("checked", [True, False])
def test_a_dead_connection_is_replaced_before_or_after_an_error(
    database: sa.Engine, database_url: str, checked: bool
) -> None:
    name = f"ended_{uuid4().hex}"
    engine = connect(database_url, f"-c application_name={name}", checked=checked)

    def one() -> int:
        with engine.connect() as connection:
            return int(connection.execute(sa.text("SELECT 1")).scalar_one())

    assert one() == 1
    with database.begin() as connection:
        assert connection.execute(ENDS, {"name": name}).scalars().all() == [True]
    if not checked:
        with pytest.raises(sa.exc.OperationalError):
            one()
    assert one() == 1
    engine.dispose()


def test_an_unchecked_connection_costs_no_request_before_a_statement(database: sa.Engine, database_url: str) -> None:
    name = f"counted_{uuid4().hex}"
    engine = connect(database_url, f"-c application_name={name}", checked=False)
    single = engine.execution_options(isolation_level="AUTOCOMMIT")
    last = sa.text("SELECT query FROM pg_stat_activity WHERE application_name = :name").bindparams(name=name)
    with single.connect() as connection:
        connection.execute(sa.text("SELECT 'the last request'"))
    with database.connect() as connection:
        assert connection.execute(last).scalar_one() == "SELECT 'the last request'"
    with single.connect(), database.connect() as connection:
        assert connection.execute(last).scalar_one() == "SELECT 'the last request'"
    engine.dispose()
