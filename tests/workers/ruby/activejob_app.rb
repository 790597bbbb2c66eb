# Rails' own ActiveJob over Sidekiq.
require_relative 'sidekiq_app'
require 'active_job'
require 'active_job/queue_adapters/sidekiq_adapter'

ActiveJob::Base.queue_adapter = :sidekiq
ActiveJob::Base.logger = nil

class Task < ActiveJob::Base
  def perform(*job)
    write_down(*job)
  end
end

# The wrapper's name from Rails 7.0.1 on; Debian's is older.
unless defined?(Sidekiq::ActiveJob::Wrapper)
  module Sidekiq
    module ActiveJob
      Wrapper = ::ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper
    end
  end
end
