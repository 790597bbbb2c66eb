# Sidekiq's worker, of versions 6 to 8.
require 'sidekiq'
require_relative 'record'

Sidekiq.configure_server do |config|
  config.redis = { url: ENV['REDIS_URL'] }
  # Retries are looked for this often, in seconds.
  poll = 1
  if config.respond_to?(:average_scheduled_poll_interval=)
    config.average_scheduled_poll_interval = poll
  else
    config[:average_scheduled_poll_interval] = poll
  end
end

class Recorder
  include Sidekiq::Worker

  # Instead of some fifteen seconds. From version 7 on up to ten more are added by chance.
  sidekiq_retry_in { 1 }

  def perform(*job)
    write_down(*job)
  end
end
