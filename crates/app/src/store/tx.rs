//! A transaction as commands see it: statements in, rows out, ids and secrets at hand.

use std::{any::Any, sync::Arc};

use domain::{
    ids::*,
    money::{Fen, Minutes},
    regions::RegionCode,
    time::{At, Day},
};

use super::{Fault, IdSource, Shared, Vault, kept::Kept};

/// A parameter of a statement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// NULL
    Null,
    /// BIGINT
    Int(i64),
    /// DOUBLE
    Real(f64),
    /// TEXT
    Text(&'a str),
    /// BLOB
    Blob(&'a [u8]),
}

/// Something that can stand for a parameter.
pub trait ToValue {
    /// The parameter.
    fn value(&self) -> Value<'_>;
}

macro_rules! to_value {
    ($($type:ty => |$x:ident| $value:expr),* $(,)?) => {
        $(impl ToValue for $type { fn value(&self) -> Value<'_> { let $x = self; $value } })*
    };
}

to_value! {
    i64 => |x| Value::Int(*x),
    i32 => |x| Value::Int(i64::from(*x)),
    u8 => |x| Value::Int(i64::from(*x)),
    bool => |x| Value::Int(i64::from(*x)),
    f64 => |x| Value::Real(*x),
    String => |x| Value::Text(x),
    &str => |x| Value::Text(x),
    Vec<u8> => |x| Value::Blob(x),
    &[u8] => |x| Value::Blob(x),
    [u8; 16] => |x| Value::Blob(x),
    [u8; 32] => |x| Value::Blob(x),
    At => |x| Value::Int(x.0),
    Fen => |x| Value::Int(x.0),
    Minutes => |x| Value::Int(x.0),
    RegionCode => |x| Value::Int(x.number()),
}

impl<T: ToValue> ToValue for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::value)
    }
}

