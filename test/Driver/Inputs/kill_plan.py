"""kill_plan.py FOLDER COMMAND...: starts the command, kills it with SIGKILL as
soon as FOLDER has a file, then runs it to its end.

Fails unless the first run was cut, or if the second one writes again what the
first had kept. Its -o is the last argument.
"""
import os
import pathlib
import signal
import subprocess
import sys
import time

folder, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
out = pathlib.Path(command[-1])
first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
while not list(folder.glob("*.mlirbc")):
    if first.poll() is not None:
        sys.exit(f"ended with {first.returncode} before it kept a format")
    time.sleep(0.001)
os.kill(first.pid, signal.SIGKILL)
if first.wait() != -signal.SIGKILL or out.exists():
    sys.exit("the run had ended before it was killed")
kept = {path: path.stat().st_mtime_ns for path in folder.glob("*.mlirbc")}
second = subprocess.run(command, stdout=subprocess.DEVNULL)
if any(path.stat().st_mtime_ns != time for path, time in kept.items()):
    sys.exit("a format that was kept was made again")
print("killed with", "some" if 0 < len(kept) < 6 else len(kept),
      "formats kept; then ended with", second.returncode)
