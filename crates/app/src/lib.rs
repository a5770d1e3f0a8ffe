//! What happens: commands and questions, one transaction each, and all SQL.
//!
//! Synchronous throughout. A command loads facts, lets `domain` decide, saves rows, evidence and outbox in one
//! transaction. Areas stand in the order of `domain` and use only those before them.

pub mod evidence;
pub mod idempotency;
pub mod outcome;
pub mod repeat;
pub mod settings;
pub mod store;

pub mod parties;
pub mod regions;

pub mod programmes;

pub mod ledger;

pub mod orders;

pub mod signals;

pub mod pack;

/// Names the statements of one `sql.rs` and lists them, so that a test can have both databases parse each of them.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* const $name: &str = $sql;)*
        /// Every statement of this file.
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(crate) use statements;

/// Every statement of every area, by area, for the test that prepares them on both databases.
pub fn all_statements() -> Vec<(&'static str, &'static str, &'static str)> {
    [
        ("evidence", evidence::STATEMENTS),
        ("idempotency", idempotency::STATEMENTS),
        ("settings", settings::STATEMENTS),
        ("regions", regions::STATEMENTS),
        ("providers", parties::providers::STATEMENTS),
        ("carers", parties::carers::STATEMENTS),
        ("imports", parties::imports::STATEMENTS),
        ("programmes", programmes::STATEMENTS),
        ("ledger", ledger::STATEMENTS),
        ("grants", ledger::grants::STATEMENTS),
        ("statements", ledger::statements::STATEMENTS),
        ("devices", signals::devices::STATEMENTS),
        ("sightings", signals::sightings::STATEMENTS),
        ("silences", signals::silences::STATEMENTS),
        ("duties", signals::duties::STATEMENTS),
        ("meters", signals::meters::STATEMENTS),
        ("feeds", signals::feeds::STATEMENTS),
        ("intake", signals::intake::STATEMENTS),
        ("pack", pack::STATEMENTS),
    ]
    .into_iter()
    .chain(parties::accounts::STATEMENTS.iter().map(|all| ("accounts", *all)))
    .chain(parties::people::STATEMENTS.iter().map(|all| ("people", *all)))
    .chain(orders::STATEMENTS.iter().map(|all| ("orders", *all)))
    .chain(signals::incidents::STATEMENTS.iter().map(|all| ("incidents", *all)))
    .flat_map(|(area, all)| all.iter().map(move |(name, sql)| (area, *name, *sql)))
    .collect()
}
