//! Scripts in folders, each with a snapshot of what comes of it: the facts of its plan, or what its
//! writer sees.

use loadc::check::{Checked, Options, check};
use loadc::diag;
use loadc::plan::{Phrase, PhraseJobs, Plan};
use loadc::problem::{Code, Problem, Severity};
use loadc::schedule::peak_of_sum;
use loadc::show;
use loadc::source::SourceFile;
use loadc::timeline::Timeline;
use loadc::timeline::curve::Arrivals;
use std::fmt::Write as _;
use std::path::Path;

/// How findings are drawn here.
const STYLE: diag::Style = diag::Style { color: false, width: 100 };

/// A script under a name without this machine's folders.
fn read(path: &Path) -> Result<SourceFile, Box<(SourceFile, Problem)>> {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let name = Path::new(folder).join(path.file_name().unwrap_or_default());
    let source = loadc::parse::decode(&name.to_string_lossy(), std::fs::read(path).unwrap())?;
    Ok(loadc::gather::gather(source.from_path(path)))
}

/// What the writer of a script sees.
fn seen(path: &Path) -> (Vec<Problem>, String) {
    let (source, problems) = match read(path) {
        Ok(source) => {
            let problems = check(&source, &Options::default()).problems;
            (source, problems)
        }
        Err(refused) => (refused.0, vec![refused.1]),
    };
    let text = diag::human(&source, &problems, STYLE);
    (problems, text)
}

/// Jobs, end in seconds and peak of a plan.
fn totals(plan: &Plan) -> (u64, f64, f64) {
    let parts: Vec<(&Timeline, u64)> =
        plan.streams.iter().map(|stream| (&*stream.timeline, stream.after_ns)).collect();
    let jobs = plan.streams.iter().map(|stream| stream.jobs()).sum();
    let end = parts.iter().map(|(timeline, after)| timeline.length_ns().unwrap() + after).max();
    (jobs, end.unwrap() as f64 / 1e9, peak_of_sum(&parts))
}

/// Compares a plan with what the first line of its script says of it.
fn assert_expected(source: &SourceFile, plan: Option<&Plan>) {
    let first = source.text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    let expected = first.strip_prefix("# expect: ").expect("the first line says what to expect");
    if expected == "library" {
        assert!(plan.is_none(), "{}: a library has no plan", source.name);
        return;
    }
    let (jobs, length_s, peak) = totals(plan.expect("a plan"));
    let words: Vec<&str> = expected.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let ["jobs", n, "length", length, "peak", top] = words.as_slice() else {
        panic!("{}: {first}", source.name);
    };
    assert_eq!(jobs, n.parse::<u64>().unwrap(), "{}: jobs", source.name);
    let near = |a: f64, b: f64, by: f64| (a - b).abs() <= by;
    let length: f64 = length.trim_end_matches('s').parse().unwrap();
    assert!(near(length_s, length, 2e-9), "{}: length {length_s}", source.name);
    let top: f64 = top.parse().unwrap();
    assert!(near(peak, top, top * 1e-6), "{}: peak {peak}", source.name);
}

fn phrase(phrase: &Phrase, depth: usize, out: &mut String) {
    let jobs = match phrase.jobs {
        PhraseJobs::Exact(jobs) => show::plural(jobs, "job"),
        PhraseJobs::Share(share) => format!("a share of {}", show::number(share)),
    };
    let label = phrase.label.as_ref().map_or_else(String::new, |label| format!(" “{label}”"));
    let (start, end) = (show::duration(phrase.start_ns), show::duration(phrase.end_ns));
    let rates = [phrase.rate_start_per_s, phrase.rate_end_per_s, phrase.peak_per_s];
    let [from, to, peak] = rates.map(show::number);
    let (indent, line, text) = ("  ".repeat(depth), phrase.line, &phrase.text);
    let _ = writeln!(
        out,
        "{indent}{line}: {text}{label} | {start}–{end} | {jobs} | {from}→{to}, peak {peak}"
    );
    for inner in &phrase.phrases {
        self::phrase(inner, depth + 1, out);
    }
}

