# Resque's own worker, without a process for each job.
require 'resque'
require_relative 'record'

ENV['FORK_PER_JOB'] = 'false'
Resque.redis = ENV['REDIS_URL']

class Recorder
  @queue = :work

  def self.perform(*job)
    write_down(*job)
  end
end

Resque::Worker.new(:work).work(0.05)
