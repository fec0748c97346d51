"""The administration API: `/api/v1/admin/…`. Which role may do what is in `access.roles`; each call is put on record."""

from ninja import Router

from server.admin_api import campaigns, oversight, people

router = Router()
router.add_router("", people.router)
router.add_router("", campaigns.router)
router.add_router("", oversight.router)
