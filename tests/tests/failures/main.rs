//! What becomes of each class of request under each fault, in virtual time.

mod honesty;
mod matrix;
mod stopped;
