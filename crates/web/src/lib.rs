//! What people and machines see: pages by desk, the JSON API, live streams. No SQL and no decisions.
//!
//! A handler parses, calls one command or question, and shows the answer. All routes stand in `routes.rs`, each with
//! what one must be allowed to do; there is no other way to add one.

pub mod api;
mod assets;
pub mod desks;
mod filters;
mod gateway;
mod identity;
pub mod intake;
pub mod live;
mod page;
pub mod present;
mod respond;
mod routes;
mod state;
mod text;
mod upload;

pub use gateway::Gateway;
pub use identity::{Identity, Signed};
pub use page::{Page, encode, see_with};
pub use respond::{Html, Problem, Reply, see};
pub use routes::{Gate, Route, gate_of, router, table};
pub use state::{App, Demo, Persona};
