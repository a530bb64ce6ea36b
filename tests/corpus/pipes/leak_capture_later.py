# leak_capture_later.py - reads the output of a command to its end, which comes when the command has slept.
# SPDX-License-Identifier: MIT
# forbid: pipe-end-leak deadlock stuck
# source: python/cpython#75337 (the healthy twin)
import subprocess

subprocess.run(["sh", "-c", "echo begun; sleep 60; echo done"], capture_output=True)
