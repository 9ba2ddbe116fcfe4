"""Writes a JSON file with a member of it twice: SOURCE TARGET MEMBER, a path
with dots, whose value is written again in front."""
import json
import sys

source, target, path = sys.argv[1:]
value = json.load(open(source))
*outer, name = path.split(".")
place = value
for key in outer:
    place = place[int(key)] if isinstance(place, list) else place[key]
place["duplicate-of-it"] = 0
text = json.dumps(value).replace('"duplicate-of-it": 0',
                                 f'"{name}": {json.dumps(place[name])}')
open(target, "w").write(text)
