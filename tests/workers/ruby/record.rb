# What every Ruby worker here does with a job: it writes down what it got, and when.
require 'json'

def write_down(kind, n, text, thing, due)
  line = { kind: kind, n: n, text: text, thing: thing, due: due, named: {} }
  line[:at_ms] = Time.now.to_f * 1000
  File.open(ENV['RECORD'], 'a') { |out| out.syswrite(JSON.generate(line) + "\n") }
  raise 'asked to fail' if kind.start_with?('fail')
end
