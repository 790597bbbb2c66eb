//! What the signs mean where they stand: which `-` takes away and which is a sign, which `{` opens
//! a block and which an object; and from that, where blanks belong.

use super::lex::{Kind, Token, is_clock};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing that matters here.
    Plain,
    /// An operator between two operands.
    Binary,
    /// A sign before an operand, or an operator that the writer's blanks must decide.
    Unary,
    /// The `->` between two states of a flow.
    Arrow,
    /// The `/` of `/s`, and the `-` between two clocks.
    Per,
    /// The `:` between a key and its value.
    Colon,
    /// `{` of a block of statements.
    Block,
    /// `{` of an object, `[`, and `(` of a generator's arguments.
    Values,
    /// `(` of an expression, in which blanks never matter.
    Inner,
}

/// The role of each token.
pub(super) fn roles(tokens: &[Token<'_>]) -> Vec<Role> {
    let mut open: Vec<Role> = Vec::new();
    let (mut in_body, mut in_flow) = (false, false);
    // How many brackets are around the steps of a flow.
    let mut flow = None;
    let mut roles: Vec<Role> = Vec::with_capacity(tokens.len());
    let mut last: Option<usize> = None;
    // The word before begins its statement, or is the name of a shape that is defined.
    let mut leads = false;
    for (at, token) in tokens.iter().enumerate() {
        let within = open.last().copied().unwrap_or(Role::Block);
        let before = last.map(|last| (&tokens[last], roles[last]));
        // The job of a `body` may have ended on the line before: what begins a statement is read
        // by itself.
        let starts = token.newlines > 0
            || before
                .is_none_or(|(before, role)| before.kind == Kind::Semicolon || role == Role::Block);
        if starts && within == Role::Block {
            in_body = false;
        }
        let role = match token.kind {
            Kind::Open => {
                let role = match token.text {
                    "(" if leads && within == Role::Block && !in_body && !token.gap => Role::Inner,
                    _ => opening(token, before.map(|(token, _)| token), within, in_body),
                };
                open.push(role);
                if in_flow && role == Role::Block {
                    flow = Some(open.len());
                }
                role
            }
            Kind::Close => {
                flow = flow.filter(|depth| *depth < open.len());
                open.pop();
                Role::Plain
            }
            Kind::Mark if token.text == "->" && flow == Some(open.len()) => Role::Arrow,
            Kind::Mark => mark(token, before, &tokens[at + 1..], within),
            _ => Role::Plain,
        };
        roles.push(role);
        if within == Role::Block && token.kind != Kind::Comment {
            // `body` at the start of a statement: no name may stand there.
            let bodies = ["body", "args", "kwargs", "command"];
            in_body = if starts { bodies.contains(&token.text) } else { in_body };
            in_flow = if starts { token.text == "flow" } else { in_flow };
            leads = token.kind == Kind::Word
                && (starts || before.is_some_and(|(before, _)| leads && before.text == "shape"));
        }
        if token.kind != Kind::Comment {
            last = Some(at);
        }
    }
    roles
}

fn opening(token: &Token<'_>, before: Option<&Token<'_>>, within: Role, in_body: bool) -> Role {
    match token.text {
        "{" if within == Role::Block && !in_body => Role::Block,
        "(" => match before {
            Some(before) if before.kind == Kind::Word && !token.gap => match before.text {
                "x" | "min" | "max" => Role::Inner,
                _ => Role::Values,
            },
            _ => Role::Inner,
        },
        _ => Role::Values,
    }
}

fn mark(
    token: &Token<'_>,
    before: Option<(&Token<'_>, Role)>,
    behind: &[Token<'_>],
    within: Role,
) -> Role {
    let next = behind.first().filter(|next| next.kind != Kind::Comment);
    match token.text {
        ":" if within == Role::Values => Role::Colon,
        "/" if is_per_unit(behind) => Role::Per,
        "+" | "*" | "/" => Role::Binary,
        "-" if before.is_some_and(|(before, _)| is_clock(before.text))
            && next.is_some_and(|next| is_clock(next.text)) =>
        {
            Role::Per
        }
        "-" => {
            let after_operand = before.is_some_and(|(before, _)| {
                matches!(before.kind, Kind::Word | Kind::Text | Kind::Close)
            });
            // Where the next line goes on, a comment may stand behind the operator.
            let gap_after = next.is_none_or(|next| next.gap);
            let even = token.gap == gap_after;
            if after_operand && (even || gap_after || within == Role::Inner) {
                Role::Binary
            } else {
                Role::Unary
            }
        }
        _ => Role::Plain,
    }
}

/// Whether a unit is glued on, and is no function: `a/min(b, c)` divides.
fn is_per_unit(behind: &[Token<'_>]) -> bool {
    let Some(unit) = behind.first() else { return false };
    let calls = behind.get(1).is_some_and(|after| after.text == "(" && !after.gap);
    !unit.gap && !calls && matches!(unit.text, "s" | "min" | "h" | "day")
}

/// Whether a blank belongs between two tokens on one line.
pub(super) fn blank_between(before: (&Token<'_>, Role), next: (&Token<'_>, Role)) -> bool {
    let ((before, role_before), (next, role)) = (before, next);
    match (before.kind, next.kind) {
        (_, Kind::Comma | Kind::Semicolon) => return false,
        (Kind::Comma, _) => return true,
        _ => {}
    }
    let between_states = [role, role_before].contains(&Role::Arrow);
    let glued = !between_states
        && ([Role::Per, Role::Colon].contains(&role)
            || [Role::Per, Role::Unary].contains(&role_before)
            || [before.text, next.text].iter().any(|text| ["->", ".."].contains(text)));
    if glued {
        return false;
    }
    let apart = between_states
        || role == Role::Binary
        || [Role::Binary, Role::Colon].contains(&role_before)
        || [before, next].iter().any(|token| compares(token.text));
    if apart {
        return true;
    }
    match (before.kind, next.kind) {
        (_, Kind::Open) if next.text != "(" => true,
        (Kind::Close, Kind::Word | Kind::Text | Kind::Open) => true,
        (Kind::Word | Kind::Text, Kind::Word | Kind::Text) => true,
        _ => next.gap,
    }
}

fn compares(text: &str) -> bool {
    matches!(text, "=" | "==" | "<" | "<=" | ">" | ">=" | "≤" | "≥")
}

/// Whether a statement goes on behind this token, though its line ends.
pub(super) fn goes_on(token: &Token<'_>, role: Role) -> bool {
    token.kind == Kind::Comma || role == Role::Binary || matches!(token.text, "->" | "=")
}
