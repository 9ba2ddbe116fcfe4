r"""Runs a command whose arguments have bytes as \xHH."""
import os
import re
import subprocess
import sys

command = [re.sub(rb"\\x([0-9A-F]{2})",
                  lambda match: bytes([int(match.group(1), 16)]),
                  os.fsencode(word)) for word in sys.argv[1:]]
sys.exit(subprocess.run(command).returncode)
