"""Prints the settings in force under each profile named in argv (or the one in force, if none is) as a JSON list."""

import json
import sys

from sentinelhub import SHConfig

profiles = sys.argv[1:] or [None]
json.dump([SHConfig(profile=name).to_dict(mask_credentials=False) for name in profiles], sys.stdout)
