"""Every rule has one revision that trips it and one that does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from reviewed import Reviewed, codes, edit, small_site
from sites import changed

from sg_migrate.review.findings import Level
from sg_migrate.review.run import RULES, Review

pytest_plugins = ["reviewfixtures"]

Case = Callable[[Reviewed], Review]


def by_hand(
    upgrade: str, downgrade: str = "pass", *, dialect: str = "sqlite", ours: bool = True, top: str = ""
) -> Case:
    """A revision written by hand on top of the first one."""

    def run(made: Reviewed) -> Review:
        made.write("r2", upgrade, downgrade, ours=ours, top=top, on="r1")
        return made.review(dialect=dialect)

    return run


def postgresql(upgrade: str) -> Case:
    return by_hand(upgrade, dialect="postgresql")


def mysql(upgrade: str) -> Case:
    return by_hand(upgrade, dialect="mysql")


def sites(*found: dict[str, str], names: tuple[str, ...] = ()) -> Case:
    """The generated revisions of changed sites; ``names`` are display names of sg_cut_in, one for each site."""

    def run(made: Reviewed) -> Review:
        for number, types in enumerate(found):
            site = small_site(**types)
            if number < len(names) and names[number]:
                site = changed(site, "Shot.sg_cut_in", name=names[number])
            made.follow(site, f"r{number + 2}")
        return made.review()

    return run


def two_heads(made: Reviewed) -> Review:
    made.write("r2", "op.create_table('a', sa.Column('id', sa.Integer()))", on="r1")
    made.write("r3", "op.create_table('b', sa.Column('id', sa.Integer()))", on="r1")
    return made.review("r3")


def snapshot_ahead(made: Reviewed) -> Review:
    made.take(small_site(sg_new="date"))
    return made.review()


def edited(made: Reviewed) -> Review:
    made.follow(small_site(sg_new="date"), "r2")
    edit(made.revision("r2"), "op.drop_column('shot', 'sg_new')", "op.drop_column('shot', 'sg_old')")
    return made.review()


def no_timeout(made: Reviewed) -> Review:
    made.configure(lock_timeout="0")
    return postgresql(INDEX)(made)


def connect_plainly(made: Reviewed) -> None:
    """An env.py that connects by itself."""
    env = made.folder / "migrations" / "env.py"
    edit(env, "sg.connect()", "engine.connect()")
    edit(env, "connection=connection, **sg.options()", "connection=connection")


def plain_environment(made: Reviewed) -> Review:
    connect_plainly(made)
    return by_hand(IN_BATCH)(made)


def with_database(statement: str, *found: dict[str, str], upgrade: str = "", plain: bool = False) -> Case:
    """A revision held against an SQLite database that has something of its own."""

    def run(made: Reviewed) -> Review:
        made.upgrade()
        made.execute(statement)
        if plain:
            connect_plainly(made)
        if upgrade:
            made.write("r2", upgrade, on="r1")
        else:
            made.follow(small_site(**found[0]), "r2")
        return made.review(url=made.url)

    return run


def pruned(name: str, types: dict[str, str] | None = None) -> Case:
    """A field got another type, and was retired where ``types`` say so; then something of it is pruned."""

    def run(made: Reviewed) -> Review:
        made.follow(small_site(**(types or {"sg_cut_in": "number"})), "r2")
        assert made.sg_migrate("prune", name).exit_code == 0
        made.sg_migrate("revision", "--rev-id", "r3")
        return made.review("r3")

    return run


def set_aside(made: Reviewed) -> Review:
    assert made.sg_migrate("set-aside", "Shot.sg_cut_in").exit_code == 0
    made.sg_migrate("revision", "--rev-id", "r2")
    return made.review("r2")


def under(**settings: str) -> Case:
    """The revision for another setting."""

    def run(made: Reviewed) -> Review:
        made.configure(**settings)
        made.follow(small_site(sg_new="date"), "r2")
        return made.review("r2")

    return run


INDEX = "op.create_index('ix_x', 'shot', ['code'])"
IN_BATCH = """
with op.batch_alter_table('shot') as batch_op:
    batch_op.alter_column('sg_cut_in', type_=sa.Integer(), existing_type=sa.Text())
