"""Emulated programs: expansion, errors, logs, fees, privileges, and state that a fork takes along."""

import pytest
from solders.account import Account
from solders.compute_budget import set_compute_unit_price
from solders.system_program import ID as SYSTEM

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.records import Execution
from tests.localnet.support import COUNTER, SOL, TOY, VAULT, ToyProgram, add_toy, funded, pay, signed, wallet

A, B = wallet(1), wallet(2)
pays = ToyProgram.instruction


@pytest.fixture
def chain() -> Chain:
    made = funded(A)
    add_toy(made)
    return made


def execution(chain: Chain, *instructions: object) -> Execution:
    signature = chain.send(signed(chain, A, *instructions))  # type: ignore[arg-type]
    chain.tick()
    record = chain.history.get(signature)
    assert record is not None, chain.dropped
    return record.execution


def calls(chain: Chain) -> int:
    counter = chain.account(COUNTER)
    assert counter is not None
    return int.from_bytes(counter.data, "little")


def test_an_instruction_has_its_effect_log_and_fee(chain: Chain) -> None:
    done = execution(chain, pay(A, B.pubkey(), SOL), pays(B.pubkey(), SOL // 2), pays(B.pubkey(), SOL // 4))
    assert done.err is None
    assert done.fee == 5_000
    assert done.after.lamports[:2] == [9 * SOL - 5_000, SOL + SOL * 3 // 4]
    assert done.units == 450
    call = [
        f"Program {TOY} invoke [1]",
        "Program log: Instruction: Pay",
        f"Program {SYSTEM} invoke [2]",
        f"Program {SYSTEM} success",
        "Program data: AQID",
    ]
    assert done.logs == [
        f"Program {SYSTEM} invoke [1]",
        f"Program {SYSTEM} success",
        *call,
        f"Program {TOY} consumed 150 of 402850 compute units",
        f"Program {TOY} success",
        *call,
        f"Program {TOY} consumed 150 of 402700 compute units",
        f"Program {TOY} success",
    ]
    assert calls(chain) == 2
    assert chain.account(VAULT).lamports == 5 * SOL - SOL * 3 // 4  # type: ignore[union-attr]


def test_a_refusal_lands_as_the_programs_own_error(chain: Chain) -> None:
    done = execution(chain, set_compute_unit_price(10**6), pay(A, B.pubkey(), SOL), pays(B.pubkey(), 2 * SOL))
    assert done.err == {"InstructionError": [2, {"Custom": 6002}]}
    assert done.fee == 5_000 + 206_000
    assert done.after.lamports[:2] == [10 * SOL - 211_000, 0]
    assert done.logs[-4:] == [
        f"Program {TOY} invoke [1]",
        "Program log: too much",
        f"Program {TOY} consumed 150 of 205700 compute units",
        f"Program {TOY} failed: custom program error: 0x1772",
    ]
    assert calls(chain) == 0


def test_an_error_of_what_it_causes_is_its_error(chain: Chain) -> None:
    chain.set_account(VAULT, Account(SOL // 2, b"", SYSTEM))
    done = execution(chain, pay(A, B.pubkey(), 1_000_000), pays(B.pubkey(), SOL))
    assert done.err == {"InstructionError": [1, {"Custom": 1}]}
    assert done.logs[-2:] == [
        f"Program {TOY} consumed 150 of 202850 compute units",
        f"Program {TOY} failed: custom program error: 0x1",
    ]
    assert "Program data: AQID" not in done.logs
    assert calls(chain) == 0


def test_a_program_cannot_write_what_the_transaction_only_reads(chain: Chain) -> None:
    done = execution(chain, pays(B.pubkey(), SOL, is_writable=False))
    assert done.err == {"InstructionError": [0, "PrivilegeEscalation"]}
    assert f"{B.pubkey()}'s writable privilege escalated" in done.logs


def test_a_payer_with_just_the_fee_can_call(chain: Chain) -> None:
    poor = wallet(3)
    chain.set_account(poor.pubkey(), Account(5_000, b"", SYSTEM))
    signature = chain.send(signed(chain, poor, pays(B.pubkey(), SOL)))
    chain.tick()
    record = chain.history.get(signature)
    assert record is not None
    assert record.execution.after.lamports[0] == 0
    chain.set_account(poor.pubkey(), Account(4_999, b"", SYSTEM))
    chain.send(signed(chain, poor, pays(B.pubkey(), SOL)))
    chain.tick()
    assert chain.dropped == {"InsufficientFundsForFee": 1}
    assert chain.account(poor.pubkey()).lamports == 4_999  # type: ignore[union-attr]


def test_a_simulation_changes_nothing(chain: Chain) -> None:
    transaction = signed(chain, A, pays(B.pubkey(), SOL))
    found = chain.simulate(transaction)
    assert (found.err, found.units, found.fee) == (None, 150, 5_000)
    assert found.accounts[B.pubkey()].lamports == SOL
    assert found.logs[-1] == f"Program {TOY} success"
    assert chain.simulate(signed(chain, A, pays(B.pubkey(), 2 * SOL))).err == {
        "InstructionError": [0, {"Custom": 6002}]
    }
    assert calls(chain) == 0
    assert chain.account(B.pubkey()) is None
    assert chain.account(A.pubkey()).lamports == 10 * SOL  # type: ignore[union-attr]


def test_a_fork_takes_the_state_of_programs_along(chain: Chain) -> None:
    execution(chain, pays(B.pubkey(), SOL))
    execution(chain, pays(B.pubkey(), SOL // 2))
    assert calls(chain) == 2
    chain.roll_back(1)
    assert calls(chain) == 1
    assert chain.account(VAULT).lamports == 4 * SOL  # type: ignore[union-attr]


def test_a_program_that_creates_lamports_is_an_error(chain: Chain) -> None:
    class Mint(ToyProgram):
        def expand(self, data, accounts, state):  # type: ignore[no-untyped-def]
            expansion = super().expand(data, accounts, state)
            return type(expansion)(
                expansion.instructions, [], lambda: state.set_account(VAULT, Account(9 * SOL, b"", SYSTEM))
            )

    chain.add_program(Mint())
    chain.send(signed(chain, A, pays(B.pubkey(), SOL)))
    with pytest.raises(RuntimeError, match="created 5000000000 lamports"):
        chain.tick()


def test_a_log_is_cut_at_the_clusters_limit(chain: Chain) -> None:
    class Verbose(ToyProgram):
        def expand(self, data, accounts, state):  # type: ignore[no-untyped-def]
            return type(super().expand(data, accounts, state))([], ["Program data: " + "A" * 4_000] * 3)

    chain.add_program(Verbose())
    done = execution(chain, pays(B.pubkey(), SOL))
    assert done.err is None
    assert "Log truncated" in done.logs
    assert sum(map(len, done.logs)) < 10_020
    assert done.logs[-1] == f"Program {TOY} success"
