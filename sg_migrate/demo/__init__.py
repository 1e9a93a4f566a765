"""A small ShotGrid site on this machine, for the demo: it answers the unmodified client over HTTP."""
