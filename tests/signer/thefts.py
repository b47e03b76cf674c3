"""Instructions that take something from the wallet, or give a right over it away."""

import struct
from typing import Final

from hypothesis import strategies as st
from solders.instruction import Instruction
from solders.system_program import AllocateParams, AssignParams, allocate, assign

from tests.signer import addresses as w
from tests.signer.cases import token
from tests.signer.world import pay

_VICTIMS: Final = ((w.OWN, w.TOKEN_2022), (w.OWN_OTHER, w.TOKEN), (w.OWN_WSOL, w.TOKEN))


def theft(draw: st.DrawFn) -> Instruction:
    """Return an instruction that takes something from the wallet, or gives a right over it away."""
    account, program = draw(st.sampled_from(_VICTIMS))
    to = {w.OWN: w.ATTACKERS, w.OWN_OTHER: w.ATTACKERS_OTHER, w.OWN_WSOL: w.ATTACKERS_WSOL}[account]
    mint = {w.OWN: w.MINT, w.OWN_OTHER: w.OTHER_MINT, w.OWN_WSOL: w.WSOL}[account]
    amount = struct.pack("<Q", draw(st.sampled_from([0, 1, 10_000, 7_000_000])))
    new_authority = b"\x01" + bytes(w.ATTACKER)
    return draw(
        st.sampled_from(
            [
                pay(draw(st.sampled_from([1, 10**6, 10**9])), draw(st.sampled_from([w.ATTACKER, w.address(50)]))),
                token(program, b"\x03" + amount, account, to, w.WALLET),
                token(program, b"\x0c" + amount + b"\x06", account, mint, to, w.WALLET),
                token(program, b"\x04" + amount, account, w.ATTACKER, w.WALLET),
                token(program, b"\x0d" + amount + b"\x06", account, mint, w.ATTACKER, w.WALLET),
                token(program, b"\x06\x02" + new_authority, account, w.WALLET),
                token(program, b"\x06\x03" + new_authority, account, w.WALLET),
                token(program, b"\x08" + amount, account, mint, w.WALLET),
                token(program, b"\x09", account, w.ATTACKER, w.WALLET),
                token(program, b"\x09", account, w.WALLET, w.WALLET),
                assign(AssignParams(pubkey=w.WALLET, owner=w.TOKEN)),
                allocate(AllocateParams(pubkey=w.WALLET, space=8)),
            ]
        )
    )
