# leak_capture_daemon.py - reads the output of a command to its end, which a service that the command left behind keeps open.
# SPDX-License-Identifier: MIT
# expect: pipe-end-leak
# source: python/cpython#75337 (subprocess.run with capture_output never returns when a daemon inherits stdout), nodejs/node#46025
import subprocess

subprocess.run(["sh", "-c", "sleep 300 & echo started"], capture_output=True)
