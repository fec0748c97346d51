"""The HTTP interface of `docs/protocol`, version 1."""

from django.http import HttpRequest
from ninja import NinjaAPI

from server.access.api import router as access
from server.acknowledgements.api import router as acknowledgements
from server.delivery.api import router as delivery
from server.problems import answer_all_errors
from server.rights.api import router as rights
from server.schemas import Message, StrictParser
from server.signals.api import router as signals

api = NinjaAPI(
    title="Tidings campaign server",
    version="1",
    description="What an agent may ask of its company's server.",
    docs_url=None,
    parser=StrictParser(),
    urls_namespace="v1",
)
api.add_router("", delivery)
api.add_router("", signals)
api.add_router("", acknowledgements)
api.add_router("", rights)
api.add_router("/admin", access)
answer_all_errors(api)


class HealthAnswer(Message):
    status: str


@api.get("/health", response=HealthAnswer, summary="Whether the server answers")
def health(request: HttpRequest) -> dict[str, str]:
    return {"status": "ok"}
