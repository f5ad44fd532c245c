"""Logs in with the profile in force and prints the token, its claims and the headers as JSON.

With the usual 120 s before expiry, a token of a minute would be replaced at each look at it.
"""

import json
import sys

from sentinelhub import SentinelHubSession

session = SentinelHubSession(refresh_before_expiry=5)
json.dump({"token": session.token, "info": session.info(), "headers": session.session_headers}, sys.stdout)
