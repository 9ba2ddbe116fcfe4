# SPDX-License-Identifier: Apache-2.0
"""The `qopt` command of an installed package: the driver of libQopt.so."""
import sys

from qopt import _qopt


def main():
    return _qopt.run_command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
