//! A run afterwards: one document that holds everything, and what is made of it.
//!
//! ```text
//! run::Report, Plan, History ─Document→ JSON ─Run::read→ Run ─┬─ html     a page that needs nothing else
//!                                                             ├─ junit    for CI
//!                                                             └─ compare  several side by side
//! ```
//!
//! The page of a run is always made from its JSON, so that `loadc report` makes the same page later.

mod chart;
mod columns;
pub mod compare;
mod csv;
mod document;
mod events;
mod hdr;
mod histogram;
mod html;
pub mod junit;
mod markup;
mod model;
mod parts;
pub mod side_by_side;
mod verdict;

pub use columns::Columns;
pub use document::{Document, Environment, Script, Used};
pub use html::page;
pub use model::{ReadError, Run};

#[cfg(test)]
mod tests;
