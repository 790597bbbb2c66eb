//! What holds for every text: reading and checking it ends, panics at nothing, and what it says of
//! it is in its writer's words and in its place.

use loadc::check::{Options, check};
use loadc::diag;
use loadc::gather::gather;
use loadc::problem::{Problem, Severity};
use loadc::source::SourceFile;
use proptest::prelude::*;
use std::path::PathBuf;

/// Everything that is true of the findings of any text.
fn assert_sound(text: &str) {
    let source = SourceFile::new("any.load", text);
    let options = Options { lenient_env: true, ..Options::default() };
    let checked = check(&source, &options);
    let problems = &checked.problems;
    assert!(problems.is_sorted_by_key(|problem| problem.place.0), "in the order of the file");
    for problem in problems {
        assert_worded(problem, text);
        for (span, _) in std::iter::once(&problem.place).chain(&problem.others) {
            let range = span.range();
            assert!(text.get(range.clone()).is_some(), "{range:?} of {problem:?} in {text:?}");
        }
    }
    if checked.plan.is_some() {
        assert!(!checked.has_errors());
    }
    let few = &problems[..problems.len().min(5)];
    let drawn = diag::human(&source, few, diag::Style { color: false, width: 80 });
    assert!(drawn.len() >= few.len());
}

/// Whether a message is made of a reader's words.
fn assert_worded(problem: &Problem, text: &str) {
    assert!(!problem.message.trim().is_empty(), "{problem:?}");
    let others = problem.others.iter().map(|(_, label)| label.as_str());
    let all = [problem.message.as_str(), &problem.place.1, problem.help.as_deref().unwrap_or("")];
    let helped = !all[1].is_empty() || !all[2].is_empty();
    assert!(helped || problem.severity == Severity::Warning, "neither label nor help: {problem:?}");
    for words in all.into_iter().chain(others) {
        for name in internal_names() {
            // A script may use such a word itself, and is then quoted.
            assert!(!words.contains(name) || text.contains(name), "`{name}` in {problem:?}");
        }
    }
}

/// The names of the grammar's rules that no reader knows: those of two words.
fn internal_names() -> &'static [&'static str] {
    static NAMES: std::sync::LazyLock<Vec<&str>> = std::sync::LazyLock::new(|| {
        let grammar = include_str!("../grammar/load.pest");
        let names = grammar.lines().filter_map(|line| line.split(" = ").next());
        let names = names.map(str::trim).filter(|name| name.contains('_') && !name.contains(' '));
        names.collect()
    });
    &NAMES
}

