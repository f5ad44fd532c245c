"""Downloads JSON with a shared session in the client's cache: download.py NAME URL. There are no credentials here: if the
package didn't take the session from its cache, it would have to log in, and fail.
"""

import json
import sys

from sentinelhub import SentinelHubDownloadClient, SHConfig
from sentinelhub.download import DownloadRequest, collect_shared_session

name, url = sys.argv[1:]
session = collect_shared_session(name)
config = SHConfig()
config.sh_client_id = session.info()["azp"]

SentinelHubDownloadClient.cache_session(session)
client = SentinelHubDownloadClient(config=config)
request = DownloadRequest(url=url, data_type="json", use_session=True)
json.dump(client.download(request), sys.stdout)
