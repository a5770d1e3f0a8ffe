//! The JSON API under `/api/v1/`: bodies parsed into types, problem+json errors, idempotency keys, cursor pages.

mod call;

pub use call::{Call, Created, Cursor, Done, Listing};