/// The facts of a plan.
fn facts(plan: &Plan) -> String {
    let mut out = String::new();
    let (jobs, length_s, peak) = totals(plan);
    let _ = writeln!(out, "{jobs} jobs, {length_s} s, peak {}", show::number(peak));
    if let Some(target) = &plan.target {
        let _ = writeln!(out, "target {target}");
    }
    for stream in &plan.streams {
        let name = stream.name.as_deref().unwrap_or("—");
        let (jobs, after) = (stream.jobs(), show::duration(stream.after_ns));
        let _ = write!(out, "\nload {name}: {} after {after}", show::plural(jobs, "job"));
        let _ = match stream.arrivals {
            Arrivals::Even => writeln!(out),
            drawn => writeln!(out, ", arrivals {drawn}"),
        };
        for entry in &stream.mix {
            let job = &entry.job;
            let _ = writeln!(
                out,
                "  sends {} × {}: {:?} {:?} {:?}",
                entry.weight, job.name, job.queue, job.format, job.payload
            );
        }
        for steps in &stream.steps {
            let flow = &steps.jobs.flow;
            for (state, expected) in flow.states.iter().zip(&steps.expected) {
                let (name, ways) = (&state.name, &state.ways);
                let _ = writeln!(out, "  {} {name}: {expected:.1} expected, {ways:?}", flow.name);
            }
        }
        for direct in &stream.phrases {
            phrase(direct, 1, &mut out);
        }
    }
    out.push('\n');
    for guard in &plan.guards {
        let _ = writeln!(out, "guard {:?} {:?} of {:?}", guard.kind, guard.action, guard.stream);
    }
    for expectation in &plan.expectations {
        let loadc::plan::Expectation { measure, comparison, limit, .. } = expectation;
        let _ = writeln!(out, "expect {measure:?} {comparison:?} {limit}");
    }
    for note in plan.notes.iter().filter(|note| !note.starts_with("seed drawn")) {
        let _ = writeln!(out, "note {note}");
    }
    out
}

#[test]
fn good_scripts_have_the_plans_their_writers_expect() {
    insta::glob!("scripts/ok/*.load", |path| {
        let source = read(path).expect("text");
        let Checked { plan, problems, .. } = check(&source, &Options::default());
        assert!(problems.is_empty(), "{}", diag::human(&source, &problems, STYLE));
        assert_expected(&source, plan.as_ref());
        insta::assert_snapshot!(plan.map_or_else(|| "a library".to_owned(), |plan| facts(&plan)));
    });
}

#[test]
fn what_cannot_be_read_is_said_well() {
    insta::glob!("scripts/parse_error/*.load", |path| {
        let (problems, text) = seen(path);
        assert!(problems.iter().any(|problem| problem.severity == Severity::Error), "{path:?}");
        insta::assert_snapshot!(text);
    });
}

#[test]
fn what_cannot_be_meant_is_said_well() {
    insta::glob!("scripts/check_error/*.load", |path| {
        let (problems, text) = seen(path);
        assert!(!problems.is_empty(), "{path:?}");
        insta::assert_snapshot!(text);
    });
}

/// The lines of a script that are marked as wrong, and those in which something is found.
fn marked_and_found(path: &Path) -> (Vec<usize>, Vec<usize>) {
    let source = read(path).expect("text");
    let marked =
        source.text.lines().enumerate().flat_map(|(index, line)| {
            std::iter::repeat_n(index + 1, line.matches("# wrong").count())
        });
    let problems = check(&source, &Options::default()).problems;
    let found = problems.iter().map(|problem| source.line_column(problem.place.0.start).0);
    (marked.collect(), found.collect())
}

#[test]
fn every_mistake_is_found_and_none_is_caused_by_another() {
    insta::glob!("scripts/check_error/twelve_*.load", |path| {
        let (marked, found) = marked_and_found(path);
        assert_eq!(marked.len(), 12, "{path:?}");
        assert_eq!(found, marked, "{path:?}");
    });
    let mut wrong = String::new();
    insta::glob!("scripts/*_error/alone_*.load", |path| {
        let (marked, found) = marked_and_found(path);
        if found != marked {
            let _ = writeln!(wrong, "{path:?}\n  marked {marked:?}\n  found  {found:?}");
        }
    });
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn groups_may_be_as_deep_as_brackets() {
    let text =
        |depth: usize| format!("{}constant 5 for 1m{}\n", "{ ".repeat(depth), " }".repeat(depth));
    let found = |text: String| check(&SourceFile::new("deep.load", text), &Options::default());
    assert!(found(text(64)).plan.is_some());
    let codes: Vec<Code> = found(text(65)).problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::TooDeep]);
}

