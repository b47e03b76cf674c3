"""Examples of every command, shown at the end of its help."""

from typing import Final

import typer

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "up": (
        "memesnipe up",
        "memesnipe up --feed pumpfun --detach",
        "memesnipe up --feed replay --tape day.tape --speed max --until-end",
        "memesnipe up --mode live --localnet",
    ),
    "down": ("memesnipe down", "memesnipe down --address 10.0.0.2:6379"),
    "status": ("memesnipe status", "memesnipe status --json", "memesnipe status --address auto"),
    "demo": ("memesnipe demo", "memesnipe demo --minutes 5 --json"),
    "feeds check": ("memesnipe feeds check", "memesnipe feeds check --feed pumpfun,jupiter --seconds 30"),
    "import": (
        "memesnipe import swaps.csv -o day.tape --sol-usd 200",
        "memesnipe import swaps.parquet -o day.tape --map ts_ns=time:ms,sol_amount=sol:lamports",
    ),
    "tape": ("memesnipe tape day.tape", "memesnipe tape day.tape --head 10"),
    "synth": ("memesnipe synth --tokens 21800 --hours 24 --seed 1 -o day.tape",),
    "record": ("memesnipe record --feed pumpfun,jupiter -o tapes --hours 24",),
    "list-strategies": ("memesnipe list-strategies", "memesnipe list-strategies --json"),
    "new-strategy": ("memesnipe new-strategy fast_dip_5m",),
    "strategies": ("memesnipe strategies", "memesnipe strategies --mode paper --limit 10"),
    "explain": ("memesnipe explain 1a2b3c4d5e6f", "memesnipe explain shared.json"),
    "export": ("memesnipe export 1a2b3c4d5e6f -o shared.json",),
    "quote": ("memesnipe quote --pool pool.json --op buy_exact_quote_in --amount 10000000",),
    "backtest": (
        "memesnipe backtest --tape day.tape --strategy momentum_5m --param lookback_s=120",
        "memesnipe backtest --tape day.tape --spec shared.json --trades fills.csv",
    ),
    "lookahead-check": ("memesnipe lookahead-check --strategy momentum_5m",),
    "bench engine": ("memesnipe bench engine",),
    "bench evolve": ("memesnipe bench evolve",),
    "bench live": ("memesnipe bench live",),
    "evolve": (
        "memesnipe evolve --tape day.tape --generations 10 --population 200",
        "memesnipe evolve --tape day.tape --generations 10 --population 200 --resume",
    ),
    "plan": ("memesnipe plan --population 10000 --generations 20 --events 26000000 --cores 64",),
    "halt": ('memesnipe halt --reason "the node is behind"',),
    "flatten": ("memesnipe flatten", "memesnipe flatten --account paper --yes --json"),
    "close": ("memesnipe close 9BB6NFEcjBCtnNLFko2FqVQBq8HHM13kCyYcdQbgpump",),
    "promote": ("memesnipe promote 1a2b3c4d5e6f", "memesnipe promote shared.json", "memesnipe promote --busiest 5"),
    "demote": ('memesnipe demote 1a2b3c4d5e6f --reason "it trades one token only"',),
    "risk show": ("memesnipe risk show",),
    "risk reset": ('memesnipe risk reset --reason "looked at it"',),
    "verify": ("memesnipe verify", "memesnipe verify --run 3 --json"),
    "chaos": ("memesnipe chaos --kills 5",),
    "report": (
        "memesnipe report -o run.html",
        "memesnipe report day.tape -o day.html",
        "memesnipe report momentum_5m --tape day.tape --png pictures",
    ),
    "sql": (
        "memesnipe sql",
        'memesnipe sql "SELECT run_id, mint, side, reason FROM trades ORDER BY run_id DESC, seq DESC" --limit 20',
        'memesnipe sql --no-header "SELECT count(*) FROM trades WHERE run_id = (SELECT max(run_id) FROM runs)"',
    ),
    "redis": ("memesnipe redis XLEN events:price",),
    "wallet new": ("memesnipe wallet new", "memesnipe wallet new keys/small.json"),
    "wallet show": ("memesnipe wallet show",),
    "safety": ("memesnipe safety 9BB6NFEcjBCtnNLFko2FqVQBq8HHM13kCyYcdQbgpump",),
    "localnet": ("memesnipe localnet --market 1 --fault drop=0.1",),
    "landing": ("memesnipe landing", "memesnipe landing --settings"),
    "doctor": ("memesnipe doctor", "memesnipe doctor --production"),
    "monitor": ("memesnipe monitor", "memesnipe monitor --once"),
    "backup": ("memesnipe backup -o monday.backup",),
    "restore": ("memesnipe restore monday.backup",),
}


def add_examples(app: typer.Typer, prefix: str = "") -> None:
    """Show the examples of each command at the end of its help; those of the groups' commands too."""
    for command in app.registered_commands:
        shown = EXAMPLES.get(f"{prefix}{command.name}", ())
        if shown:
            command.epilog = "Examples:\n\n\b\n" + "\n".join(f"  {example}" for example in shown)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            add_examples(group.typer_instance, f"{prefix}{group.name} " if isinstance(group.name, str) else prefix)
