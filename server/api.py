"""The HTTP interface of `docs/protocol`, version 1."""

import functools
import json

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.responses import NinjaJSONEncoder

from server.acknowledgements.api import router as acknowledgements
from server.admin_api.api import router as access
from server.core.problems import answer_all_errors
from server.core.schemas import Message, StrictParser
from server.data_subject.api import router as rights
from server.feed.api import router as delivery
from server.feedback.api import router as signals

api = NinjaAPI(
    title="Tidings campaign server",
    version="1",
    description="What an agent may ask of its company's server.",
    docs_url=None,
    openapi_url=None,
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
    """That the server answers."""

    status: str


@api.get("/health", response=HealthAnswer, summary="Whether the server answers")
def health(request: HttpRequest) -> dict[str, str]:
    """Asks neither the database nor the disk."""
    return {"status": "ok"}


@api.get("/openapi.json", include_in_schema=False)
def openapi(request: HttpRequest) -> HttpResponse:
    """The description of this interface."""
    return HttpResponse(_description(), content_type="application/json")


@functools.cache
def _description() -> bytes:
    """Built once: it is the same for everybody, and takes long."""
    return json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), cls=NinjaJSONEncoder).encode()
