"""How a test of a guarantee learns how often to try, and where it writes down what it found."""

import pytest

from tests.integration.server.conftest import northwind, server_home, serving  # noqa: F401
from tests.support import django_ready  # noqa: F401
from tests.support.proofs import GUARANTEES, Proof


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Proof:
    """The guarantee that the test's ``proves`` mark names."""
    mark = request.node.get_closest_marker("proves")
    assert mark is not None, "mark the test with @pytest.mark.proves(…)"
    (guarantee,) = mark.args
    assert guarantee in GUARANTEES
    return Proof(guarantee)
