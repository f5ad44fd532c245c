"""Does the work that is named on standard input, a line each, and answers each with a line of JSON.

It says "ready" and the package's version when everything is imported. A line is a work, how many times, and an argument if the work has one. "login"
makes the session that the others use; it and the works of one call answer with the seconds that they took, after one more call
that isn't counted: the first is slower than the rest.
"""

import json
import os
import sys
import threading
import time
from importlib.metadata import version

from sentinelhub import SentinelHubSession, SHConfig
from sentinelhub.download import collect_shared_session

session = None


def timed(n, work):
    work()
    start = time.perf_counter()
    for _ in range(n):
        work()
    return time.perf_counter() - start


def login(token_url):
    global session
    config = SHConfig(use_defaults=True)
    config.sh_client_id = os.environ["SH_CLIENT_ID"]
    config.sh_client_secret = os.environ["SH_CLIENT_SECRET"]
    config.sh_token_url = token_url
    session = SentinelHubSession(config)


def renewal(n):
    """n threads ask every millisecond while the token becomes due. Answers each thread's [start, seconds] pairs."""
    session.token["expires_at"] = time.time() + session.refresh_before_expiry + 0.1
    callers = [[] for _ in range(n)]
    end = time.time() + 0.4

    def ask(calls):
        while (start := time.time()) < end:
            session.token
            calls.append([start, time.time() - start])
            time.sleep(0.001)

    run_all([threading.Thread(target=ask, args=[calls]) for calls in callers])
    return callers


def crowd(n):
    """n threads ask at once for a token that has expired. Answers the seconds until the last has one."""
    session.token["expires_at"] = 0
    gate = threading.Barrier(n)
    starts, ends = [], []

    def ask():
        gate.wait()
        starts.append(time.perf_counter())
        session.token
        ends.append(time.perf_counter())

    run_all([threading.Thread(target=ask) for _ in range(n)])
    return max(ends) - min(starts)


def run_all(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


WORK = {
    "login": lambda n, url: timed(n, lambda: login(url)),
    "token": lambda n: timed(n, lambda: session.token),
    "headers": lambda n: timed(n, lambda: session.session_headers),
    "info": lambda n: timed(n, session.info),
    "collect": lambda n, name: timed(n, lambda: collect_shared_session(name)),
    "renewal": renewal,
    "crowd": crowd,
}

print("ready,", version("sentinelhub"), flush=True)
for line in sys.stdin:
    work, n, *argument = line.split()
    json.dump(WORK[work](int(n), *argument), sys.stdout)
    print(flush=True)
