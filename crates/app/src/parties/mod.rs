//! People and organisations: accounts, elders, contacts, providers, carers.

pub mod accounts;
pub mod sheet;
