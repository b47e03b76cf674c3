"""The report at the end of `memesnipe up` as text: the run, its accounts apart, and what became of live orders."""

from collections.abc import Mapping
from typing import Any

from memesnipe.cli.account_figures import OF_ACCOUNTS, print_accounts
from memesnipe.cli.vocabulary import in_text
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.runtime.terminal import print_table
from memesnipe.storage.wording import plural

Json = Mapping[str, Any]


def print_report(result: Json) -> None:
    """Print the report of a run.

    Args:
        result: as `up --json` prints it; without accounts where the database did not answer at the end.
    """
    accounts = result.get("accounts")
    hidden = ("assumptions", "wallet", *(OF_ACCOUNTS if accounts else ()))
    print_table("report", in_text({name: value for name, value in result.items() if name not in hidden}))
    if not accounts:
        return
    print_accounts(accounts)
    if "wallet" in result:
        print_table("live", _live(accounts["live"].get("outcomes", {}), result["wallet"]))


def _live(outcomes: Mapping[str, int], wallet: Json | None) -> dict[str, str]:
    """Return what became of the live orders, and whether the wallet holds what the records say."""
    orders = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items()) or "none"
    if wallet is None:
        return {"orders": orders, "wallet": "not compared: the database did not answer"}
    if wallet["lamports"] is None:
        return {"orders": orders, "wallet": wallet["wallet"], "records": wallet["source"]}
    where = "on the chain" if wallet["source"] == "chain" else "when it was last read"
    holds = f"{wallet['lamports'] / LAMPORTS_PER_SOL:.9f} SOL {where}"
    return {"orders": orders, "wallet": wallet["wallet"], "holds": holds, "records": _comparison(wallet)}


def _comparison(wallet: Json) -> str:
    if wallet["open_orders"]:
        return f"not compared: {plural(wallet['open_orders'], 'order')} open, whose outcome is not known yet"
    if wallet["differences"]:
        return f"{plural(len(wallet['differences']), 'difference')}: " + "; ".join(wallet["differences"])
    return "agree to the lamport"
