"""Uses a session of the package until standard input ends: endpoint_renewals.py URL.

Prints "ready" once it has a token. Then asks the API five times a second, and prints a JSON object: how many requests
there were, the failures with the times when they began and ended, and when each token was first seen, all in seconds
since 1970.
"""

import json
import sys
import threading
import time

import requests
from sentinelhub import SentinelHubSession

url = sys.argv[1]
session = SentinelHubSession()
print("ready", flush=True)
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
seen, asked, failed, times = {}, 0, [], []
while not ended.wait(0.2):
    asked += 1
    began = time.time()
    try:
        headers = session.session_headers
        seen.setdefault(session.info()["jti"], time.time())
        requests.get(url, headers=headers, timeout=10).raise_for_status()
    except Exception as error:
        failed.append(repr(error))
        times.append([began, time.time()])
json.dump({"asked": asked, "failed": failed, "times": times, "seen": seen}, sys.stdout)
