"""Downloads JSON in processes that begin at the same moment, each with a client of its own: limited.py PROCESSES EACH URL.

Prints how many downloads each process made, and how many seconds it all took.
"""

import json
import multiprocessing
import sys
import time
import warnings

from sentinelhub import DownloadRequest, SentinelHubDownloadClient, SHConfig


def download(number, each, url, begin, done):
    warnings.simplefilter("ignore")  # of each refusal
    config = SHConfig()
    client = SentinelHubDownloadClient(config=config)
    requests = [DownloadRequest(url=url, data_type="json", use_session=True) for _ in range(each)]
    begin.wait()
    answers = client.download(requests, max_threads=1)
    done[number] = sum(answer is not None for answer in answers)


if __name__ == "__main__":
    processes, each, url = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    context = multiprocessing.get_context("fork")  # which imports the package once
    begin, done = context.Barrier(processes + 1), context.Array("i", processes)
    members = [context.Process(target=download, args=(number, each, url, begin, done)) for number in range(processes)]
    for member in members:
        member.start()
    begin.wait()
    start = time.monotonic()
    for member in members:
        member.join()
    json.dump({"done": list(done), "seconds": time.monotonic() - start}, sys.stdout)
