"""Checks of settings that are valid individually but contradict each other."""

from typing import TYPE_CHECKING

from memesnipe.errors import SettingsError

if TYPE_CHECKING:
    from memesnipe.config.settings import Settings

_SENDER_TIP = 1_000_000  # lamports: `memesnipe.solana.sender`


def check_together(settings: "Settings") -> None:
    """Check settings against each other.

    Raises:
        SettingsError: two settings contradict each other; the text names them and their values.
    """
    values = settings.flat
    for less, more, why in (
        ("specs_per_generation", "population_size", "no more genomes can be chosen than are bred"),
        ("specs_per_generation", "arena_size", "no more strategies can join than the arena holds"),
        ("tournament_size", "population_size", "no more genomes can be drawn than are bred"),
        (
            "max_strategy_share_percent",
            "max_invested_share_percent",
            "one strategy cannot get more than all strategies together",
        ),
        ("min_priority_fee_lamports", "max_priority_fee_lamports", "no priority fee is within both limits"),
        ("min_tip_lamports", "max_tip_lamports", "no tip is within both limits"),
        ("bid_refresh_secs", "bid_max_age_secs", "every estimate would be too old before the next one"),
        ("min_sharpe_to_stay", "min_sharpe_for_promotion", "a promoted strategy would be demoted at once"),
    ):
        first, second = values[less], values[more]
        if first > second:
            raise SettingsError(
                f"{less.upper()} is {first:.15g} and {more.upper()} is {second:.15g}: {why}; lower the first or raise "
                "the second"
            )
    if (values["sender_url"] is None) != (values["sender_tip_account"] is None):
        raise SettingsError(
            "SENDER_URL and SENDER_TIP_ACCOUNT go together: the Sender takes no transaction without a tip"
        )
    if values["sender_url"] is not None and values["min_tip_lamports"] < _SENDER_TIP:
        raise SettingsError(
            f"MIN_TIP_LAMPORTS is {values['min_tip_lamports']} and SENDER_URL is set: the Sender takes no tip below "
            f"{_SENDER_TIP} lamports; raise MIN_TIP_LAMPORTS, and MAX_TIP_LAMPORTS with it"
        )
    # A port with its default is replaced by another if it is taken.
    ports = {name: values[name] for name in sorted(settings.given) if name.endswith("_port")}
    for name, port in ports.items():
        same = [other for other in ports if other > name and ports[other] == port]
        if same:
            raise SettingsError(f"{name.upper()} and {same[0].upper()} are both {port}: choose another for one of them")
    home = settings.installation.memesnipe_home
    if home.exists() and not home.is_dir():
        raise SettingsError(f"MEMESNIPE_HOME is {str(home)!r}: that is not a folder")
