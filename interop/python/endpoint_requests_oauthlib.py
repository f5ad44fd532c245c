"""Uses requests-oauthlib for some seconds: endpoint_requests_oauthlib.py post|basic URL SECONDS."""

import json
import os
import sys
import time

from oauthlib.oauth2 import BackendApplicationClient, TokenExpiredError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

how, url, seconds = sys.argv[1:]
client_id, secret = os.environ["SH_CLIENT_ID"], os.environ["SH_CLIENT_SECRET"]
session = OAuth2Session(client=BackendApplicationClient(client_id=client_id))


def log_in():
    if how == "basic":
        session.fetch_token(os.environ["SH_TOKEN_URL"], auth=HTTPBasicAuth(client_id, secret))
    else:
        session.fetch_token(os.environ["SH_TOKEN_URL"], client_id=client_id, client_secret=secret, include_client_id=True)


def ask():
    try:
        if session.token["expires_at"] < time.time() + 2:
            raise TokenExpiredError
        return session.get(url, timeout=10)
    except TokenExpiredError:
        log_in()
        return session.get(url, timeout=10)


log_in()
end = time.monotonic() + float(seconds)
asked, failed = 0, []
while time.monotonic() < end:
    time.sleep(0.2)
    asked += 1
    try:
        ask().raise_for_status()
    except Exception as error:
        failed.append(repr(error))
json.dump({"asked": asked, "failed": failed}, sys.stdout)
