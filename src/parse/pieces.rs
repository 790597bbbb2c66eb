//! A script is read in pieces, each of whole statements: what the grammar notes of a piece stays near the
//! processor, and who asks for a few statements need not read all.

use super::{MAX_BYTES, Reader, Rule, brackets, edited, tree};
use crate::ast::{Name, Statement, StatementKind};
use crate::source::SourceFile;
use std::ops::Range;
use tree::Tree;

/// Bytes of a piece, or more where it cannot be cut there.
pub(super) const BYTES: usize = 8 << 10;

/// A text cut into runs of whole statements, each of so many bytes or more where it can be cut.
pub(super) fn pieces(
    length: usize,
    cuts: &[usize],
    least: usize,
) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    cuts.iter().copied().chain([length]).enumerate().filter_map(move |(at, cut)| {
        let whole = at == cuts.len() || cut - start >= least;
        whole.then(|| std::mem::replace(&mut start, cut)..cut)
    })
}

/// The paths of the `use`s of one of the files of a source. Only what mentions one is read.
pub fn uses(source: &SourceFile, part: usize) -> Vec<Name> {
    let whole = source.part_span(part);
    let text = source.slice(whole);
    if whole.len() > MAX_BYTES || !mentions_use(text) {
        return Vec::new();
    }
    let scan = brackets::scan(text);
    if scan.too_deep {
        return Vec::new();
    }
    let text = edited(text, &scan.edits);
    let mut reader = Reader { offset: whole.start as usize, ..Reader::default() };
    let mut statements = Vec::new();
    for piece in pieces(text.len(), &scan.cuts, 0) {
        if !mentions_use(&text[piece.clone()]) {
            continue;
        }
        let tree = tree::read_part(Rule::file, &text, piece).ok();
        statements
            .extend(tree.iter().filter_map(Tree::root).flat_map(|file| reader.statements(file)));
    }
    let path = |statement: Statement| match statement.kind {
        StatementKind::Use(path) => Some(path),
        _ => None,
    };
    statements.into_iter().filter_map(path).collect()
}

fn mentions_use(text: &str) -> bool {
    text.match_indices("use").any(|(at, _)| {
        let is_word = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        is_word && text[at + 3..].starts_with([' ', '\t'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_in_pieces;
    use proptest::prelude::*;

    /// Lines with which statements begin, go on and end, right and wrong.
    const LINES: &[&str] = &[
        "constant 5 for 1m",
        "ramp 10->",
        "500 over 60s",
        "steps 10, 20,   # and",
        "30 each 5s",
        "let a =",
        "let b = 5 +",
        "job j {",
        "queue \"q\" }",
        "load x { constant 5 for 1s }",
        "}",
        "{",
        "total 5k as night",
        "  back over 5s",
        "as \"open",
        "# a comment",
        "guard { rate <= 5/s",
        "use \"other.load\"",
        "use other",
        "(",
        ")",
        "shape s(a,",
        "b = 2) { constant a for 1s }",
        "// not ours",
        "/* nor",
        "this */",
        "",
        "gibberish of words -",
    ];

    proptest! {
        /// Where a script is cut makes no difference, neither to what is read nor to what is found.
        #[test]
        fn pieces_together_are_the_whole(picks in prop::collection::vec(0..LINES.len(), 0..12)) {
            let text: Vec<&str> = picks.iter().map(|pick| LINES[*pick]).collect();
            let source = SourceFile::new("x.load", text.join("\n"));
            let whole = parse_in_pieces(&source, 0, usize::MAX);
            let cut = parse_in_pieces(&source, 0, 0);
            prop_assert_eq!(format!("{:?}", cut), format!("{:?}", whole));
            let named: Vec<Name> = crate::gather::uses(&whole.0.statements).cloned().collect();
            prop_assert_eq!(uses(&source, 0), named);
        }
    }

    #[test]
    fn a_script_of_one_line_statements_is_cut_at_each() {
        let text = "constant 5 for 1m\nramp 10->\nload x {\n  constant 5 for 1m\n}\npause 5s # a\npause 6s\n";
        let cuts = brackets::scan(text).cuts;
        let pieces: Vec<&str> = pieces(text.len(), &cuts, 0).map(|piece| &text[piece]).collect();
        let expected = [
            "constant 5 for 1m\n",
            "ramp 10->\nload x {\n  constant 5 for 1m\n}\n",
            "pause 5s # a\npause 6s\n",
        ];
        assert_eq!(pieces, expected);
    }
}
