# The commands of daily work; `just` lists them.

_default:
    @just --list

# The main job, on the embedded server
demo:
    cargo run -- run examples/hello.load

# Every test
test *args:
    ./test {{args}}

# What CI runs
ci:
    .ci/run

# Format and lint
tidy:
    cargo fmt
    cargo clippy --all-targets -- -D warnings

# Accept changed snapshots after looking at them
review:
    cargo insta review

# The benches, one after another
bench:
    cargo bench
