"""The conditions that a run was decided under, from its record: settings, accounts and limits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memesnipe.config.policies import capital_of, fill_model_of, ledger_policy_of, limits_of
from memesnipe.config.settings import Settings, settings_from
from memesnipe.sdk.registry import Families
from memesnipe.storage.runs import LIVE_CAPITAL
from memesnipe.trading.execution import local_execution
from memesnipe.trading.ledger import Ledger
from memesnipe.verification.audit import Audit, Recorded


def settings_of(recorded: Recorded) -> Settings:
    """Return the settings that a run was decided under."""
    return settings_from_record(recorded.settings)


def settings_from_record(recorded: Mapping[str, Any]) -> Settings:
    """Return the settings that a run was decided under, from its row."""
    kept = {name: value for name, value in recorded.items() if name in Settings.fields()}
    return settings_from(kept, env_file=None)


def audit_of(recorded: Recorded, event_log: Path, settings: Settings, families: Families) -> Audit:
    """Return the audit of a run under its settings, with the strategy families that it used."""
    capital = capital_of(settings, recorded.settings.get(LIVE_CAPITAL))
    policies = {account: ledger_policy_of(settings, one) for account, one in capital.items()}
    execution = local_execution(
        families,
        fill_model_of(settings),
        shadow_capital_usd=settings.simulation.shadow_capital_usd,
        limits={account: limits_of(settings) for account in capital},
        policies=policies,
    )
    ledgers = [Ledger(policy, account=account) for account, policy in policies.items()]
    return Audit(recorded, event_log, execution, ledgers)
