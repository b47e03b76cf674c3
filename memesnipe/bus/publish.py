"""The script that publishes: it checks and writes in one step, so that nothing can be lost in between."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from memesnipe.bus.entry_mac import Seal

# What a writer hands over: (stream, number, seq, JSON)
Outgoing = tuple[str, int, int, bytes]

DONE, TAKEN = b"done", b"taken"

# Between a check and the writing Redis may lose its data, and what is then written into the empty streams would hide
# what is missing below. So nothing is done where our mark is gone or a stream is longer or shorter than we left it.
# An entry that is there already is left as it is. One that finds its place taken by something else says so, and that
# stream goes, for nothing can be put below what is there: it is published again.
#
# KEYS: the marks, the streams to empty, the streams to append to.
# ARGV: writer, mark, number of streams to empty, number of streams to append to, the length of each of these ("" where
# it is not known), and of each entry which of them it goes to, its id, seq and data.
PUBLISH: Final = """
local anew, targets = tonumber(ARGV[3]), tonumber(ARGV[4])
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return {'gone'} end
for i = 1, targets do
  local length = ARGV[4 + i]
  local key = KEYS[1 + anew + i]
  if length ~= '' and redis.call('XLEN', key) ~= tonumber(length) then return {'changed'} end
end
for i = 2, anew + 1 do redis.call('DEL', KEYS[i]) end
for at = 5 + targets, #ARGV, 4 do
  local key, id = KEYS[1 + anew + tonumber(ARGV[at])], ARGV[at + 1]
  local reply = redis.pcall('XADD', key, id, 'seq', ARGV[at + 2], 'data', ARGV[at + 3])
  if type(reply) == 'table' and reply.err then
    if not string.find(reply.err, 'equal or smaller', 1, true) then return reply end
    if #redis.call('XRANGE', key, id, id) == 0 then
      redis.call('DEL', key)
      return {'taken', key}
    end
  end
end
local lengths = {}
for i = 1, targets do lengths[i] = redis.call('XLEN', KEYS[1 + anew + i]) end
return {'done', lengths}
"""


def arguments_of(
    entries: Sequence[Outgoing], rebuild: Iterable[str], lengths: Mapping[str, int], seal: Seal
) -> tuple[list[str], list[str], list[str | bytes | int]]:
    """The streams that the entries go to, and the KEYS and ARGV of the script but the mark's."""
    targets = list(dict.fromkeys(stream for stream, *_ in entries))
    which = {stream: index for index, stream in enumerate(targets, start=1)}
    emptied = list(rebuild)
    known = ["" if stream in emptied else lengths.get(stream, "") for stream in targets]
    fields = (
        value
        for stream, number, seq, data in entries
        for value in (which[stream], seal.identifier(stream, number, seq, data), seq, data)
    )
    return targets, [*emptied, *targets], [len(emptied), len(targets), *known, *fields]
