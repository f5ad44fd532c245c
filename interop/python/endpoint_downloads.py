"""Downloads JSON in spawned processes, each with a client of its own: endpoint_downloads.py PROCESSES EACH URL.

Prints how many downloads there were.
"""

import json
import multiprocessing
import sys

from sentinelhub import DownloadRequest, SentinelHubDownloadClient


def download(work):
    each, url = work
    client = SentinelHubDownloadClient()
    requests = [DownloadRequest(url=url, data_type="json", use_session=True) for _ in range(each)]
    return sum(answer is not None for answer in client.download(requests, max_threads=2))


if __name__ == "__main__":
    processes, each, url = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        json.dump(sum(pool.map(download, [(each, url)] * processes, chunksize=1)), sys.stdout)
