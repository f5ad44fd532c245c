"""Collects a session again and again: read.py NAME COUNT. The access tokens that may be found there are on standard input, a
JSON list. Prints how many reads there were, and of those how many found nothing, found no JSON or found another token.
"""

import json
import sys

from sentinelhub.download import collect_shared_session

name, count = sys.argv[1], int(sys.argv[2])
valid = set(json.load(sys.stdin))
seen, tally = set(), {"reads": count, "absent": 0, "broken": 0, "foreign": 0}
for _ in range(count):
    try:
        token = collect_shared_session(name).token["access_token"]
    except FileNotFoundError:
        tally["absent"] += 1
    except ValueError:
        tally["broken"] += 1
    else:
        seen.add(token)
        tally["foreign"] += token not in valid
json.dump({**tally, "distinct": len(seen)}, sys.stdout)
