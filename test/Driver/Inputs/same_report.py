"""same_report.py HTML JSON: the page carries the same data as the JSON."""
import json
import re
import sys

page = open(sys.argv[1]).read()
data = re.search(r"id='qopt-report'>(.*?)</script>", page, re.S).group(1)
print("same data:", json.loads(data) == json.load(open(sys.argv[2])))
names = [row["name"].rsplit(";", 1)[-1] for row in json.loads(data)["layers"]]
print("all layers:", all(f">{name}</td>" in page for name in names))
titles = re.findall(r"<figcaption title='([^']*)'>([^<]*)<", page)
print("all histograms:", all(len(shown) < 110 for _, shown in titles))
print("longest:", max((shown for _, shown in titles), key=len))
