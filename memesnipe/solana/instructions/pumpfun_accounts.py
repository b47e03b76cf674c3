"""The accounts of trades on pump.fun's curve, by the names of the IDL."""

from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from memesnipe.solana.addresses import PUMP, pda

GLOBAL_VOLUME_ACCUMULATOR: Final = pda(PUMP, b"global_volume_accumulator")


@dataclass(frozen=True, slots=True)
class TradeV3Accounts:
    """The 17 accounts of a v3 trade; `global_config` is ``global`` in the IDL."""

    global_config: Pubkey
    base_mint: Pubkey
    quote_mint: Pubkey
    base_token_program: Pubkey
    quote_token_program: Pubkey
    bonding_curve: Pubkey
    associated_base_bonding_curve: Pubkey
    associated_quote_bonding_curve: Pubkey
    user: Pubkey
    associated_base_user: Pubkey  # must exist
    associated_quote_user: Pubkey
    user_volume_accumulator: Pubkey
    fee_config: Pubkey
    buyback_fee_recipient: Pubkey
    system_program: Pubkey
    event_authority: Pubkey
    program: Pubkey


@dataclass(frozen=True, slots=True)
class TradeV2Accounts:
    """The 27 accounts of a v2 buy; a v2 sale has no `global_volume_accumulator`."""

    global_config: Pubkey
    base_mint: Pubkey
    quote_mint: Pubkey
    base_token_program: Pubkey
    quote_token_program: Pubkey
    bonding_curve: Pubkey
    associated_base_bonding_curve: Pubkey
    associated_quote_bonding_curve: Pubkey
    user: Pubkey
    associated_base_user: Pubkey
    associated_quote_user: Pubkey
    user_volume_accumulator: Pubkey
    fee_config: Pubkey
    buyback_fee_recipient: Pubkey
    system_program: Pubkey
    event_authority: Pubkey
    program: Pubkey
    associated_token_program: Pubkey
    fee_recipient: Pubkey
    associated_quote_fee_recipient: Pubkey
    associated_quote_buyback_fee_recipient: Pubkey
    creator_vault: Pubkey
    associated_creator_vault: Pubkey
    sharing_config: Pubkey
    associated_user_volume_accumulator: Pubkey
    fee_program: Pubkey
    global_volume_accumulator: Pubkey = GLOBAL_VOLUME_ACCUMULATOR
