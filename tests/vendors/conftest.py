"""These tests need 130 MB that nothing else needs, so they run only where `prove-vendors` installed them."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("googleapiclient") and find_spec("msal") else ["test_*.py"]
