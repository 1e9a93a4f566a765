"""The exit codes of every command; they are an interface: scripts and CI jobs decide by them."""

DONE = 0
"""In step, or done."""
ERROR = 1
USAGE = 2
DIFFERS = 3
"""Something differs, and nothing of it is unsafe or destructive."""
LOOK = 4
"""Something differs that is unsafe or destructive, or a finding is at or above ``--fail-on``: somebody must look."""
