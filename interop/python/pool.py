"""Has every worker of a process pool collect the session: pool.py fork|spawn WORKERS NAME.

Prints what each of them got as a JSON list.
"""

import json
import multiprocessing
import sys

from sentinelhub import SHConfig
from sentinelhub.download import collect_shared_session


def collect(name):
    return collect_shared_session(name).token


if __name__ == "__main__":
    method, workers, name = sys.argv[1:]
    SHConfig()  # the first one writes config.toml, and others that read it meanwhile fail
    with multiprocessing.get_context(method).Pool(int(workers), maxtasksperchild=1) as pool:
        json.dump(pool.map(collect, [name] * int(workers), chunksize=1), sys.stdout)
