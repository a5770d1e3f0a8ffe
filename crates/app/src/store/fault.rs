//! A fault: the world did not do what it must. Logged once, where it is handled.

use std::fmt;

/// What kind of fault, as far as somebody upstream can act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// A named constraint of the schema refused the row.
    Constraint(String),
    /// Two transactions stood in each other's way; trying again is safe.
    Conflict,
    /// The disk is full.
    Full,
    /// The same file or database is in use in a way that cannot be shared.
    Busy,
    /// Anything else.
    Other,
}

/// A fault with the crossings it passed on its way up.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// The innermost message.
    pub message: String,
    /// Where it passed, innermost first.
    pub context: Vec<String>,
}

impl Fault {
    /// A fault that is none of the known kinds.
    pub fn other(message: impl Into<String>) -> Fault {
        Fault { kind: FaultKind::Other, message: message.into(), context: Vec::new() }
    }

    /// Adds where it passed.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Fault {
        self.context.push(place.into());
        self
    }

    /// Whether this is the violation of the named constraint.
    pub fn broke(&self, constraint: &str) -> bool {
        matches!(&self.kind, FaultKind::Constraint(name) if name == constraint)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in self.context.iter().rev() {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// SQLITE_IOERR_SHMSIZE
const IOERR_SHMSIZE: i32 = 4874;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        use rusqlite::ErrorCode;
        let message = error.to_string();
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => {
                FaultKind::Constraint(super::dialect::constraint_of(&message))
            }
            Some(ErrorCode::DiskFull) => FaultKind::Full,
            // The index of the log found no room to grow.
            _ if error.sqlite_error().is_some_and(|e| e.extended_code == IOERR_SHMSIZE) => FaultKind::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => FaultKind::Busy,
            _ => FaultKind::Other,
        };
        Fault { kind, message, context: Vec::new() }
    }
}

impl From<postgres::Error> for Fault {
    fn from(error: postgres::Error) -> Fault {
        let (mut kind, mut message) = (FaultKind::Other, error.to_string());
        if let Some(db) = error.as_db_error() {
            message = format!("{} ({})", db.message(), db.code().code());
            kind = match db.code().code() {
                "40001" | "40P01" => FaultKind::Conflict,
                "53100" => FaultKind::Full,
                code if code.starts_with("23") => {
                    FaultKind::Constraint(db.constraint().unwrap_or("").to_owned())
                }
                _ => FaultKind::Other,
            };
        }
        Fault { kind, message, context: Vec::new() }
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Fault {
        Fault::other(format!("json: {error}"))
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Fault {
        let kind =
            if error.kind() == std::io::ErrorKind::StorageFull { FaultKind::Full } else { FaultKind::Other };
        Fault { kind, message: error.to_string(), context: Vec::new() }
    }
}