fn good_scripts() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut texts = Vec::new();
    for kind in ["ok", "check_error", "parse_error"] {
        for entry in std::fs::read_dir(folder.join(kind)).unwrap() {
            let path = entry.unwrap().path();
            // What takes long is said once, by its snapshot.
            if !path.ends_with("unproven.load") && !path.ends_with("too_intricate.load") {
                let bytes = std::fs::read(path).unwrap();
                texts.push(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    texts.sort();
    texts
}

/// Words of the language, values, marks and what is none of these.
const WORDS: &[&str] = &[
    "constant",
    "pause",
    "ramp",
    "sine",
    "burst",
    "steps",
    "stairs",
    "points",
    "send",
    "at",
    "once",
    "repeat",
    "together",
    "scale",
    "cap",
    "floor",
    "speed",
    "load",
    "job",
    "let",
    "guard",
    "expect",
    "target",
    "seed",
    "after",
    "random",
    "forever",
    "for",
    "over",
    "every",
    "each",
    "by",
    "base",
    "amp",
    "period",
    "phase",
    "times",
    "hold",
    "back",
    "loop",
    "total",
    "as",
    "then",
    "until",
    "stop",
    "linear",
    "exponential",
    "logarithmic",
    "smooth",
    "held",
    "weight",
    "queue",
    "body",
    "size",
    "list",
    "stream",
    "maxlen",
    "env",
    "min",
    "max",
    "rate",
    "jobs",
    "time",
    "depth",
    "errors",
    "file",
    "deviation",
    "mean",
    "p99",
    "p99.9",
    "delay",
    "service",
    "response",
    "uuid",
    "seq",
    "int",
    "float",
    "bool",
    "pick",
    "now",
    "text",
    "hex",
    "null",
    "true",
    "false",
    "small",
    "a",
    "b",
    "peak",
    "x",
    "x2",
    "x0",
    "0",
    "1",
    "5",
    "100",
    "1.5",
    "10k",
    "1M",
    "5s",
    "1h30m",
    "0s",
    "50%",
    "4KB",
    "90deg",
    "100/s",
    "30/min",
    "5/m",
    "1e9",
    "1_000",
    "999999999999999",
    "007",
    "\"a\"",
    "\"a {seq()}\"",
    "\"redis://h\"",
    "\"",
    "'",
    "'x'",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "{}",
    ",",
    ";",
    ":",
    "=",
    "<=",
    "<",
    "==",
    "->",
    "..",
    "+",
    "-",
    "*",
    "/",
    "//",
    "/*",
    "*/",
    "#",
    "# note\n",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\u{feff}",
    "é",
    "🦀",
    "walk",
    "use",
    "shape a(b = 5, c) {",
    "a(3, c = 4)",
    "b()",
    "at 02:00",
    "a-b",
    "a = b",
    "let a = b\n",
    "let b = a\n",
    "load a {",
    "job a { queue \"a\"; body {",
    "guard {",
    "expect {",
    "repeat 3 {",
    "together {",
    "cap 5 {",
    "constant 5 for 5s\n",
    "total 5",
    "send 5 at once\n",
    "ramp 1->5 over 5s",
    "list(1..3) ",
    "id: ",
    "uuid()",
    "int(1..6)",
];

fn soup() -> impl Strategy<Value = String> {
    let word = prop::sample::select(WORDS);
    let glue = prop_oneof![6 => Just(" "), 2 => Just(""), 1 => Just("\n"), 1 => Just(";")];
    prop::collection::vec((word, glue), 0..60)
        .prop_map(|parts| parts.into_iter().flat_map(|(word, glue)| [word, glue]).collect())
}

/// A change of one place of a script.
#[derive(Clone, Debug)]
enum Change {
    Delete,
    Double,
    Swap,
    Replace(&'static str),
    Insert(char),
}

fn change() -> impl Strategy<Value = (prop::sample::Index, Change)> {
    let kind = prop_oneof![
        Just(Change::Delete),
        Just(Change::Double),
        Just(Change::Swap),
        prop::sample::select(WORDS).prop_map(Change::Replace),
        any::<char>().prop_map(Change::Insert),
    ];
    (any::<prop::sample::Index>(), kind)
}

/// Splits a text so that every word, mark and run of blanks is a part.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let class = |c: char| (c.is_alphanumeric() || c == '_', c.is_whitespace());
    for c in text.chars() {
        match parts.last_mut() {
            Some(last)
                if last.ends_with(|l| class(l) == class(c) && class(c) != (false, false)) =>
            {
                last.push(c);
            }
            _ => parts.push(c.to_string()),
        }
    }
    parts
}

fn changed(text: &str, changes: &[(prop::sample::Index, Change)]) -> String {
    let mut parts = parts(text);
    for (index, change) in changes {
        if parts.is_empty() {
            break;
        }
        let at = index.index(parts.len());
        match change {
            Change::Delete => drop(parts.remove(at)),
            Change::Double => parts.insert(at, parts[at].clone()),
            Change::Swap => {
                let other = (at + 2) % parts.len();
                parts.swap(at, other);
            }
            Change::Replace(word) => parts[at] = (*word).to_owned(),
            Change::Insert(c) => parts.insert(at, c.to_string()),
        }
    }
    parts.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        assert_sound(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        assert_sound(&text);
    }

    #[test]
    fn any_words_are_survived(text in soup()) {
        assert_sound(&text);
    }

    #[test]
    fn any_slip_is_survived(
        script in prop::sample::select(good_scripts()),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        assert_sound(&changed(&script, &changes));
    }

    #[test]
    fn any_beginning_is_survived(
        script in prop::sample::select(good_scripts()),
        end in any::<prop::sample::Index>(),
    ) {
        let end = script.floor_char_boundary(end.index(script.len() + 1));
        assert_sound(&script[..end]);
    }
}

#[test]
fn a_lost_word_is_one_finding() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/ok");
    let (mut lost, mut cascades) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "load") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let parts = parts(&text);
        for at in 0..parts.len() {
            // Without its `#` a comment would be read.
            if parts[at].trim().is_empty() || parts[at] == "#" {
                continue;
            }
            let text = [&parts[..at], &parts[at + 1..]].concat().concat();
            let source = SourceFile::new("any.load", text.as_str());
            let source = source.from_path(folder.join("any.load"));
            let problems = check(&source, &Options::default()).problems;
            let messages = problems.iter().map(|problem| problem.message.as_str());
            let messages = messages.collect::<Vec<_>>();
            // Without its `{` each line of a block is one.
            assert!(problems.len() <= 5, "without `{}`: {messages:#?} in {text}", parts[at]);
            lost += 1;
            if problems.len() > 1 {
                cascades.push(problems.len());
            }
        }
    }
    // Where a name is lost, its uses are findings too.
    assert!(cascades.len() * 20 < lost, "{} of {lost}: {cascades:?}", cascades.len());
}

