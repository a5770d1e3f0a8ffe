//! People and organisations: accounts, elders, contacts, providers, carers.

pub mod accounts;
pub mod carers;
pub mod imports;
pub mod people;
pub mod providers;
pub mod sheet;
pub mod wrong;
