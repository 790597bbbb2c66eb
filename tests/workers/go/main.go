// The worker of asynq: it writes down what it got, and when.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/hibiken/asynq"
)

func write(line map[string]any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	out, err := os.OpenFile(os.Getenv("RECORD"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer out.Close()
	// One write a line: several jobs may be written down at once.
	if _, err := out.Write(append(text, '\n')); err != nil {
		panic(err)
	}
}

func work(ctx context.Context, task *asynq.Task) error {
	line := map[string]any{}
	if err := json.Unmarshal(task.Payload(), &line); err != nil {
		return err
	}
	now := func() float64 { return float64(time.Now().UnixMicro()) / 1000 }
	line["named"], line["at_ms"] = map[string]any{}, now()
	write(line)
	kind := line["kind"].(string)
	if strings.HasPrefix(kind, "fail") {
		return errors.New("asked to fail")
	}
	if strings.HasPrefix(kind, "slow") {
		select {
		case <-ctx.Done():
			line["kind"], line["at_ms"] = kind+"_cut", now()
			write(line)
			return ctx.Err()
		case <-time.After(30 * time.Second):
			line["kind"] = kind + "_done"
			write(line)
		}
	}
	return nil
}

func main() {
	options, err := asynq.ParseRedisURI(os.Getenv("REDIS_URL"))
	if err != nil {
		panic(err)
	}
	server := asynq.NewServer(options, asynq.Config{
		Concurrency:              4,
		Queues:                   map[string]int{"work": 1},
		RetryDelayFunc:           func(int, error, *asynq.Task) time.Duration { return time.Second },
		DelayedTaskCheckInterval: 100 * time.Millisecond,
	})
	tasks := asynq.NewServeMux()
	tasks.HandleFunc("record", work)
	if err := server.Run(tasks); err != nil {
		panic(err)
	}
}
