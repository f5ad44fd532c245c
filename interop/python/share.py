"""Shares a session until standard input ends: share.py thread|context [NAME]. Prints the token once it is shared."""

import json
import sys

from sentinelhub import SentinelHubSession
from sentinelhub.download import SessionSharing, SessionSharingThread

kind, *name = sys.argv[1:]
options = {"memory_name": name[0]} if name else {}
session = SentinelHubSession()


def until_told():
    print(json.dumps(session.token), flush=True)
    sys.stdin.read()


if kind == "context":
    with SessionSharing(session, **options):
        until_told()
else:
    thread = SessionSharingThread(session, **options)
    thread.start()
    until_told()
    thread.join()
