//! What every framework is put through.

use crate::agree;
use crate::frameworks::{Framework, node};
use crate::proofs::{Proof, Shows};
use crate::record::{Line, Record};
use crate::stage::{Run, Stage, Trouble, Worker};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

/// Jobs of the main part.
const JOBS: u64 = 1_000;
/// Jobs sent a second time with the same seed.
const AGAIN: u64 = 100;
/// Jobs put off, and by how much at least.
const LATER: u64 = 20;
const DELAY_MS: f64 = 1_500.0;
/// Jobs of each priority.
const RANKED: u64 = 10;
/// Jobs whose start is compared with what loadc shows of it.
pub const PICKED: u64 = 100;

/// How often each job of a kind should be written down.
type Wanted = BTreeMap<(String, u64), u64>;

/// Tries a framework.
pub fn play(framework: &'static Framework) -> Result<String, Trouble> {
    let stage = Stage::new(framework)?;
    let mut play = Play { stage, told: Vec::new(), wanted: Wanted::new(), acked: 0, dead: 0 };
    let outcome = play.act();
    if outcome.is_err() {
        eprintln!("--- the worker of {} said:\n{}", framework.name, play.stage.said());
    }
    outcome.map(|()| play.told.join(", "))
}

struct Play {
    stage: Stage,
    told: Vec<&'static str>,
    wanted: Wanted,
    /// Jobs of the run of the main part.
    acked: u64,
    /// Jobs given up by then.
    dead: u64,
}

