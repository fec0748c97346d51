"""What a person chooses for their own account."""

from server.accounts.models import Account


def choose_language(account: Account, language: Account.Language) -> None:
    """The language of the console's pages for this person."""
    account.language = language.value
    account.save(update_fields=["language"])