/// Makes the parameter list of a statement: `p![id, name, at]`.
#[macro_export]
macro_rules! p {
    ($($x:expr),* $(,)?) => { &[$($crate::store::ToValue::value(&$x)),*] as &[$crate::store::Value<'_>] };
}

/// One row of an answer.
pub enum Row<'a> {
    /// From SQLite.
    Lite(&'a rusqlite::Row<'a>),
    /// From PostgreSQL.
    Pg(&'a postgres::Row),
}

/// A type that can be read from a column.
pub trait FromColumn: Sized {
    /// Reads column `n` (from 0).
    fn read(row: &Row<'_>, n: usize) -> Result<Self, Fault>;
}

impl Row<'_> {
    /// Reads column `n` (from 0); a value that does not fit is a fault that names the column.
    pub fn get<T: FromColumn>(&self, n: usize) -> Result<T, Fault> {
        T::read(self, n)
    }

    /// Reads column `n` through a parser, such as `OrderState::from_code`.
    pub fn word<T>(&self, n: usize, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        self.word_or_none(n, parse)?.ok_or_else(|| unfit(n, "no word"))
    }

    /// The same where the column may be NULL.
    pub fn word_or_none<T>(&self, n: usize, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Fault> {
        let Some(text) = self.text(n)? else { return Ok(None) };
        let known = parse(text);
        known.map(Some).ok_or_else(|| Fault::other(format!("column {n} holds the unknown word {text:?}")))
    }

    /// The text of column `n` where it lies.
    fn text(&self, n: usize) -> Result<Option<&str>, Fault> {
        match self {
            Row::Lite(row) => {
                let value = row.get_ref(n).map_err(|e| unfit(n, e))?;
                value.as_str_or_null().map_err(|e| unfit(n, e))
            }
            Row::Pg(row) => row.try_get(n).map_err(|e| unfit(n, e)),
        }
    }
}

fn unfit(n: usize, error: impl std::fmt::Display) -> Fault {
    Fault::other(format!("column {n}: {error}"))
}

macro_rules! from_column {
    ($($type:ty),*) => {$(
        impl FromColumn for $type {
            fn read(row: &Row<'_>, n: usize) -> Result<Self, Fault> {
                match row {
                    Row::Lite(row) => row.get(n).map_err(|e| unfit(n, e)),
                    Row::Pg(row) => row.try_get(n).map_err(|e| unfit(n, e)),
                }
            }
        }
        impl FromColumn for Option<$type> {
            fn read(row: &Row<'_>, n: usize) -> Result<Self, Fault> {
                match row {
                    Row::Lite(row) => row.get(n).map_err(|e| unfit(n, e)),
                    Row::Pg(row) => row.try_get(n).map_err(|e| unfit(n, e)),
                }
            }
        }
    )*};
}

from_column!(i64, f64, String, Vec<u8>);

macro_rules! wrapped {
    ($($type:ty: $inner:ty => |$x:ident| $make:expr),* $(,)?) => {$(
        impl FromColumn for $type {
            fn read(row: &Row<'_>, n: usize) -> Result<Self, Fault> {
                let $x = <$inner>::read(row, n)?;
                $make.ok_or_else(|| unfit(n, concat!("does not fit ", stringify!($type))))
            }
        }
        impl FromColumn for Option<$type> {
            fn read(row: &Row<'_>, n: usize) -> Result<Self, Fault> {
                let Some($x) = Option::<$inner>::read(row, n)? else { return Ok(None) };
                let made: Option<$type> = $make;
                made.map(Some).ok_or_else(|| unfit(n, concat!("does not fit ", stringify!($type))))
            }
        }
    )*};
}

wrapped! {
    bool: i64 => |x| match x { 0 => Some(false), 1 => Some(true), _ => None },
    At: i64 => |x| Some(At(x)),
    Fen: i64 => |x| Some(Fen(x)),
    Minutes: i64 => |x| Some(Minutes(x)),
    RegionCode: i64 => |x| RegionCode::new(x).ok(),
    Day: String => |x| x.parse().ok(),
}

macro_rules! id_columns {
    ($($id:ident),*) => {
        wrapped! { $($id: i64 => |x| (x > 0).then_some($id(x))),* }
        to_value! { $($id => |x| Value::Int(x.0)),* }
    };
}

id_columns!(
    AccountId,
    PostId,
    PersonId,
    ContactId,
    FactId,
    ProviderId,
    CarerId,
    CallId,
    OrderId,
    OfferId,
    EntitlementId,
    LedgerId,
    TransferId,
    SettlementId,
    StatementId,
    PhotoId,
    ImportId,
    TokenId,
    SessionId,
    DeviceId,
    IncidentId,
    VisitDutyId,
    ErrandId,
    ReachId
);

/// Numbers by name that one transaction need not ask for twice.
pub(crate) type ReadOnce = Vec<(&'static str, i64)>;

/// A database inside a transaction.
pub(super) trait Conn {
    /// Runs a statement that gives no rows; answers how many it touched.
    fn execute(&mut self, sql: &'static str, params: &[Value<'_>]) -> Result<u64, Fault>;

    /// Hands over every row of a query; answers whether the statement may change something.
    fn each(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        read: &mut dyn FnMut(&Row<'_>) -> Result<(), Fault>,
    ) -> Result<bool, Fault>;

    /// Parses a statement without running it.
    fn prepare(&mut self, sql: &'static str) -> Result<(), Fault>;

    /// Waits until no other writer is between taking an evidence number and its commit.
    fn settle_evidence(&mut self) -> Result<(), Fault>;

    /// Whether nobody else can write before this transaction ends.
    fn alone(&self) -> bool;

    /// What was read of the transaction's own moment; empty when one begins.
    fn read_once(&mut self) -> &mut ReadOnce;
}

/// An open transaction. The store opens and commits it; a command is straight-line code between.
pub struct Tx<'a> {
    conn: &'a mut dyn Conn,
    pub(super) ids: &'a IdSource,
    pub(super) vault: &'a Vault,
    kept: &'a Kept,
    /// Every row with an id up to this one that can be found is committed.
    pub(super) began_after: i64,
    /// Whether somebody listens for what this transaction put into the outbox.
    pub(crate) told: bool,
    /// Whether a statement that may change something was run.
    pub(super) wrote: bool,
}

impl<'a> Tx<'a> {
    /// A transaction in which `began_after` is the last id that was given before it began.
    pub(super) fn new(conn: &'a mut dyn Conn, shared: &'a Shared, began_after: i64) -> Tx<'a> {
        let Shared { ids, vault, kept, .. } = shared;
        Tx { conn, ids, vault, kept, began_after, told: false, wrote: false }
    }
}

impl<'a> Tx<'a> {
    /// Encryption, blind indexes and keyed codes. It outlives the borrow, so that secrets can be opened row by row.
    pub fn vault(&self) -> &'a Vault {
        self.vault
    }
}

impl Tx<'_> {
    /// What was kept in memory at this version, if it still is.
    pub fn kept<T: Any + Send + Sync>(&self, version: i64) -> Option<Arc<T>> {
        self.kept.find(version)
    }

    /// Keeps something in memory for later transactions, under a version no other content ever had.
    pub fn keep<T: Any + Send + Sync>(&self, version: i64, thing: Arc<T>) {
        self.kept.keep(version, thing);
    }

    /// A new id at this moment.
    pub fn id(&self, now: domain::time::Now) -> i64 {
        self.ids.next(now.0)
    }

    /// Runs a statement that gives no rows; answers how many rows it touched.
    pub fn execute(&mut self, sql: &'static str, params: &[Value<'_>]) -> Result<u64, Fault> {
        self.wrote = true;
        self.conn.execute(sql, params).map_err(|f| f.at(first_words(sql)))
    }

    /// Runs a statement that must touch exactly one row.
    pub fn execute_one(&mut self, sql: &'static str, params: &[Value<'_>]) -> Result<(), Fault> {
        match self.execute(sql, params)? {
            1 => Ok(()),
            n => Err(Fault {
                kind: super::FaultKind::Conflict,
                message: format!("touched {n} rows, not 1"),
                context: vec![],
            }
            .at(first_words(sql))),
        }
    }

    /// All rows of a query.
    pub fn all<T>(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut out = Vec::new();
        self.each(sql, params, |row| {
            out.push(read(row)?);
            Ok(())
        })?;
        Ok(out)
    }

    /// Every row of a query in turn, for answers too long to hold.
    pub fn each(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.wrote |= self.conn.each(sql, params, &mut read).map_err(|f| f.at(first_words(sql)))?;
        Ok(())
    }

    /// The first row of a query, if any.
    pub fn find<T>(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.all(sql, params, read)?.into_iter().next())
    }

    /// The one row of a query that always has one.
    pub fn one<T>(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.find(sql, params, read)?.ok_or_else(|| Fault::other("no row").at(first_words(sql)))
    }

    /// What was read of the transaction's own moment, for numbers that are asked for again and again. Whoever changes
    /// such a number takes it out.
    pub(crate) fn read_once(&mut self) -> &mut ReadOnce {
        self.conn.read_once()
    }

    /// Whether nobody else can write before this transaction ends, so that rows need not be locked by writing them.
    pub fn alone(&self) -> bool {
        self.conn.alone()
    }

    /// Asks the database to parse a statement without running it.
    pub fn prepare(&mut self, sql: &'static str) -> Result<(), Fault> {
        self.conn.prepare(sql).map_err(|f| f.at(sql.to_owned()))
    }

    /// Waits until no other writer is between taking an evidence number and its commit.
    ///
    /// Called by the sealer in a transaction of its own.
    pub fn settle_evidence(&mut self) -> Result<(), Fault> {
        self.conn.settle_evidence()
    }
}

/// Enough of a statement to find it.
fn first_words(sql: &str) -> String {
    sql.split_whitespace().take(8).collect::<Vec<_>>().join(" ")
}
