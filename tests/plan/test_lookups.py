"""Joins of tables: lookups that are learned, halves of records, and what is refused."""

from __future__ import annotations

import pytest

from nbprod.analysis import analyse
from nbprod.model.plan import FeaturePlan
from nbprod.notebook import read_text
from nbprod.plan import make_plan

HEAD = """
import pandas as pd
from sklearn.linear_model import LinearRegression
sales = pd.read_csv("sales.csv")
stores = pd.read_csv("stores.csv")
"""
TAIL = """
LinearRegression().fit(df[["promo", "area"]].fillna(0), df["units"])
"""
COLUMNS = {"sales.csv": ("store", "promo", "units"), "stores.csv": ("store", "area")}


def plan_of(
    code: str, kind: str | None = None, columns: dict[str, tuple[str, ...]] = COLUMNS, tail: str = TAIL
) -> FeaturePlan:
    """The plan where every join is of this kind, as the files beside the notebook tell it."""
    notebook = read_text(HEAD + code + tail, "nb.py")
    joins = {each.text: kind for each in analyse(notebook, columns).run.joined if kind is not None}
    if joins:
        joins |= {each.text: kind for each in analyse(notebook, columns, 3, joins).run.joined if kind is not None}
    return make_plan(notebook, analyse(notebook, columns, 3, joins))


def code_of(plan: FeaturePlan) -> str:
    return "\n".join(step.code for step in plan.steps)


@pytest.mark.parametrize(
    "code, expected",
    [
        pytest.param(
            "df = sales.merge(stores, on='store', how='left')",
            "df = merge_lookup(learned, \"stores\", sales, lambda: stores, on='store', how='left')",
            id="a method",
        ),
        pytest.param(
            "df = pd.merge(sales, stores)",
            'df = merge_lookup(learned, "stores", sales, lambda: stores)',
            id="a function",
        ),
        pytest.param(
            "df = pd.merge(right=stores[['store', 'area']], left=sales, on=['store'])",
            "df = merge_lookup(learned, \"stores\", sales, lambda: stores[['store', 'area']], on=['store'])",
            id="tables by keyword",
        ),
        pytest.param(
            "df = sales.merge(stores, 'left', 'store')",
            "df = merge_lookup(learned, \"stores\", sales, lambda: stores, 'left', 'store')",
            id="by position",
        ),
        pytest.param(
            "df = sales.join(stores.set_index('store'), on='store')",
            "df = join_lookup(learned, \"stores\", sales, lambda: stores.set_index('store'), on='store')",
            id="the index of the table",
        ),
        pytest.param(
            "df = sales.set_index('store').join(stores.set_index('store'))",
            "df = join_lookup(learned, \"stores\", sales.set_index('store'), lambda: stores.set_index('store'))",
            id="the index of both",
        ),
        pytest.param(
            "df = sales.merge(pd.read_csv('stores.csv'), on='store')",
            "df = merge_lookup(learned, \"read_csv_stores_csv\", sales, lambda: pd.read_csv('stores.csv'), on='store')",
            id="read on the way",
        ),
    ],
)
def test_lookups(code: str, expected: str) -> None:
    plan = plan_of(code)

    assert plan.refusals == ()
    assert plan.raw.path == "sales.csv"
    assert expected in code_of(plan)
    assert [table.path for table in plan.lookups] == ["stores.csv"]
    assert [read.path for read in plan.training_inputs] == ["stores.csv"]
    assert plan.inputs == ("promo", "store")
    assert plan.target == "units"


def test_one_after_the_other() -> None:
    plan = plan_of(
        "towns = pd.read_csv('towns.csv')\n"
        "df = sales.merge(stores, on='store', how='left').merge(towns, on='town', how='left')",
        columns={
            "sales.csv": ("store", "promo", "units"),
            "stores.csv": ("store", "town"),
            "towns.csv": ("town", "area"),
        },
    )

    assert plan.refusals == ()
    assert 'merge_lookup(learned, "towns", merge_lookup(learned, "stores", sales, lambda: stores, ' in code_of(plan)
    assert [(table.name, table.keys) for table in plan.lookups] == [("stores", ("store",)), ("towns", ("town",))]
    assert plan.inputs == ("promo", "store")


def test_what_is_done_to_the_table_is_a_matter_of_training() -> None:
    plan = plan_of(
        "stores['area'] = stores['area'].fillna(stores['area'].mean())\ndf = sales.merge(stores, on='store')"
    )

    assert [step.guard for step in plan.steps][:2] == ["fitting"] * 2
    assert not any(site.name.startswith("area") for step in plan.steps for site in step.sites)


def test_rows_are_on_the_side_whose_keys_repeat() -> None:
    plan = plan_of("df = stores.merge(sales, on='store')", "left-lookup")

    assert plan.refusals == ()
    assert plan.raw.path == "sales.csv"
    assert "merge_lookup(learned, \"stores\", sales, lambda: stores, on='store', first=True)" in code_of(plan)


