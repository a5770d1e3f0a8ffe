//! Pages, one folder a desk, written for the person who sits there.

pub mod carer;
pub mod door;
pub mod hotline;
