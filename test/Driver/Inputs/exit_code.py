"""exit_code.py N COMMAND...: runs it, passes its output on, and fails unless
it exits with N."""
import subprocess
import sys

status = subprocess.run(sys.argv[2:]).returncode
if status != int(sys.argv[1]):
    print(f"expected exit code {sys.argv[1]}, got {status}")
sys.exit(status != int(sys.argv[1]))
