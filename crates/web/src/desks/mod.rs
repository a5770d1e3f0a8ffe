//! Pages, one folder a desk, written for the person who sits there.

pub mod accounts;
pub mod alarms;
pub mod carer;
pub mod devices;
pub mod dispatch;
pub mod door;
pub mod duties;
pub mod errands;
pub mod evidence;
pub(crate) mod fields;
pub(crate) mod form;
pub mod hotline;
pub mod imports;
pub(crate) mod map;
pub mod orders;
pub mod people;
pub mod providers;
pub mod regions;
pub mod search;
pub mod services;
pub mod statements;
