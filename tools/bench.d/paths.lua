-- What wrk asks: the paths of a file in no order, each as often as another, as requests that are made beforehand.
-- Usage: wrk -s tools/bench.d/paths.lua URL -- FILE     Prints one line of JSON behind what wrk prints.
-- Not here: which paths (service.py).

local requests, count = {}, 0

function init(arguments)
  for path in io.lines(arguments[1]) do
    count = count + 1
    requests[count] = wrk.format("GET", path)
  end
  math.randomseed(7)
end

function request() return requests[math.random(count)] end

function done(summary, latency)
  local errors = summary.errors
  print(string.format('{"requests":%d,"microseconds":%d,"bytes":%d,"failed":%d,"p99_us":%d}', summary.requests,
    summary.duration, summary.bytes, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(99)))
end
