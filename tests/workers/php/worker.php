<?php
// The worker of Laravel's queues, by illuminate/queue alone: it writes down what it got, and when.

require 'Illuminate/Queue/autoload.php';
require 'Illuminate/Redis/autoload.php';
require 'Illuminate/Events/autoload.php';

use Illuminate\Container\Container;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Events\Dispatcher;
use Illuminate\Queue\Capsule\Manager;
use Illuminate\Queue\Connectors\RedisConnector;
use Illuminate\Queue\Worker;
use Illuminate\Queue\WorkerOptions;
use Illuminate\Redis\RedisManager;

class Recorder
{
    public function fire($job, array $data): void
    {
        $this->write($data, '');
        if (str_starts_with($data['kind'], 'fail')) {
            throw new RuntimeException('asked to fail');
        }
        if (str_starts_with($data['kind'], 'slow')) {
            $until = microtime(true) + 30;
            while (microtime(true) < $until) {
                usleep(10000);
            }
            $this->write($data, '_done');
        }
        $job->delete();
    }

    private function write(array $data, string $how): void
    {
        $line = array_merge($data, ['named' => new stdClass(), 'at_ms' => microtime(true) * 1000]);
        $line['kind'] .= $how;
        file_put_contents(getenv('RECORD'), json_encode($line) . "\n", FILE_APPEND);
    }
}

class Handler implements ExceptionHandler
{
    public function report(Throwable $e) { fwrite(STDERR, $e->getMessage() . "\n"); }
    public function shouldReport(Throwable $e) { return true; }
    public function render($request, Throwable $e) { throw $e; }
    public function renderForConsole($output, Throwable $e) { }
}

$url = parse_url(getenv('REDIS_URL'));
$server = ['host' => $url['host'], 'port' => $url['port'], 'read_timeout' => 60];
$options = ['prefix' => 'app_'];
$container = new Container();
$redis = new RedisManager($container, 'phpredis', ['default' => $server, 'options' => $options]);
$events = new Dispatcher($container);
$capsule = new Manager($container);
$capsule->addConnection(['driver' => 'redis', 'queue' => 'work', 'retry_after' => 90]);
$queues = $capsule->getQueueManager();
$queues->addConnector('redis', fn () => new RedisConnector($redis));
$worker = new Worker($queues, $events, new Handler(), fn () => false);
// name, backoff, memory, timeout, sleep
$worker->daemon('default', 'work', new WorkerOptions('default', 0, 128, 60, 0.05));
