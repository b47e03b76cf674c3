"""The addresses of the signer's test world; the wallet's own accounts are derived by hand."""

from functools import cache
from typing import Final

from solders.instruction import AccountMeta
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM_PROGRAM
from solders.token.associated import get_associated_token_address

SYSTEM: Final = SYSTEM_PROGRAM
TOKEN: Final = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022: Final = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
WSOL: Final = Pubkey.from_string("So11111111111111111111111111111111111111112")
PUMP: Final = Pubkey.from_string("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P")
PUMPSWAP: Final = Pubkey.from_string("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA")
JUPITER: Final = Pubkey.from_string("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")
ATA_PROGRAM: Final = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
TABLE_PROGRAM: Final = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
RENT: Final = 2_039_280
SIGNATURE_FEE: Final = 5_000


@cache
def ata_of(owner: Pubkey, mint: Pubkey, program: Pubkey) -> Pubkey:
    return get_associated_token_address(owner, mint, program)


@cache
def key_of(seed: int) -> Keypair:
    return Keypair.from_seed(bytes([seed]) * 32)


@cache
def address(seed: int) -> Pubkey:
    return key_of(seed).pubkey()


WALLET_KEY: Final = key_of(1)
WALLET, ATTACKER, POOL = WALLET_KEY.pubkey(), address(2), address(3)
MINT, OTHER_MINT = address(4), address(5)
OWN, OWN_OTHER, OWN_WSOL = (
    ata_of(WALLET, MINT, TOKEN_2022),
    ata_of(WALLET, OTHER_MINT, TOKEN),
    ata_of(WALLET, WSOL, TOKEN),
)
ATTACKERS, ATTACKERS_WSOL = ata_of(ATTACKER, MINT, TOKEN_2022), ata_of(ATTACKER, WSOL, TOKEN)
ATTACKERS_OTHER = ata_of(ATTACKER, OTHER_MINT, TOKEN)
POOLS, POOLS_WSOL = ata_of(POOL, MINT, TOKEN_2022), ata_of(POOL, WSOL, TOKEN)
POOL_META, POOLS_META = AccountMeta(POOL, True, True), AccountMeta(POOLS, False, True)
POOLS_WSOL_META: Final = AccountMeta(POOLS_WSOL, False, True)
OWN_ACCUMULATOR: Final = Pubkey.find_program_address([b"user_volume_accumulator", bytes(WALLET)], PUMPSWAP)[0]
OWN_CASHBACK: Final = ata_of(OWN_ACCUMULATOR, WSOL, TOKEN)
TIP: Final = Pubkey.from_string("96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5")
NONCE: Final = address(6)
