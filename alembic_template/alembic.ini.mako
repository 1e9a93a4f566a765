# The migrations of a warehouse that follows a ShotGrid site.

[alembic]
script_location = ${script_location}
prepend_sys_path = .
path_separator = os

# The warehouse; the environment variable DATABASE_URL stands above it.
sqlalchemy.url = sqlite:///%(here)s/warehouse.db

[sg_migrate]
# The documentation has every setting with its default under "Settings". Those that people change first:
#
# where autogenerate reads the site's schema: the snapshot file, or the site itself
# source = live
#
# what to leave out
# exclude = *.image_source_entity PageSetting
#
# names that people know
# entity_names = CustomEntity07=lens_kit
# table_prefix = sg_

[post_write_hooks]

[loggers]
keys = root,sqlalchemy,alembic,sg_migrate

[handlers]
keys = console

[formatters]
keys = generic

[logger_root]
level = WARNING
handlers = console
qualname =

[logger_sqlalchemy]
level = WARNING
handlers =
qualname = sqlalchemy.engine

[logger_alembic]
level = INFO
handlers =
qualname = alembic

[logger_sg_migrate]
level = INFO
handlers =
qualname = sg_migrate

[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = generic

[formatter_generic]
format = %(levelname)-5.5s [%(name)s] %(message)s
datefmt = %H:%M:%S
