"""The commands of ``sg-migrate``: one file each, imported when it is run."""