impl Play {
    fn framework(&self) -> &'static Framework {
        self.stage.framework
    }

    fn want(&mut self, kind: &str, jobs: u64, times: u64) {
        for n in 1..=jobs {
            *self.wanted.entry((kind.to_owned(), n)).or_default() += times;
        }
    }

    fn want_proof(&mut self, proof: &Proof) {
        for (end, times) in proof.lines() {
            self.want(&format!("{}{end}", proof.kind), proof.jobs, times);
        }
        self.dead += proof.dead;
    }

    fn lines(&self) -> u64 {
        self.wanted.values().sum()
    }

    fn act(&mut self) -> Result<(), Trouble> {
        self.told.push("each once with its arguments");
        if !self.framework().listens {
            self.stand()?;
        }
        let worker = self.stage.start_worker()?;
        if self.framework().listens {
            self.listener()?;
        }
        self.stage.lines(self.lines())?;
        self.ranks()?;
        self.counted()?;
        if self.framework().depth {
            self.stage.settle()?;
        }
        self.main_part(&worker)?;
        self.again()?;
        self.pickups()?;
        // Whatever runs twice does so soon.
        std::thread::sleep(Duration::from_millis(300));
        drop(worker);
        let record = self.stage.record();
        self.judge(&record)?;
        for proof in self.framework().proofs() {
            self.judge_proof(proof, &record)?;
        }
        if self.framework().proofs().next().is_some() {
            self.told.push("options");
        }
        if self.framework().depth {
            self.stand_alone()?;
        }
        Ok(())
    }

    /// With no worker: what is sent stands in the queue, and loadc says how much it is.
    fn stand(&mut self) -> Result<(), Trouble> {
        let shape = "send JOBS at once";
        let script = match self.framework().priority {
            Some((soon, late)) => {
                let rank = |kind, number| {
                    self.stage.load(kind, RANKED, shape, "", &format!("priority {number}"))
                };
                // The late ones first.
                let soon = rank("soon", soon).replacen('{', "{ after 50ms", 1);
                format!("{}{soon}", rank("late", late))
            }
            None => {
                let rank = |kind| self.stage.load(kind, RANKED, shape, "", "");
                format!("{}{}", rank("soon"), rank("late"))
            }
        };
        self.want("soon", RANKED, 1);
        self.want("late", RANKED, 1);
        let report = self.stage.send(&script, 2 * RANKED)?;
        if self.framework().depth {
            agree::standing(&report, 2 * RANKED)?;
            self.told.push("depth");
        }
        for proof in self.framework().proofs().filter(|proof| proof.is_early()) {
            let load = self.stage.load(proof.kind, proof.jobs, shape, proof.options, proof.more);
            self.stage.send(&load, proof.jobs)?;
            self.want_proof(proof);
        }
        if self.framework().proofs().any(|proof| matches!(proof.shows, Shows::Never)) {
            std::thread::sleep(Duration::from_millis(1_500));
        }
        Ok(())
    }

    /// Waits until somebody listens.
    fn listener(&self) -> Result<(), Trouble> {
        self.stage.until("somebody who listens", || {
            let mut server = self.stage.server.connection();
            let listeners = redis::cmd("PUBSUB").arg("NUMSUB").arg("work").query(&mut server);
            let (_, listeners): (String, u64) = listeners.map_err(|error| error.to_string())?;
            Ok((listeners == 0).then_some(0))
        })
    }

    fn ranks(&mut self) -> Result<(), Trouble> {
        if self.framework().priority.is_none() {
            return Ok(());
        }
        let kinds = self.stage.record().lines.into_iter().map(|line| line.kind);
        let kinds: Vec<_> = kinds.filter(|kind| kind == "soon" || kind == "late").collect();
        if kinds[..RANKED as usize].iter().any(|kind| kind != "soon") {
            return Err(format!("the sooner ones did not come first: {kinds:?}").into());
        }
        self.told.push("priority");
        Ok(())
    }

    /// A thousand jobs while the worker works and is halted for a while, and those that try options;
    /// the run goes on until everything is done, so that what it shows can be compared.
    fn main_part(&mut self, worker: &Worker) -> Result<(), Trouble> {
        let mut script = self.stage.load("plain", JOBS, "constant 500 for 2s", "", "");
        self.want("plain", JOBS, 1);
        self.acked = JOBS;
        if self.framework().delay {
            let delay = format!("delay {DELAY_MS}ms..2500ms");
            script += &self.stage.load("later", LATER, "constant 20 for 1s", "", &delay);
            self.want("later", LATER, 1);
            self.acked += LATER;
            self.told.push("delay");
        }
        for proof in self.framework().proofs().filter(|proof| !proof.is_early()) {
            let Proof { kind, jobs, options, more, .. } = proof;
            script += &self.stage.load(kind, *jobs, "send JOBS at once", options, more);
            self.want_proof(proof);
            self.acked += jobs;
        }
        let before = self.stage.record().lines;
        let run = self.open(&script)?;
        std::thread::sleep(Duration::from_millis(700));
        self.halt(worker)?;
        let report = self.close(run)?;
        if report["jobs"]["acked"] != self.acked {
            return Err(format!("loadc did not send {} jobs: {report}", self.acked).into());
        }
        if self.framework().depth {
            let lines = &self.stage.record().lines[before.len()..];
            agree::counters(&report, self.acked, self.dead, lines, self.framework())?;
            self.told.push("counters");
        }
        Ok(())
    }

    /// Begins a run that goes on until it is closed, with a look every 100 ms.
    fn open(&self, script: &str) -> Result<Run, Trouble> {
        let stop = self.stage.stop_file();
        _ = std::fs::remove_file(&stop);
        let mut script = format!("guard {{ file \"{}\" then stop }}\n{script}", stop.display());
        if self.framework().depth {
            script += "guard { depth <= 1M }\n";
        }
        script += &self.stage.load("none", 1, "pause 1h", "", "");
        self.stage.begin(&script)
    }

    /// Ends it once the worker has done everything, and the framework has counted it.
    fn close(&self, run: Run) -> Result<serde_json::Value, Trouble> {
        self.stage.lines(self.lines())?;
        self.counted()?;
        if self.framework().depth && !self.holds() {
            self.stage.settle()?;
        }
        std::fs::write(self.stage.stop_file(), "").map_err(|error| error.to_string())?;
        run.report()
    }

    /// Waits until the framework has counted everything that the worker did: some do it every few
    /// seconds.
    fn counted(&self) -> Result<(), Trouble> {
        let Some([processed, _]) = self.framework().totals else { return Ok(()) };
        let starts = self.wanted.iter().filter(|((kind, _), _)| !kind.ends_with("_cut"));
        let starts: u64 = starts.map(|(_, times)| times).sum();
        self.stage.until("the framework to count", || {
            let mut server = self.stage.server.connection();
            let total = redis::cmd("GET").arg(processed).query::<Option<u64>>(&mut server);
            let total = total.map_err(|error| error.to_string())?.unwrap_or(0);
            Ok((total < starts).then_some(total))
        })
    }

    /// Whether the worker has jobs in hand that it keeps.
    fn holds(&self) -> bool {
        self.framework().name == "stream" && self.wanted.contains_key(&("pick".to_owned(), 1))
    }

    /// Some of the jobs again, with the same seed: none is taken for one of the first run.
    fn again(&mut self) -> Result<(), Trouble> {
        self.stage.send(&self.stage.load("plain", AGAIN, "send JOBS at once", "", ""), AGAIN)?;
        self.want("plain", AGAIN, 1);
        self.stage.lines(self.lines())?;
        if self.framework().depth { self.stage.settle() } else { Ok(()) }
    }

    /// How long jobs waited, by loadc and by the framework.
    fn pickups(&mut self) -> Result<(), Trouble> {
        if !self.framework().picks {
            return Ok(());
        }
        self.forget_results()?;
        let run = self.open(&self.stage.load("pick", PICKED, "constant 50 for 2s", "", ""))?;
        self.want("pick", PICKED, 1);
        self.stage.until("how long jobs waited", || {
            let waits = self.stage.record().waits_ms.len() as u64;
            Ok((waits < PICKED).then_some(waits))
        })?;
        // A look takes in so many starts and no more: time for some.
        std::thread::sleep(Duration::from_secs(1));
        let report = self.close(run)?;
        agree::pickups(&report, &self.stage.record().waits_ms)?;
        self.told.push("pickups");
        if self.holds() {
            let mut server = self.stage.server.connection();
            let let_go = redis::cmd("SET").arg("let go").arg(1).exec(&mut server);
            let_go.map_err(|error| error.to_string())?;
            self.stage.settle()?;
        }
        Ok(())
    }

    /// Drops what arq keeps of the jobs before: loadc finds results by going over the server's keys, a part
    /// of them at each look, and here it is to find all.
    fn forget_results(&self) -> Result<(), Trouble> {
        let script = "for _, key in ipairs(redis.call('KEYS', 'arq:result:*')) do redis.call('DEL', key) end";
        let mut server = self.stage.server.connection();
        let dropped = redis::cmd("EVAL").arg(script).arg(0).exec(&mut server);
        dropped.map_err(|error| error.to_string().into())
    }

    /// Halts the queue by the framework's own means where there are some, else the worker.
    fn halt(&self, worker: &Worker) -> Result<(), Trouble> {
        let pause = Duration::from_millis(500);
        let name = self.framework().name;
        if !name.starts_with("bull") {
            if !self.framework().listens {
                worker.signal(Signal::STOP);
                std::thread::sleep(pause);
                worker.signal(Signal::CONT);
            }
            return Ok(());
        }
        for order in ["pause", "resume"] {
            let mut command = node(&[name, order]).map_err(Trouble::Missing)?;
            let url = self.stage.server.url();
            let ended = command.env("REDIS_URL", url).stdout(Stdio::null()).status();
            if !ended.is_ok_and(|status| status.success()) {
                return Err(format!("could not {order} the queue").into());
            }
            std::thread::sleep(pause);
        }
        Ok(())
    }

    fn judge(&self, record: &Record) -> Result<(), Trouble> {
        let mut runs = Wanted::new();
        for line in &record.lines {
            *runs.entry((line.kind.clone(), line.n)).or_default() += 1;
            line.check(self.framework().kwargs)?;
            if line.kind == "later" && line.at_ms < line.due_ms + DELAY_MS - 1.0 {
                return Err(format!("a delayed job ran early: {line}").into());
            }
        }
        let all = self.wanted.keys().chain(runs.keys());
        let odd: Vec<_> = all.filter(|key| self.wanted.get(*key) != runs.get(*key)).collect();
        match odd.first() {
            None => Ok(()),
            Some(key) => Err(format!(
                "{} jobs did not run as often as they should: {key:?} ran {} times, not {}",
                odd.len(),
                runs.get(*key).unwrap_or(&0),
                self.wanted.get(*key).unwrap_or(&0)
            )
            .into()),
        }
    }

    /// What the record's counts do not show of an option.
    fn judge_proof(&self, proof: &Proof, record: &Record) -> Result<(), Trouble> {
        let lines: Vec<_> = record.lines.iter().filter(|line| line.kind == proof.kind).collect();
        let wrong = |why: &str| {
            let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
            Err(Trouble::Wrong(format!(
                "`{}{}`: {why}: {}",
                proof.options,
                proof.more,
                lines.join("\n")
            )))
        };
        match proof.shows {
            Shows::LastFirst if !lines.is_sorted_by(|a, b| a.n > b.n) => {
                wrong("the last one did not come first")
            }
            Shows::Tries(_, apart_ms) => {
                for job in 1..=proof.jobs {
                    let tries: Vec<_> = lines.iter().filter(|line| line.n == job).collect();
                    let close = |pair: &[&&&Line]| pair[1].at_ms - pair[0].at_ms < apart_ms - 1.0;
                    if tries.windows(2).any(|pair| close(&[&pair[0], &pair[1]])) {
                        return wrong("tried again too soon");
                    }
                }
                Ok(())
            }
            Shows::Forgotten | Shows::KeptForAnHour => {
                let mut server = self.stage.server.connection();
                for id in lines.iter().filter_map(|line| line.id()) {
                    let keys: Vec<String> = redis::cmd("KEYS")
                        .arg(format!("*{id}*"))
                        .query(&mut server)
                        .map_err(|error| error.to_string())?;
                    let own = |key: &&String| key.ends_with(id);
                    let left_ms = |key: &String| {
                        redis::cmd("PTTL")
                            .arg(key)
                            .query::<i64>(&mut self.stage.server.connection())
                    };
                    let kept = matches!(proof.shows, Shows::KeptForAnHour);
                    match keys.iter().find(own) {
                        Some(_) if !kept => return wrong("it was not forgotten"),
                        None if kept => return wrong("it was forgotten"),
                        Some(key)
                            if !left_ms(key).is_ok_and(|ms| (1..=3_600_000).contains(&ms)) =>
                        {
                            return wrong("it is not kept for an hour");
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether loadc sees that nothing is left, and one job where there is one.
    fn stand_alone(&mut self) -> Result<(), Trouble> {
        let report =
            self.stage.send(&self.stage.load("last", 1, "send JOBS at once", "", ""), 1)?;
        let queue = &report["streams"][0]["queues"][0];
        if queue["depth_start"] != 0 || queue["depth_end"] != 1 {
            return Err(format!("everything is done, and loadc says {queue}").into());
        }
        self.told.push("drained");
        Ok(())
    }
}
