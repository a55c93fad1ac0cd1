"""What the cache does in Redis in one step: scripts that run on the server, each as a whole or not at all.

`ARGV[1]` is always what every name begins with. Names are put together in the scripts, so they do not run on a cluster.
Beside the values, by the keys that services give them, lie

    generations                      hash    run, epoch, :{scope} -> how often it was invalidated
    analytics:counter:{metric}       string  of all accounts; analytics:metrics is the set of the metrics
    analytics:daily:{date}           hash    metric -> total; analytics:days are the days, by ordinal
    analytics:operation:{id}         string  an operation that was counted
    account:{id}:counters, :days, :daily:{date}    the same of an account
    account:{id}:keys                the keys that are its own, by their end; `accounts` are these sets, by their end
    notifications:user:{id}          places of lines (moment and id), in order; :lines is what they say, by id
    rate:{name}                      places that are taken, by their moment

Nothing that must be complete has a time to live of its own, so that `volatile-lru` evicts values and never an index.
"""

import hashlib
from typing import NamedTuple


class Script(NamedTuple):
    """A script and the name by which the server knows it once it has run it."""

    text: str
    sha: str


def _script(*parts: str) -> Script:
    text = "\n".join(("local prefix = ARGV[1]", *parts))
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


_NOW = """
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end
"""

# Sets of keys whose last value is over go, some at a time.
_TIDY = """
local function tidy(most)
  local over = redis.call('ZRANGEBYSCORE', prefix .. 'accounts', '-inf', now(), 'LIMIT', 0, most)
  for _, id in ipairs(over) do
    redis.call('DEL', prefix .. 'account:' .. id .. ':keys')
    redis.call('ZREM', prefix .. 'accounts', id)
  end
  return #over
end
"""

# key, value, milliseconds, account
PUT_OWNED = _script(
    _NOW,
    _TIDY,
    """
local key, id = prefix .. ARGV[2], ARGV[5]
redis.call('SET', key, ARGV[3], 'PX', ARGV[4])
local present = now()
local ends = present + ARGV[4]
local owned = prefix .. 'account:' .. id .. ':keys'
redis.call('ZREMRANGEBYSCORE', owned, '-inf', present)
redis.call('ZADD', owned, ends, key)
redis.call('ZADD', prefix .. 'accounts', 'GT', ends, id)
tidy(10)
""",
)

# `epoch` is the time (in microseconds) at which this run of the server was first asked, so no two runs count from the
# same number. What a flush, an eviction, a restart without the last writes or a fail-over loses is thereby never begun
# anew where it was, and a key that was made before is never made again.
_EPOCH = """
local key = prefix .. 'generations'
local function epoch()
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  if redis.call('HGET', key, 'run') ~= run then
    local time = redis.call('TIME')
    redis.call('DEL', key)
    redis.call('HSET', key, 'run', run, 'epoch', string.format('%.0f', time[1] * 1000000 + time[2]))
  end
  return redis.call('HGET', key, 'epoch')
end
"""

# scope ...
GENERATION = _script(
    _EPOCH,
    """
local first, found = epoch(), {}
for n = 2, #ARGV do
  found[n - 1] = string.format('%.0f', first + (redis.call('HGET', key, ':' .. ARGV[n]) or 0))
end
return found
""",
)

# scope
INVALIDATE = _script(
    _EPOCH,
    """
local first = epoch()
return string.format('%.0f', first + redis.call('HINCRBY', key, ':' .. ARGV[2], 1))
""",
)

# seconds that an operation is remembered, the ordinal of the oldest day that is kept, then for each count: operation,
# account, date, its ordinal, seconds that the day is kept, how many figures, and by figure: metric, amount
COUNT = _script("""
local remembered, oldest = ARGV[2], ARGV[3]

local function add_day(home, date, ordinal, kept, metric, amount)
  local day = home .. 'daily:' .. date
  redis.call('HINCRBY', day, metric, amount)
  redis.call('EXPIRE', day, kept)
  redis.call('ZADD', home .. 'days', ordinal, date)
  redis.call('ZREMRANGEBYSCORE', home .. 'days', '-inf', '(' .. oldest)
end

local at = 4
while at <= #ARGV do
  local operation, id, date, ordinal, kept, figures = unpack(ARGV, at, at + 5)
  at = at + 6
  local new = redis.call('SET', prefix .. 'analytics:operation:' .. operation, 1, 'NX', 'EX', remembered)
  for n = at, at + 2 * figures - 1, 2 do
    local metric, amount = ARGV[n], ARGV[n + 1]
    if new then
      redis.call('INCRBY', prefix .. 'analytics:counter:' .. metric, amount)
      redis.call('SADD', prefix .. 'analytics:metrics', metric)
      add_day(prefix .. 'analytics:', date, ordinal, kept, metric, amount)
      if id ~= '' then
        local home = prefix .. 'account:' .. id .. ':'
        redis.call('HINCRBY', home .. 'counters', metric, amount)
        add_day(home, date, ordinal, kept, metric, amount)
      end
    end
  end
  at = at + 2 * figures
end
""")

