"""Saves profiles, read from standard input as a JSON object of objects."""

import json
import sys

from sentinelhub import SHConfig

for name, settings in json.load(sys.stdin).items():
    SHConfig(use_defaults=True, **settings).save(profile=name)