/// What a help says to write, where that is all it says.
fn replacement(help: &str) -> Option<&str> {
    let written = help.strip_prefix("write `").and_then(|rest| rest.strip_suffix('`'));
    let meant = || help.strip_prefix("did you mean `").and_then(|rest| rest.strip_suffix("`?"));
    let own = |text: &&str| !text.contains(['`', '…']) && *text != "field: value";
    written.or_else(meant).filter(own)
}

/// Where what a help says may have its place: the finding's own, or some words of its line more.
fn places(text: &str, start: usize, end: usize) -> Vec<(usize, usize)> {
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[end..].find('\n').map_or(text.len(), |at| end + at);
    let is_edge = |at: &usize| {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let split = text.split_at_checked(*at);
        split.is_some_and(|(before, behind)| !(before.ends_with(word) && behind.starts_with(word)))
    };
    let lefts = (line_start..=start).rev().filter(|at| is_edge(at) || *at == start).take(12);
    let rights = || (end..=line_end).filter(|at| is_edge(at) || *at == end).take(24);
    let inserted = rights().map(|at| (at, at));
    lefts.flat_map(|left| rights().map(move |right| (left, right))).chain(inserted).collect()
}

/// Lines whose help is right and brings up what else is wrong with them, or can only guess.
const MORE_WRONG: &[(&str, usize)] = &[("guards.load", 13), ("other_tools.load", 8)];

#[test]
fn what_a_help_says_to_write_takes_the_finding_away() {
    let mut wrong = String::new();
    insta::glob!("scripts/*_error/*.load", |path| {
        let Ok(source) = read(path) else { return };
        let name = Path::new(&source.name).file_name().unwrap().to_string_lossy().into_owned();
        let text = source.slice(source.part_span(0));
        // Each of its findings would be looked at with all the others.
        if text.len() > 20_000 {
            return;
        }
        for problem in &check(&source, &Options::default()).problems {
            let Some(new) = problem.help.as_deref().and_then(replacement) else { continue };
            let (start, end) = (problem.place.0.start as usize, problem.place.0.end as usize);
            let (line, _) = source.line_column(problem.place.0.start);
            let elsewhere = source.part_of(problem.place.0.start) != 0 || start == end;
            if elsewhere || MORE_WRONG.contains(&(&name, line)) {
                continue;
            }
            // How often it is found in its line, and what else can't be read there.
            let found = |text: String| {
                let other = loadc::gather::gather(SourceFile::new(&name, text).from_path(path));
                let problems = check(&other, &Options::default()).problems;
                let here = |one: &&Problem| other.line_column(one.place.0.start).0 == line;
                let same =
                    |one: &&Problem| one.code == problem.code && one.message == problem.message;
                let unread = |one: &&Problem| {
                    matches!(one.code, Code::Expected | Code::UnknownStatement) && !same(one)
                };
                let problems: Vec<&Problem> = problems.iter().filter(here).collect();
                let count = |kind: &dyn Fn(&&Problem) -> bool| {
                    problems.iter().filter(|one| kind(one)).count()
                };
                (count(&same), count(&unread))
            };
            let (same, unread) = found(text.to_owned());
            let helps = |(from, to): &(usize, usize)| {
                let (before, behind) = (&text[..*from], &text[*to..]);
                let quoted =
                    text[start..].starts_with('"').then(|| format!("{before}\"{new}\"{behind}"));
                let inserted = (from == to).then(|| format!("{before} {new}{behind}"));
                let replaced = Some(format!("{before}{new}{behind}"));
                let texts = [replaced, quoted, inserted].into_iter().flatten();
                texts.map(found).any(|(now, others)| now < same && others <= unread)
            };
            if !places(text, start, end).iter().any(helps) {
                let help = problem.help.as_deref().unwrap_or_default();
                let _ = writeln!(wrong, "{name}:{line}: {} ({help})", problem.message);
            }
        }
    });
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_script_that_is_too_large_is_refused() {
    let source = SourceFile::new("large.load", "\n".repeat(loadc::parse::MAX_BYTES + 1));
    let problems = check(&source, &Options::default()).problems;
    insta::assert_snapshot!(diag::human(&source, &problems, STYLE));
}

#[test]
fn every_code_is_shown_by_a_snapshot() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        all.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    let missing: Vec<&str> =
        Code::ALL.iter().map(|code| code.as_str()).filter(|code| !all.contains(code)).collect();
    assert!(missing.is_empty(), "codes that no snapshot shows: {missing:?}");
}

