"""Prints the shared token as JSON: collect.py [NAME]."""

import json
import sys

from sentinelhub.download import collect_shared_session

json.dump(collect_shared_session(*sys.argv[1:]).token, sys.stdout)
