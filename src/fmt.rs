//! One form for every script: blanks, lines and indentation are the formatter's, everything else is
//! the writer's.
//!
//! It works on the words and marks of the text, not on the tree: what a statement says never
//! matters, only where it begins and ends and how its brackets nest, so that nothing of it can be
//! lost or changed. It is pure, and takes only a text that has been read without an error.
//!
//! ```text
//! text ─lex→ tokens ─roles→ what each `-` and `{` is ─tree→ lists of items ─layout→ lines ─align→ text
//! ```

mod layout;
mod lex;
mod lines;
mod roles;
mod tree;

use crate::ast::Script;
use crate::source::Span;

/// Lines are broken where they would be longer than this, in columns. Comments do not count.
pub const MAX_WIDTH: usize = 100;

/// Columns from one depth of nesting to the next.
const INDENT: usize = 2;

/// The text of a script in its canonical form. The script must be what was read from this text
/// without an error; nothing is promised for others, except that it ends.
pub fn format(script: &Script, text: &str) -> String {
    let tokens = lex::tokens(text, &script.comments);
    let roles = roles::roles(&tokens);
    let list = tree::build(&tokens, &roles);
    lines::join(&layout::lines(&list))
}

/// The words and signs of a text, without its comments and what parts statements: the same for every
/// layout of it.
pub fn words(text: &str, comments: &[Span]) -> Vec<String> {
    let said =
        |token: &&lex::Token<'_>| !matches!(token.kind, lex::Kind::Comment | lex::Kind::Semicolon);
    lex::tokens(text, comments).iter().filter(said).map(|token| token.text.to_owned()).collect()
}

#[cfg(test)]
mod tests;
