# Sidekiq's worker: it writes down what it got, and when.
require 'json'
require 'sidekiq'

Sidekiq.configure_server { |config| config.redis = { url: ENV['REDIS_URL'] } }

class Recorder
  include Sidekiq::Worker

  def perform(kind, n, text, thing, due)
    line = { kind: kind, n: n, text: text, thing: thing, due: due, named: {} }
    line[:at_ms] = Time.now.to_f * 1000
    File.open(ENV['RECORD'], 'a') { |out| out.syswrite(JSON.generate(line) + "\n") }
    raise 'asked to fail' if kind == 'fail'
  end
end

# What Rails has under this name; it gets the job as ActiveJob lays it out.
module Sidekiq
  module ActiveJob
    class Wrapper
      include Sidekiq::Worker

      def perform(job)
        raise 'no ActiveJob' unless job['job_class'] == 'Recorder' && job['executions'].zero?

        Recorder.new.perform(*job['arguments'])
      end
    end
  end
end