def test_a_table_that_is_learned_of_another_file_is_a_lookup_table_too() -> None:
    plan = plan_of(
        "sizes = stores.groupby('store')['area'].sum().reset_index()\n"
        "df = sales.merge(sizes, on='store', how='left').merge(sizes.rename(columns={'area': 'a'}), on='store')"
    )

    assert plan.refusals == ()
    text = code_of(plan)
    assert "sizes = learned(\"sizes\", lambda: stores.groupby('store')['area'].sum().reset_index())" in text
    assert "merge_lookup(learned, \"sizes\", sales, sizes, on='store', how='left')" in text
    assert [(table.name, table.keys, table.path, table.how) for table in plan.lookups] == [
        ("sizes", ("store",), "stores.csv", "left"),
        ("sizes_2", ("store",), "stores.csv", "inner"),
    ]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("df = sales.merge(stores, on='store', how='inner')", id="a keyword"),
        pytest.param("df = sales.merge(stores, 'inner', 'store')", id="by position"),
        pytest.param("df = sales.merge(stores, on='store')", id="not said"),
        pytest.param("df = pd.merge(sales, stores, on='store',)", id="a comma behind the last"),
    ],
)
def test_an_inner_join_with_a_learned_table_is_a_left_one_in_serving(code: str) -> None:
    plan = plan_of("stores = sales.groupby('store').agg(area=('promo', 'sum')).reset_index()\n" + code)

    assert plan.refusals == ()
    assert '"inner" if learned.fitting else "left"' in code_of(plan)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("df = pd.merge(sales, stores, on='store', how='outer')", id="an outer join of what is told"),
        pytest.param(
            "df = pd.merge(sales, stores.rename(columns={'store': 'n'}), left_on='store', right_on='n')", id="renamed"
        ),
        pytest.param("df = sales.merge(stores, on='store').merge(stores[['store']], on='store')", id="three"),
        pytest.param("df = sales.copy().merge(stores[['store', 'area']], validate='one_to_one')", id="columns"),
    ],
)
def test_halves_of_records_are_the_raw_rows(code: str) -> None:
    plan = plan_of(code, "records")

    assert plan.refusals == ()
    assert plan.raw.reader == "pandas.merge"
    assert plan.parameter == "df"
    assert [table.path for table in plan.input_tables][:2] == ["sales.csv", "stores.csv"]
    assert plan.training_inputs == ()
    assert plan.inputs == ("area", "promo")
    assert plan.target == "units"


def test_what_is_said_of_the_keys_counts() -> None:
    plan = plan_of("df = sales.merge(stores, on='store', validate='1:1')")

    assert plan.raw.reader == "pandas.merge"


def test_what_both_halves_have_gets_their_suffixes() -> None:
    columns = {"sales.csv": ("store", "promo", "units", "area"), "stores.csv": ("store", "area")}
    tail = "LinearRegression().fit(df[['area_x', 'area_of_store']], df['units'])"
    plan = plan_of("df = sales.merge(stores, on='store', suffixes=('_x', '_of_store'))\n", "records", columns, tail)

    assert plan.inputs == ("area_of_store", "area_x")


@pytest.mark.parametrize(
    "code, kind, construct",
    [
        pytest.param("df = sales.merge(stores, on='store', how='outer')", None, "outer-join", id="rows of both"),
        pytest.param("df = sales.merge(stores, on='store', how='right')", None, "outer-join", id="rows of the table"),
        pytest.param("df = sales.merge(stores, on='store')", "many", "many-to-many-join", id="many rows for many"),
        pytest.param(
            "sales['promo'] = sales['promo'] + 1\ndf = sales.merge(stores, on='store')",
            "records",
            "join-of-records",
            id="halves of records that were changed before",
        ),
        pytest.param(
            "sales = sales.dropna()\ndf = sales.merge(stores, on='store')",
            "records",
            "join-of-records",
            id="some records",
        ),
        pytest.param("df = stores.merge(sales, on='store')", None, "target-in-lookup", id="the target looked up"),
        pytest.param(
            "sales['promo'] = sales['promo'] + 1\ndf = sales.join(stores[['area']])",
            None,
            "join-of-records",
            id="by place",
        ),
    ],
)
def test_refused(code: str, kind: str | None, construct: str) -> None:
    assert construct in {refusal.construct for refusal in plan_of(code, kind).refusals}


def test_the_test_rows_are_joined_with_the_same_table() -> None:
    code = """
test = pd.read_csv("test.csv")
df = sales.merge(stores, on="store", how="left")
test = test.merge(stores, on="store", how="left")
"""
    tail = """
model = LinearRegression().fit(df[["promo", "area"]], df["units"])
model.predict(test[["promo", "area"]])
"""
    plan = plan_of(code, columns={**COLUMNS, "test.csv": ("store", "promo")}, tail=tail)

    assert plan.refusals == ()
    assert [place.text for place in plan.other_reads] == ["pd.read_csv('test.csv')"]


def test_a_join_in_a_function_of_the_notebook() -> None:
    plan = plan_of(
        "def with_stores(table):\n    return table.merge(stores, on='store', how='left')\n\ndf = with_stores(sales)"
    )

    assert plan.refusals == ()
    text = code_of(plan)
    assert "df = with_stores(sales, learned=learned)" in text
    assert "merge_lookup(learned, \"stores\", table, lambda: stores, on='store', how='left')" in text


def test_columns_that_nobody_knows_are_looked_up_where_the_table_is_known() -> None:
    plan = plan_of("df = sales.merge(stores, on='store', how='left')", columns={"stores.csv": ("store", "area")})

    assert plan.refusals == ()
    assert plan.inputs == ("promo", "store")
    assert not plan.open_inputs