/// Where a text has brackets and quotes that are no part of a comment, and brackets that are none of a
/// string.
fn brackets(text: &str) -> Vec<usize> {
    let (mut found, mut quoted, mut commented) = (Vec::new(), false, false);
    for (at, c) in text.char_indices() {
        match c {
            '\n' => (quoted, commented) = (false, false),
            _ if commented => {}
            '"' => {
                quoted = !quoted;
                found.push(at);
            }
            _ if quoted => {}
            '#' => commented = true,
            '{' | '}' | '(' | ')' => found.push(at),
            _ => {}
        }
    }
    found
}

/// "None of them caused by another": what a bracket or a quote that is missing makes of the rest is not
/// held against it.
#[test]
fn a_lost_bracket_is_one_finding() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/ok");
    let (mut lost, mut cascades) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "load") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for at in brackets(&text) {
            let less = format!("{}{}", &text[..at], &text[at + 1..]);
            let source =
                gather(SourceFile::new("any.load", less).from_path(folder.join("any.load")));
            let problems = check(&source, &Options::default()).problems;
            lost += 1;
            if problems.len() > 1 {
                let messages: Vec<_> =
                    problems.into_iter().map(|problem| problem.message).collect();
                let brace = matches!(&text[at..=at], "{" | "}");
                assert!(!brace, "{path:?} without the brace at {at}: {messages:#?}");
                cascades.push((path.clone(), at, messages));
            }
        }
    }
    // Brackets on several lines, and a comment's mark that was a text's.
    assert!(cascades.len() * 50 < lost, "{} of {lost}: {cascades:#?}", cascades.len());
}

#[test]
fn sizes_and_depths_are_survived() {
    let chain = |n: usize, name: &dyn Fn(usize) -> String| (0..n).map(name).collect::<String>();
    let texts = [
        "{".repeat(10_000),
        "{ ".repeat(5_000) + &"}".repeat(5_000),
        "(".repeat(10_000),
        "constant ".to_owned() + &"(".repeat(5_000) + "1" + &")".repeat(5_000) + " for 1s",
        "constant 1".to_owned() + &"+1".repeat(20_000) + " for 1s",
        "constant ".to_owned() + &"-".repeat(5_000) + "1 for 1s",
        "repeat 2 {\n".repeat(5_000),
        "repeat(3) { ".repeat(60) + &" x ".repeat(50) + &"}".repeat(60),
        "foo { ".repeat(60) + &" x ".repeat(50) + &"}".repeat(60),
        "job a { queue \"a\"; body { x: ".to_owned() + &"list(1) ".repeat(5_000) + "5 } }",
        "job a { queue \"a\"; body ".to_owned() + &"{ a: ".repeat(5_000) + &"}".repeat(5_000) + "}",
        "\"".repeat(30_001),
        "job a { queue \"".to_owned() + &"\\".repeat(30_001) + "\" }",
        "$%&/ ".repeat(10_000),
        "word ".repeat(20_000),
        "constant 1 for 1s; ".repeat(3_000),
        "constant 1 for 1s as \"x\"\n".repeat(3_000),
        "# {{{{\n".repeat(10_000),
        "// x\n".repeat(10_000),
        "\r\n".repeat(50_000),
        "constant ".to_owned() + &"9".repeat(400) + " for 1s",
        "points ".to_owned() + &chain(5_000, &|n| format!("{n}s {n}, ")) + "1h 5",
        "let a0 = 1\n".to_owned()
            + &chain(5_000, &|n| format!("let a{} = a{n} + 1\n", n + 1))
            + "constant a5000 for 1s",
        chain(5_000, &|n| format!("let a{n} = a{} + 1\n", n + 1)) + "constant a0 for 1s",
        chain(3_000, &|n| format!("constant name{n} for 1s\n")),
        chain(500, &|n| format!("load l{n} {{ constant 1 for 1s }}\n")),
        "send ".to_owned() + &chain(3_000, &|n| format!("j{n} 1, ")) + "x",
        "job a { queue \"a\"; body { ".to_owned()
            + &chain(3_000, &|n| format!("f{}: f{n}, ", n + 1))
            + "f0: f3000 } }",
        "job a { queue \"a\"; body { s: \"".to_owned() + &"{seq()}".repeat(3_000) + "\" } }",
        "stairs 0->100000 by 1 every 1s\n".repeat(20),
        "guard {\n".to_owned() + &chain(3_000, &|n| format!("depth \"q{n}\" <= 5\n")) + "}",
    ];
    for text in texts {
        assert_sound(&text);
    }
}

