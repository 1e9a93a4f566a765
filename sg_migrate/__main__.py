"""``python -m sg_migrate``."""

from sg_migrate.cli import main

if __name__ == "__main__":
    main()
