//! What is true in Xiyang: nouns, decisions and refusals.
//!
//! Nothing here touches the world: no I/O, no async, no clock, no randomness, no SQL, no HTTP. Time, ids and facts
//! are arguments; an answer is a value or a refusal that tells a person what to do next.
//!
//! Areas stand in one order and use only those before them:
//! regions, parties, places, assessments, programmes, ledger, orders, signals, targets, documents.

pub mod access;
pub mod ids;
pub mod money;
pub mod refusal;
pub mod time;

pub mod regions;

pub mod parties;

pub mod programmes;

pub mod ledger;

pub mod orders;

pub mod signals;