/// Jobs and length in seconds of a script under some options.
fn planned(text: &str, options: &Options) -> (u64, f64) {
    let source = SourceFile::new("options.load", text);
    let checked = check(&source, options);
    let shown = diag::human(&source, &checked.problems, STYLE);
    let (jobs, length_s, _) = totals(&checked.plan.expect(&shown));
    (jobs, length_s)
}

fn refused(text: &str, options: &Options) -> Vec<Code> {
    let problems = check(&SourceFile::new("options.load", text), options).problems;
    problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn flags_change_the_plan_as_they_say() {
    let set = |name: &str, value: &str| Options {
        set: vec![(name.to_owned(), value.to_owned())],
        ..Options::default()
    };
    let script = "let peak = 100/s\nlet up = 10s\nconstant peak for up";
    assert_eq!(planned(script, &Options::default()), (1_000, 10.0));
    assert_eq!(planned(script, &set("peak", "250")), (2_500, 10.0));
    assert_eq!(planned(script, &set("up", "1m")), (6_000, 60.0));
    assert_eq!(planned(script, &set("peak", "up * 2/s / 1s")), (200, 10.0));
    assert_eq!(refused(script, &set("paek", "250")), [Code::UnknownName]);
    assert_eq!(refused(script, &set("peak", "2 +")), [Code::Expected]);
    assert_eq!(refused(script, &set("peak", "5s")), [Code::WrongUnit]);
    assert_eq!(refused(script, &set("peak", "peak * 2")), [Code::Cycle]);

    let exact = |n: i128| Some(loadc::exact::whole(n));
    let speed = Options { speed: exact(60), ..Options::default() };
    assert_eq!(planned("after 1m\nconstant 5 for 1h", &speed), (18_000, 61.0));
    let short = Options { for_length: exact(10), ..Options::default() };
    assert_eq!(planned("constant 5 forever", &short), (50, 10.0));
    assert_eq!(planned("after 4s\nconstant 5 for 1h", &short), (30, 10.0));
    assert_eq!(planned("constant 5 for 3s", &short), (15, 3.0));
    let both = Options { speed: exact(2), ..short };
    assert_eq!(planned("constant 5 forever", &both), (100, 10.0));
}

#[test]
fn a_variable_that_is_not_set_matters_where_its_value_does() {
    let lenient = Options { lenient_env: true, ..Options::default() };
    let target = "target env(\"LOADC_TEST_UNSET\")\nconstant 5 for 2s";
    assert_eq!(planned(target, &lenient), (10, 2.0));
    assert_eq!(refused(target, &Options::default()), [Code::Environment]);
    let rate = "let peak = env(\"LOADC_TEST_UNSET\")\nconstant peak for 2s";
    assert_eq!(refused(rate, &lenient), [Code::Environment]);
}

#[test]
fn a_seed_is_part_of_the_digest_and_a_comment_is_not() {
    let digest = |text: &str, seed| {
        let options = Options { seed, ..Options::default() };
        check(&SourceFile::new("seed.load", text), &options).plan.unwrap().digest
    };
    let text = "seed 5\nconstant 1 for 5s";
    assert_eq!(digest(text, None), digest("constant 1   for 5s # same\nseed 5", None));
    assert_eq!(digest(text, None), digest(text, Some(5)));
    assert_ne!(digest(text, None), digest(text, Some(6)));
    assert_ne!(digest(text, None), digest("seed 5\nconstant 2 for 5s", None));
}

#[test]
fn what_a_call_draws_is_its_own() {
    let jobs = |phrases: &str| -> Vec<PhraseJobs> {
        let noisy = "shape noisy() { walk from 60 by 5 every 1s within 20..120 for 30s }";
        let text = format!("seed 7\n{noisy}\nshape other() {{ noisy() }}\nload a {{ {phrases} }}");
        let plan = check(&SourceFile::new("draws.load", text), &Options::default()).plan.unwrap();
        plan.streams[0].phrases.iter().map(|phrase| phrase.jobs).collect()
    };
    let two = jobs("noisy(); noisy()");
    assert_ne!(two[0], two[1], "each call is drawn anew");
    let walk = "walk from 60 by 5 every 1s within 20..120 for 30s";
    let more = jobs(&format!("{walk}; noisy(); other(); pause 1s; noisy()"));
    assert_eq!([more[1], more[4]], [two[0], two[1]], "what stands between changes no call");
    assert_ne!(more[2], two[0], "a call within a call is another");
}
