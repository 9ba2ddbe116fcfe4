#!/usr/bin/env bash
# Two libraries for quantization-aware training. The wheel of HGQ2 0.2.0 also holds a
# top-level package 'qkeras', its own layer for compatibility, and so a file
# qkeras/__init__.py. Installed after QKeras 0.9.0 it overwrites that library's, and
# 'import qkeras' gives HGQ2's names; pip warns of nothing, and removing HGQ2 leaves
# QKeras without the file. Projects that need both need two environments.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" --disable-pip-version-check "$@"; }
file=$(echo "$work"/venv/lib/python3*/site-packages)/qkeras/__init__.py
pip install --quiet --no-deps qkeras==0.9.0
grep -q "qlayers" "$file"
before=$(sha256sum <"$file")
pip install --no-deps hgq2==0.2.0 2>&1 | tee "$work/log" | tail -1
after=$(sha256sum <"$file")
head -2 "$file"
if [ "$before" = "$after" ]; then echo "QKeras stays as it was"; exit 1; fi
if grep -qi "warning\|conflict" "$work/log"; then echo "pip says so now"; exit 1; fi
pip show --files hgq2 >"$work/files"
grep -q "qkeras/__init__.py" "$work/files"
pip uninstall --quiet --yes hgq2
if [ -e "$file" ]; then echo "the file survives HGQ2"; exit 1; fi
pip show --files qkeras >"$work/files"
echo "QKeras without HGQ2: $(grep -c "  qkeras/" "$work/files") files on record," \
  "and no qkeras/__init__.py"