#[test]
fn numbers_at_their_ends_are_survived() {
    let values = [
        "0",
        "-1",
        "1e999",
        "0.000000000000000000000001",
        "999999999999999999999999",
        "1000000000",
        "1000000000000000",
        "99999999999h",
        "0s",
        "1ms",
        "0.000000001ms",
        "36500d",
        "36600d",
        "x0",
        "x1000000000",
        "x0.000000000000000000000001",
        "x-1",
        "0%",
        "100%",
        "101%",
        "0/s",
        "1/day",
        "1/0",
        "nan",
        "inf",
        "peak",
        "\"5\"",
        "90deg",
        "4KB",
        "(1-1)",
    ];
    let forms = [
        "constant V for W",
        "pause V",
        "ramp V->W over 5s",
        "ramp 1->5 over V hold W back",
        "ramp V->W exponential over 5s",
        "sine base V amp W for 5s",
        "sine base 5 amp 5 period V phase W for 9s",
        "burst V for 1s every 2s times W",
        "burst 5 for V every W over 10s",
        "burst V base W for 1s every 2s over 10s",
        "steps V, W each 5s",
        "steps 1, 2 each V over W",
        "stairs V->W by 1 every 1s",
        "stairs 0->10 by V every W",
        "points 0s V, W 5",
        "points 0s 1, V 5 loop for W",
        "send V at once",
        "repeat V { constant W for 1s }",
        "repeat V { repeat W { pause 1s } }",
        "scale V { constant 5 for W }",
        "cap V { constant W for 1s }",
        "floor V { pause W }",
        "speed V { constant 5 for W }",
        "constant V for 5s total W",
        "{ send V at once } total W",
        "after V\nconstant 1 for W",
        "seed V\nconstant 1 for W",
        "guard { rate <= V over W }\nconstant 5 for 5s",
        "guard { jobs <= V then stop; time <= W then stop }\nconstant 5 forever",
        "guard { depth <= V then pause until W; errors <= V over W }\nconstant 5 for 5s",
        "expect { jobs = V; errors < W; p99 response < V }\nconstant 5 for 5s",
        "job a weight V { queue \"a\"; size W }\nconstant 1 for 1s",
        "job a { queue \"a\"; body { n: int(V..W), f: float(V..W), b: bool(V) } }",
        "job a { queue \"a\"; body { l: list(V..W) 1, t: text(V..W), h: hex(V..W), v: V } }",
        "job a { queue pick(\"a\" V, \"b\" W) as stream maxlen V }\nsend a V\nconstant 1 for 1s",
    ];
    for form in forms {
        for first in values {
            for second in values.into_iter().step_by(4) {
                let text = form.replace('V', first).replace('W', second);
                assert_sound(&("let peak = 500/s\n".to_owned() + &text));
            }
        }
    }
}
