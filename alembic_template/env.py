"""Run by every Alembic command that needs the database or the site."""

from logging.config import fileConfig

from alembic import context

from sg_migrate import Environment

config = context.config

# Interpret the config file for Python logging.
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)

# The site's tables: settings are in alembic.ini, section [sg_migrate].
sg = Environment(context)


def run_migrations_offline() -> None:
    """Write the SQL of the migrations as a script (``--sql``)."""
    context.configure(url=sg.url, literal_binds=True, dialect_opts={"paramstyle": "named"}, **sg.options())

    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online() -> None:
    """Run the migrations on the database."""
    with sg.connect() as connection:
        context.configure(connection=connection, **sg.options())

        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