"""
LONGER = (
    "with op.batch_alter_table('shot') as b:\n"
    "    b.alter_column('sg_status', type_=sa.String(255), existing_type=sa.String(64))"
)
ADDED = "op.add_column('shot', sa.Column('sg_new', sa.Date(), info={'sg': 'Shot.sg_new date'}))"
WIDE = """
columns = [sa.Column(f'c{{i}}', sa.String(255), info={{'sg': f'Wide.c{{i}} list'}}) for i in range({})]
op.create_table('wide', *columns, info={{'sg': 'Wide'}})
"""
TRIGGER = "CREATE TRIGGER noted AFTER UPDATE ON {} BEGIN SELECT 1; END"
FOREIGN_KEY = "op.create_foreign_key('fk', 'shot', 'task', ['sg_frames'], ['id'], postgresql_not_valid={})"
CONCURRENT = "op.create_index('ix_x', 'shot', ['code'], postgresql_concurrently=True)"
DEFAULT = "op.add_column('shot', sa.Column('x', sa.Text(), server_default=sa.text({!r})))"


@dataclass(frozen=True)
class Pair:
    """A revision that trips the rule and one that comes near and does not."""

    trips: Case
    passes: Case


CASES = {
    "SGM101": Pair(
        by_hand("op.drop_table('shot')"),
        by_hand("op.create_table('scratch', sa.Column('id', sa.Integer()))\nop.drop_table('scratch')"),
    ),
    "SGM102": Pair(by_hand("op.drop_column('shot', 'sg_cut_in')"), by_hand("op.create_table_comment('shot', 'drop')")),
    "SGM103": Pair(by_hand("op.drop_table('users')"), by_hand("op.drop_table('users')", ours=False)),
    "SGM104": Pair(
        by_hand(ADDED, "op.drop_column('shot', 'sg_cut_in')"), by_hand(ADDED, "op.drop_column('shot', 'sg_new')")
    ),
    "SGM105": Pair(
        by_hand("op.execute('UPDATE shot SET code = NULL')"),
        by_hand("op.execute(sa.insert(sa.table('shot', sa.column('id'))).values(id=1))"),
    ),
    "SGM106": Pair(
        by_hand("op.get_bind().execute(sa.text('SELECT 1'))"),
        by_hand(f"with op.get_context().autocommit_block():\n    {INDEX}"),
    ),
    "SGM107": Pair(
        by_hand("op.execute(sa.delete(sa.table('shot')))"),
        by_hand("op.execute(sa.select(sa.table('shot', sa.column('id'))))"),
    ),
    "SGM108": Pair(pruned("Shot.sg_cut_in:text"), pruned("Shot.sg_frames", {"sg_frames": ""})),
    "SGM201": Pair(sites({"sg_cut_in": "number"}), sites({"sg_frames": "text"})),
    "SGM202": Pair(sites({"sg_cut_in": "entity"}), sites({"sg_cut_in": "number"})),
    "SGM203": Pair(by_hand(IN_BATCH), by_hand(LONGER)),
    "SGM204": Pair(
        by_hand("op.alter_column('shot', 'sg_cut_in', nullable=False, existing_type=sa.Text())"),
        by_hand("op.alter_column('shot', 'sg_cut_in', nullable=True, existing_type=sa.Text())"),
    ),
    "SGM205": Pair(
        sites({"sg_cut_in": ""}, {}, names=("", "Cut Sheet")), sites({"sg_cut_in": ""}, {}, names=("", "Cut In"))
    ),
    "SGM206": Pair(
        by_hand("op.execute(sa.update(sa.table('shot', sa.column('code'))).values(code='x'))"),
        by_hand("op.bulk_insert(sa.table('shot', sa.column('id')), [{'id': 1}])"),
    ),
    "SGM207": Pair(by_hand("op.create_index('u', 'shot', ['code'], unique=True)"), by_hand(INDEX)),
    "SGM208": Pair(sites({"sg_frames": "text"}), sites({"sg_cut_in": "list"})),
    "SGM209": Pair(sites({}, names=("Cut Sheet",)), sites({"sg_cut_in": ""}, {"sg_new": "date"}, names=("", "cut in"))),
    "SGM210": Pair(under(entity_names="Shot=take"), under(retire="drop")),
    "SGM211": Pair(set_aside, sites({"sg_cut_in": "number"})),
    "SGM212": Pair(sites({"sg_cut_in": "number"}, {}), sites({"sg_cut_in": "number"}, {"sg_cut_in": "entity"})),
    "SGM301": Pair(two_heads, by_hand(INDEX)),
    "SGM302": Pair(snapshot_ahead, sites({"sg_new": "date"})),
    "SGM303": Pair(by_hand("pass"), by_hand(INDEX)),
    "SGM304": Pair(edited, sites({"sg_new": "date", "sg_cut_in": ""})),
    "SGM305": Pair(by_hand(ADDED, "pass"), by_hand(ADDED, "op.drop_column('shot', 'sg_new')")),
    "SGM306": Pair(
        by_hand("op.drop_column('shot', 'sg_cut_in')", ours=False),
        by_hand("op.add_column('shot', sa.Column('x', sa.Text()))", ours=False),
    ),
    "SGM307": Pair(by_hand(ADDED.replace("sg_new", "sg_cut_in")), by_hand(ADDED)),
    "SGM308": Pair(
        by_hand("op.execute('x')", top="# sg-migrate: allow SGM105\n"),
        by_hand("op.execute('x')", top="# sg-migrate: allow SGM105 -- a comment, read by Ann\n"),
    ),
    "SGM401": Pair(postgresql(IN_BATCH), postgresql(LONGER)),
    "SGM402": Pair(
        postgresql(INDEX),
        postgresql("op.create_table('a', sa.Column('id', sa.Integer()))\nop.create_index('ix', 'a', ['id'])"),
    ),
    "SGM403": Pair(postgresql(CONCURRENT), postgresql(f"with op.get_context().autocommit_block():\n    {CONCURRENT}")),
    "SGM404": Pair(postgresql(FOREIGN_KEY.format(False)), postgresql(FOREIGN_KEY.format(True))),
    "SGM405": Pair(
        postgresql("op.alter_column('shot', 'code', nullable=False)"),
        postgresql("op.alter_column('shot', 'code', comment='NOT NULL')"),
    ),
    "SGM406": Pair(postgresql(DEFAULT.format("gen_random_uuid()")), postgresql(DEFAULT.format("'f(x)' || now()"))),
    "SGM407": Pair(no_timeout, postgresql(INDEX)),
    "SGM501": Pair(mysql(IN_BATCH), mysql(LONGER)),
    "SGM502": Pair(mysql(f"{INDEX}\n{ADDED}"), mysql(INDEX)),
    "SGM503": Pair(mysql(WIDE.format(80)), mysql(WIDE.format(40))),
    "SGM504": Pair(
        mysql("op.alter_column('shot', 'sg_status', type_=sa.String(255), existing_type=sa.String(64))"),
        mysql(
            "op.alter_column('shot', 'sg_status', type_=sa.String(255), existing_type=sa.String(64),"
            " existing_comment='Status')"
        ),
    ),
    "SGM601": Pair(plain_environment, by_hand(IN_BATCH)),
    "SGM602": Pair(
        with_database(TRIGGER.format("shot"), upgrade=IN_BATCH, plain=True),
        with_database(TRIGGER.format("shot"), upgrade=IN_BATCH),
    ),
    "SGM603": Pair(by_hand(IN_BATCH), by_hand(LONGER)),
    "SGM604": Pair(by_hand(IN_BATCH), by_hand(LONGER)),
    "SGM701": Pair(
        with_database("CREATE VIEW cuts AS SELECT sg_cut_in FROM shot", {"sg_cut_in": "number"}),
        with_database("CREATE VIEW cuts AS SELECT sg_cut_in FROM shot", {"sg_cut_in": ""}),
    ),
    "SGM702": Pair(
        with_database("CREATE VIEW cuts AS SELECT sg_cut_in FROM shot", {"sg_cut_in": ""}),
        with_database("CREATE VIEW cuts AS SELECT sg_frames FROM shot", {"sg_cut_in": ""}),
    ),
}


def test_every_rule_has_its_two_revisions() -> None:
    assert list(CASES) == [rule.code for rule in RULES]


def test_every_rule_has_its_claims_executed() -> None:
    """What happens when nobody heeds a finding, and with its remedy: on real engines, in test_claims_*.py."""
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_claims_*.py"))
    executed = set(re.findall(r"^def test_(sgm\d{3})_", tests, re.MULTILINE))
    assert executed == {rule.code.lower() for rule in RULES}


@pytest.mark.parametrize("code", CASES)
def test_a_revision_trips_the_rule(code: str, small: Reviewed) -> None:
    assert code in codes(CASES[code].trips(small))


@pytest.mark.parametrize("code", CASES)
def test_a_revision_that_comes_near_does_not(code: str, small: Reviewed) -> None:
    assert code not in codes(CASES[code].passes(small))


def test_the_documentation_lists_every_rule_with_reason_and_remedy() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "review.md").read_text(encoding="utf-8")
    written = re.findall(r"^\| `(SGM\d{3})` \| (\w+) \| (.+?) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    assert written == [(rule.code, str(rule.level), rule.title, rule.reason, rule.remedy) for rule in RULES]


def test_the_codes_are_stable_and_the_levels_known() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert {rule.level for rule in RULES} == set(Level)
