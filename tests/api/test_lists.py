"""Lists over HTTP: pages, filters, files, unknown parameters, and requests for what has changed."""

import csv
import io

import httpx
import pandas
import pytest

from memesnipe.storage import schema


@pytest.fixture
def client(backend, serve):
    with httpx.Client(base_url=serve(backend).url, timeout=20) as client:
        yield client


@pytest.fixture
def traded(insert):
    for number in range(7):
        side, status = ("buy", "PAPER") if number % 2 else ("sell", "FAILED")
        names = {"order_id": f"a/{number}", "spec_id": "a", "mint": f"Mint{number % 3}", "side": side}
        insert(schema.TradeRow, **names, status=status, seq=number, ts=number * 1000, account="paper")
    insert(schema.TradeRow, order_id="live-b/1", spec_id="b", mint="Mint0", side="buy", status="LIVE", account="live")


def test_the_next_page_is_linked_until_the_last(client, new_run, traded):
    found, url = [], "/api/trades?limit=3&spec_id=a"
    while url:
        answer = client.get(url)
        assert answer.headers["x-total-count"] == "7"
        found += [trade["order_id"] for trade in answer.json()]
        url = answer.links.get("next", {}).get("url")
    assert found == [f"a/{number}" for number in (6, 5, 4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("account=live", 1),
        ("spec_id=a&side=buy", 3),
        ("status=FAILED", 4),
        ("mint=Mint0", 4),
        ("since_ts=2000&until_ts=5000", 3),
        ("reason=nothing", 0),
    ],
)
def test_trades_are_filtered_in_lists_and_files(client, new_run, traded, query, count):
    answer = client.get(f"/api/trades?{query}")
    assert (len(answer.json()), answer.headers["x-total-count"]) == (count, str(count))
    rows = list(csv.DictReader(io.StringIO(client.get(f"/api/trades.csv?{query}").text)))
    assert [row["order_id"] for row in rows] == [trade["order_id"] for trade in answer.json()]


def test_a_file_has_the_figures_of_the_list_and_runs_no_formula(client, new_run, insert):
    insert(schema.TradeRow, order_id="a/1", mint="=HYPERLINK(1)", sol_lamports=123_456_789_012, value_usd=0.1)
    answer = client.get("/api/trades.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="trades.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.text))
    (listed,) = client.get("/api/trades").json()
    assert (row["mint"], listed["mint"]) == ("'=HYPERLINK(1)", "=HYPERLINK(1)")
    assert (int(row["sol_lamports"]), float(row["value_usd"])) == (listed["sol_lamports"], listed["value_usd"])


def test_a_parquet_file_has_the_rows_of_the_list_with_their_types(client, new_run, traded, insert):
    insert(schema.EquityRow, seq=1, ts=5, equity_usd=1_000.5, equity_lamports=5, account="paper")
    query = "spec_id=a&side=buy"
    answer = client.get(f"/api/trades.parquet?{query}")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.headers["content-disposition"] == 'attachment; filename="trades.parquet"'
    frame = pandas.read_parquet(io.BytesIO(answer.content))
    listed = client.get(f"/api/trades?{query}").json()
    assert frame.astype(object).where(frame.notna(), None).to_dict("records") == listed
    assert (frame["ts"].dtype, frame["value_usd"].dtype) == ("int64", "float64")
    (mark,) = pandas.read_parquet(io.BytesIO(client.get("/api/equity.parquet").content)).to_dict("records")
    assert (mark["ts"], mark["equity_usd"]) == (5, 1_000.5)
    without_rows = pandas.read_parquet(io.BytesIO(client.get("/api/refusals.parquet").content))
    assert len(without_rows) == 0 and without_rows["seq"].dtype == "int64"
    assert client.get("/api/trades.xlsx").status_code == 404


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/trades?limt=3", "limt: there is no such parameter; did you mean limit?"),
        ("/api/strategies?familly=x", "did you mean family?"),
        ("/api/trades?acount=live", "did you mean account?"),
        ("/api/report?x=1", "this route has none"),
        ("/api/generations?verbose=1", "this route has none"),
        ("/api/trades?limit=1&limit=2", "limit: it is given more than once"),
        ("/api/strategies?mode=papr", "mode: Input should be"),
        ("/api/strategies?sort=profit", "sort: Input should be"),
    ],
)
def test_a_parameter_that_is_not_understood_is_refused(client, new_run, path, words):
    answer = client.get(path)
    assert answer.status_code == 422 and words in answer.json()["detail"]


def test_an_unchanged_list_is_not_sent_again(client, new_run, traded, insert):
    for path in ("/api/trades?limit=2", "/api/report", "/api/strategies"):
        tag = client.get(path).headers["etag"]
        again = client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    tag = client.get("/api/trades").headers["etag"]
    insert(schema.TradeRow, order_id="a/99", seq=99)
    assert client.get("/api/trades", headers={"If-None-Match": tag}).json()[0]["order_id"] == "a/99"


def test_a_strategy_has_a_page_and_a_file(client, new_run, insert):
    genome = {"size": 0.1, "signals": [{"family": "one", "params": {}, "weight": 1.0}]}
    insert(schema.StrategyRow, spec_id="abc", mode="paper", genome=genome)
    for number, to_mode in enumerate(("simulating", "paper"), 1):
        insert(schema.LifecycleRow, number=number, seq=number, spec_id="abc", to_mode=to_mode, reason=f"why {number}")
    for order, (side, sol) in enumerate((("buy", 100), ("sell", 150))):
        insert(schema.TradeRow, order_id=f"abc/{order}", spec_id="abc", side=side, sol_lamports=sol, ts=order)
    found = client.get("/api/strategies/abc").json()
    assert found["in_words"] == {"genome": "one"}
    assert [step["reason"] for step in found["lifecycle"]] == ["why 1", "why 2"]
    assert found["round_trips"][0]["profit_ratio"] == 0.5
    assert sum(part["count"] for part in found["returns"]["paper"]) == 1
    file = client.get("/api/strategies/abc/spec")
    assert file.json() == {"spec_id": "abc", **genome}
    assert file.headers["content-disposition"] == 'attachment; filename="abc.json"'
    for path in ("/api/strategies/nobody", "/api/strategies/nobody/spec"):
        assert client.get(path).status_code == 404
