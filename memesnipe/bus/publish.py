"""The Lua script that publishes entries: it checks and writes atomically, so that no entry is lost in between."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from memesnipe.bus.entry_mac import EntryMac
from memesnipe.protocol.payload import EncodedEntry

DONE, BLOCKED = b"done", b"blocked"

# Redis may lose its data between a check and a write; entries written to the empty streams would then hide the missing
# ones before them. So the script writes nothing if the writer's mark is missing, or if the length of a stream is not
# its length after the writer's last write. An entry that exists already is left unchanged. If an entry is absent and a
# foreign entry has its id or a higher one, it cannot be inserted before that entry: the script deletes the stream and
# returns "blocked", and the writer publishes the stream again.
#
# KEYS: the marks, the streams to empty, the streams to append to.
# ARGV: writer, mark, number of streams to empty, number of streams to append to, the length of each of the latter (""
# if unknown), and for each entry the index of its stream among the latter, its id, seq and data.
PUBLISH: Final = """
local emptied, targets = tonumber(ARGV[3]), tonumber(ARGV[4])
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return {'gone'} end
for i = 1, targets do
  local length = ARGV[4 + i]
  local key = KEYS[1 + emptied + i]
  if length ~= '' and redis.call('XLEN', key) ~= tonumber(length) then return {'changed'} end
end
for i = 2, emptied + 1 do redis.call('DEL', KEYS[i]) end
for at = 5 + targets, #ARGV, 4 do
  local key, id = KEYS[1 + emptied + tonumber(ARGV[at])], ARGV[at + 1]
  local reply = redis.pcall('XADD', key, id, 'seq', ARGV[at + 2], 'data', ARGV[at + 3])
  if type(reply) == 'table' and reply.err then
    if not string.find(reply.err, 'equal or smaller', 1, true) then return reply end
    if #redis.call('XRANGE', key, id, id) == 0 then
      redis.call('DEL', key)
      return {'blocked', key}
    end
  end
end
local lengths = {}
for i = 1, targets do lengths[i] = redis.call('XLEN', KEYS[1 + emptied + i]) end
return {'done', lengths}
"""


def arguments_of(
    entries: Sequence[EncodedEntry], rebuild: Iterable[str], lengths: Mapping[str, int], entry_mac: EntryMac
) -> tuple[list[str], list[str], list[str | bytes | int]]:
    """Return the streams to append to, and the script's KEYS without the marks and ARGV without writer and mark."""
    targets = list(dict.fromkeys(stream for stream, *_ in entries))
    which = {stream: index for index, stream in enumerate(targets, start=1)}
    emptied = list(rebuild)
    known = ["" if stream in emptied else lengths.get(stream, "") for stream in targets]
    fields = (
        value
        for stream, number, seq, data in entries
        for value in (which[stream], entry_mac.entry_id(stream, number, seq, data), seq, data)
    )
    return targets, [*emptied, *targets], [len(emptied), len(targets), *known, *fields]


def change_of(stream: str, expected: int, length: int) -> str:
    """Return what has happened to a stream that has not the length after its writer's last write."""
    if length < expected:
        return f"{stream}: Redis has lost its data, {expected - length} of {expected} entries"
    return f"{stream}: another process has written {length - expected} entries into it"
