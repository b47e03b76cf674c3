"""Addresses and event discriminators of pump.fun and PumpSwap (source: their IDLs and pump-public-docs, 2026-11)."""

from typing import Final

PUMP: Final = "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"
PUMP_AMM: Final = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"
PROGRAMS: Final = frozenset({PUMP, PUMP_AMM})
PROGRAM_NAMES: Final = {PUMP: "pump.fun", PUMP_AMM: "PumpSwap"}

NO_KEY: Final = bytes(32)
WRAPPED_SOL: Final = "So11111111111111111111111111111111111111112"
USDC: Final = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"

# Events of the two programs that say nothing about a price, a pool or a holder. They are counted and not decoded.
OTHER_EVENTS: Final[dict[str, dict[str, str]]] = {
    PUMP: {
        "a4af574a582d213e": "AddQuoteControlMintEvent",
        "6e7ce262aaff1178": "AdminCtoEvent",
        "f53b46224bb96d5c": "AdminSetIdlAuthorityEvent",
        "93fa6c78f71d43de": "AdminUpdateTokenIncentivesEvent",
        "e2d6f62107f293e5": "ClaimCashbackEvent",
        "4facf631cd5bcee8": "ClaimTokenIncentivesEvent",
        "929fbdac925838f4": "CloseUserVolumeAccumulatorEvent",
        "7a027f010ebf0caf": "CollectCreatorFeeEvent",
        "a537817004b3ca28": "DistributeCreatorFeesEvent",
        "e3bed7ceb0b4a584": "DistributeFeeToHoldersEvent",
        "6161d7905d92167c": "ExtendAccountEvent",
        "86240d48e86582d8": "InitUserVolumeAccumulatorEvent",
        "9ba768dcd56cf303": "MigrateBondingCurveCreatorEvent",
        "a8d884efebb63134": "MinimumDistributableFeeEvent",
        "2e21568600d5d130": "RemoveQuoteControlMintEvent",
        "2bbcfa12dd4bbb5f": "ReservedFeeRecipientsEvent",
        "ed347b25f5fb48d2": "SetCreatorEvent",
        "8ecb06207f69bfa2": "SetMetaplexCreatorEvent",
        "dfc39ff63e308f83": "SetParamsEvent",
        "4af88d45ca511ef7": "SetQuoteControlAdminEvent",
        "742b4dbd117a482b": "SweepBondingCurveFeeEvent",
        "c57aa77c74515bff": "SyncUserVolumeAccumulatorEvent",
        "98c67c7c6af67fbf": "UpdateCreatorFeeConfigEvent",
        "b6c3892a23cecff7": "UpdateGlobalAuthorityEvent",
        "757be4b6a1a8dcd6": "UpdateMayhemVirtualParamsEvent",
    },
    PUMP_AMM: {
        "2f23a3f9969d937a": "AdminCtoPoolEvent",
        "93fa6c78f71d43de": "AdminUpdateTokenIncentivesEvent",
        "3f451c16305cc2b9": "BoostBuyAndBurnEvent",
        "e2d6f62107f293e5": "ClaimCashbackEvent",
        "4facf631cd5bcee8": "ClaimTokenIncentivesEvent",
        "929fbdac925838f4": "CloseUserVolumeAccumulatorEvent",
        "e8f5c2eeeada3a59": "CollectCoinCreatorFeeEvent",
        "6b34598137e25116": "CreateConfigEvent",
        "6bfdc14ce4ca1b68": "DisableEvent",
        "6161d7905d92167c": "ExtendAccountEvent",
        "ae7c4af90451f611": "InitBoostEvent",
        "86240d48e86582d8": "InitUserVolumeAccumulatorEvent",
        "aadd52c793a5f72e": "MigratePoolCoinCreatorEvent",
        "2bbcfa12dd4bbb5f": "ReservedFeeRecipientsEvent",
        "f2e7eb664163bdd3": "SetBondingCurveCoinCreatorEvent",
        "5980f08d5bca4769": "SetBoostAuthorityEvent",
        "966bc77b7ccf66e4": "SetMetaplexCoinCreatorEvent",
        "82a42461e48287a5": "SweepPoolFeeEvent",
        "c57aa77c74515bff": "SyncUserVolumeAccumulatorEvent",
        "e198ab57f63f42ea": "UpdateAdminEvent",
        "98c67c7c6af67fbf": "UpdateCreatorFeeConfigEvent",
        "5a1741233ef4bcd0": "UpdateFeeConfigEvent",
    },
}
