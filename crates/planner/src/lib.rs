//! What is hard to compute, on small models of its own.
//!
//! This crate knows neither our rows nor our pages: callers translate their facts into the plain structs here
//! and translate the answer back. Every engine comes with a checker that shares no code with it.

pub mod dispatch;