# -> metric, total ...
COUNTERS = _script("""
local found = {}
for _, metric in ipairs(redis.call('SMEMBERS', prefix .. 'analytics:metrics')) do
  local total = redis.call('GET', prefix .. 'analytics:counter:' .. metric)
  if total then
    found[#found + 1] = metric
    found[#found + 1] = total
  end
end
return found
""")

# home (`analytics:` or `account:{id}:`), first and last ordinal -> {date, {metric, total ...}} ...
DAYS = _script("""
local home, found = prefix .. ARGV[2], {}
for _, date in ipairs(redis.call('ZRANGEBYSCORE', home .. 'days', ARGV[3], ARGV[4])) do
  found[#found + 1] = {date, redis.call('HGETALL', home .. 'daily:' .. date)}
end
return found
""")

# account; a key that was overwritten by somebody else since is not the account's any more
FORGET = _script("""
local id = ARGV[2]
local home = prefix .. 'account:' .. id .. ':'
local owner = string.char(#id) .. id
for _, key in ipairs(redis.call('ZRANGE', home .. 'keys', 0, -1)) do
  if redis.call('GETRANGE', key, 1, #owner) == owner then
    redis.call('DEL', key)
  end
end
for _, date in ipairs(redis.call('ZRANGE', home .. 'days', 0, -1)) do
  redis.call('DEL', home .. 'daily:' .. date)
end
local inbox = prefix .. 'notifications:user:' .. id
redis.call('DEL', home .. 'keys', home .. 'days', home .. 'counters', inbox, inbox .. ':lines')
redis.call('ZREM', prefix .. 'accounts', id)
""")

# account, line's id, its place, what it says, how many are kept, bytes of a moment
NOTIFY = _script("""
local inbox = prefix .. 'notifications:user:' .. ARGV[2]
local lines = inbox .. ':lines'
if redis.call('HEXISTS', lines, ARGV[3]) == 0 then
  redis.call('ZADD', inbox, 0, ARGV[4])
  redis.call('HSET', lines, ARGV[3], ARGV[5])
end
while redis.call('ZCARD', inbox) > tonumber(ARGV[6]) do
  local oldest = redis.call('ZRANGE', inbox, 0, 0)[1]
  redis.call('ZREM', inbox, oldest)
  redis.call('HDEL', lines, string.sub(oldest, ARGV[7] + 1))
end
""")

# account, limit, bytes of a moment -> {place, what it says} ...
NOTIFICATIONS = _script("""
local inbox, found = prefix .. 'notifications:user:' .. ARGV[2], {}
for _, place in ipairs(redis.call('ZREVRANGE', inbox, 0, ARGV[3] - 1)) do
  local says = redis.call('HGET', inbox .. ':lines', string.sub(place, ARGV[4] + 1))
  if says then
    found[#found + 1] = {place, says}
  end
end
return found
""")

# account -> lines that went
CLEAR_NOTIFICATIONS = _script("""
local inbox = prefix .. 'notifications:user:' .. ARGV[2]
local lines = redis.call('ZCARD', inbox)
redis.call('DEL', inbox, inbox .. ':lines')
return lines
""")

# name, limit, window, now, what tells this place from others of the same moment, milliseconds that places are kept.
# Places from the future (the clock went back) count as taken now. Below a microsecond a place counts as free: that is
# as exact as differences of epoch seconds are.
TAKE_RATE = _script("""
local places = prefix .. 'rate:' .. ARGV[2]
local limit, window, present = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
for _, place in ipairs(redis.call('ZRANGEBYSCORE', places, '(' .. ARGV[5], '+inf')) do
  redis.call('ZADD', places, ARGV[5], place)
end
redis.call('ZREMRANGEBYSCORE', places, '-inf', string.format('%.17g', present - window + 1e-6))
local taken = redis.call('ZCARD', places)
if taken >= limit then
  local freed = redis.call('ZRANGE', places, taken - limit, taken - limit, 'WITHSCORES')[2]
  return string.format('%.17g', freed + window - present)
end
redis.call('ZADD', places, ARGV[5], ARGV[6])
redis.call('PEXPIRE', places, ARGV[7])
return '0'
""")

# the ordinal of the oldest day that is kept -> 1 when there may be more to do
PURGE = _script(
    _NOW,
    _TIDY,
    """
redis.call('ZREMRANGEBYSCORE', prefix .. 'analytics:days', '-inf', '(' .. ARGV[2])
return tidy(1000) == 1000 and 1 or 0
""",
)
