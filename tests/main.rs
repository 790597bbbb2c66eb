//! The tests that go through the front door: one binary, one module for each subject.

mod docs;
mod walls;
