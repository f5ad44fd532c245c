"""Logs in, shares the token under the name in argv, and stays until standard input ends."""

import os
import signal
import sys

from sentinelhub import SentinelHubSession, SHConfig
from sentinelhub.download import SessionSharing

# It ends with its input alone: an interrupt while it leaves the context would have it wait for its thread for an hour.
signal.signal(signal.SIGINT, signal.SIG_IGN)
config = SHConfig(use_defaults=True)
config.sh_client_id = os.environ["SH_CLIENT_ID"]
config.sh_client_secret = os.environ["SH_CLIENT_SECRET"]
config.sh_token_url = os.environ["SH_TOKEN_URL"]
with SessionSharing(SentinelHubSession(config), memory_name=sys.argv[1]):
    print("sharing", flush=True)
    sys.stdin.read()
