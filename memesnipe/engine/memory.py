"""Memory operations by address, for compiled code: numpy calls are too slow for thousands of small arrays."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from memesnipe.compiled import compiled, intrinsic_of


@intrinsic_of
def prefetch(typing_context, address):  # type: ignore[no-untyped-def]  # noqa: ARG001 - numba's protocol
    """Prefetch the memory at an address into the cache without waiting."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        number, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        fetch = builder.module.declare_intrinsic(
            "llvm.prefetch", [pointer], ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        )
        to_read, keep_near, data = number(0), number(3), number(1)
        builder.call(fetch, [builder.inttoptr(args[0], pointer), to_read, keep_near, data])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic_of
def _copy(typing_context, to, address, size):  # type: ignore[no-untyped-def]  # noqa: ARG001 - numba's protocol
    """Copy ``size`` bytes from ``address`` to ``to``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        pointer = ir.IntType(8).as_pointer()
        target, source = (builder.inttoptr(address, pointer) for address in args[:2])
        cgutils.raw_memcpy(builder, target, source, args[2], 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@compiled
def gather(addresses: Any, sizes: Any, to: int) -> None:
    """Concatenate memory blocks at ``to``: their addresses and sizes in bytes have shape (rows, parts)."""
    for row in range(addresses.shape[0]):
        for part in range(addresses.shape[1]):
            _copy(to, addresses[row, part], sizes[row, part])
            to += sizes[row, part]


@compiled
def copy_blocks(addresses: Any, to: Any, size: int) -> None:
    """Copy a memory block of ``size`` bytes from each address to the address of the same index, shape (blocks,)."""
    for block in range(len(addresses)):
        _copy(to[block], addresses[block], size)


@compiled
def close_gaps(address: int, size: int, kept: Any) -> None:
    """Move the rows ``kept``, ascending, each ``size`` bytes long, to the front of the array."""
    for to in range(len(kept)):
        if kept[to] != to:
            _copy(address + to * size, address + kept[to] * size, size)
