"""kill_and_resume.py DATA STATE OUT COMMAND...: starts the command, kills it
with SIGKILL as soon as it has written STATE, then runs it to its end.

Fails unless the first run was cut (OUT is not there) and its state is whole.
Before the second run the samples that the first one has done become NaN, which
calibration refuses: if that run succeeds, it did not read them again.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np

data, state, out = map(pathlib.Path, sys.argv[1:4])
command = sys.argv[4:]
first = subprocess.Popen(command)
while not state.exists():
    if first.poll() is not None:
        sys.exit(f"ended with {first.returncode} before it wrote {state}")
    time.sleep(0.002)
os.kill(first.pid, signal.SIGKILL)
if first.wait() != -signal.SIGKILL or out.exists():
    sys.exit("the run had ended before it was killed; give it more samples")
done = json.loads(state.read_text())["samples"]
samples = np.load(data)
samples[:done] = np.nan
np.save(data, samples)
second = subprocess.run(command)
print("killed after", "some" if 0 < done < len(samples) else done,
      "samples; then ended with", second.returncode)
