"""The report of `memesnipe up` and the verdict of `verify` as text: accounts apart, live orders and wallet in words."""

from collections.abc import Mapping
from typing import Any

from memesnipe.cli.account_figures import OF_ACCOUNTS, print_accounts
from memesnipe.cli.vocabulary import in_text
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.runtime.terminal import print_rows, print_table
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
        outcomes = accounts["live"].get("outcomes", {})
        orders = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items()) or "none"
        print_table("live", {"orders": orders, **wallet_words(result["wallet"])})


def print_verdict(verdict: Json) -> None:
    """Print what `verify` found, but for the differences: the accounts of a live run apart, and its wallet in words."""
    live, wallet = verdict.get("live"), verdict.get("wallet")
    hidden = ("differences", *(() if live is None else ("live", "wallet", *live)))
    print_table("verify", in_text({name: value for name, value in verdict.items() if name not in hidden}))
    if live is None or wallet is None:
        return
    paper, live = (in_text({name: of[name] for name in live}) for of in (verdict, live))
    print_rows("", ("account", "paper", "live"), [(name, f"{paper[name]:,}", f"{live[name]:,}") for name in live])
    wrong = [difference for difference in verdict["differences"] if difference.startswith("wallet: ")]
    print_table("live", wallet_words({**wallet, "differences": wrong}))


def wallet_words(wallet: Json | None) -> dict[str, str]:
    """Return whether the wallet holds what the records say; None stands for a database that did not answer."""
    if wallet is None:
        return {"wallet": "not compared: the database did not answer"}
    if wallet["lamports"] is None:
        return {"wallet": wallet["wallet"], "records": wallet["source"]}
    where = "on the chain" if wallet["source"] == "chain" else "when it was last read"
    holds = f"{wallet['lamports'] / LAMPORTS_PER_SOL:.9f} SOL {where}"
    return {"wallet": wallet["wallet"], "holds": holds, "records": _comparison(wallet)}


def _comparison(wallet: Json) -> str:
    if wallet["open_orders"]:
        return f"not compared: {plural(wallet['open_orders'], 'order')} open, whose outcome is not known yet"
    if wallet["differences"]:
        return f"{plural(len(wallet['differences']), 'difference')}: " + "; ".join(wallet["differences"])
    return "agree to the lamport"
