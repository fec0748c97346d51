"""Where a second factor is set up. allauth does it; whoever has just typed a code has shown who they are."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.views import ActivateTOTPView
from django.http import HttpResponse


class SetUpApp(ActivateTOTPView):  # type: ignore[misc]  # allauth has no types
    """The app's first code. The recovery codes, which the next page shows once, need a fresh one."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Note that the code was right."""
        response: HttpResponse = super().form_valid(form)
        record_authentication(self.request, self.request.user, "mfa", reauthenticated=True)
        return response
