"""Imports the package and prints a first token: what a shell script would run for one."""

import os

from sentinelhub import SentinelHubSession, SHConfig

config = SHConfig(use_defaults=True)
config.sh_client_id = os.environ["SH_CLIENT_ID"]
config.sh_client_secret = os.environ["SH_CLIENT_SECRET"]
config.sh_token_url = os.environ["SH_TOKEN_URL"]
print(SentinelHubSession(config).token["access_token"])
