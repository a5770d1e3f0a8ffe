//! A connection with the statements it has parsed.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
};

use rusqlite::{Connection, PrepFlags, Statement, types::ValueRef};

use crate::store::{
    Fault,
    tx::{Conn, ReadOnce, Row, Value},
};

/// A hash of addresses, which nobody from outside chooses.
#[derive(Default)]
struct Address(u64);

impl Hasher for Address {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    fn write_usize(&mut self, n: usize) {
        // Fibonacci's multiplier carries the low bits, in which addresses differ, to the top.
        self.0 = (self.0.rotate_left(5) ^ n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Statements by the address of their text: the texts are constants, so there is no need to compare what they say.
pub(super) struct Statements<'c> {
    pub(super) conn: &'c Connection,
    parsed: HashMap<(usize, usize), Statement<'c>, BuildHasherDefault<Address>>,
    read_once: ReadOnce,
}

impl<'c> Statements<'c> {
    pub(super) fn new(conn: &'c Connection) -> Statements<'c> {
        Statements { conn, parsed: HashMap::default(), read_once: ReadOnce::new() }
    }

    /// Begins, ends or undoes a transaction, or a part of it.
    pub(super) fn control(&mut self, sql: &'static str) -> Result<(), Fault> {
        self.read_once.clear();
        self.execute(sql, &[]).map(drop)
    }

    fn bound(&mut self, sql: &'static str, params: &[Value<'_>]) -> Result<&mut Statement<'c>, Fault> {
        let statement = match self.parsed.entry((sql.as_ptr() as usize, sql.len())) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(new) => {
                new.insert(self.conn.prepare_with_flags(sql, PrepFlags::SQLITE_PREPARE_PERSISTENT)?)
            }
        };
        // A parameter that is left out would keep the value of the last use.
        if statement.parameter_count() != params.len() {
            return Err(Fault::other(format!(
                "{} parameters for {}",
                params.len(),
                statement.parameter_count()
            )));
        }
        for (n, param) in params.iter().enumerate() {
            let value = match param {
                Value::Null => ValueRef::Null,
                Value::Int(x) => ValueRef::Integer(*x),
                Value::Real(x) => ValueRef::Real(*x),
                Value::Text(x) => ValueRef::Text(x.as_bytes()),
                Value::Blob(x) => ValueRef::Blob(x),
            };
            statement.raw_bind_parameter(n + 1, rusqlite::types::ToSqlOutput::Borrowed(value))?;
        }
        Ok(statement)
    }
}

impl Conn for Statements<'_> {
    fn execute(&mut self, sql: &'static str, params: &[Value<'_>]) -> Result<u64, Fault> {
        Ok(self.bound(sql, params)?.raw_execute()? as u64)
    }

    fn each(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        read: &mut dyn FnMut(&Row<'_>) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        let statement = self.bound(sql, params)?;
        let may_write = !statement.readonly();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            read(&Row::Lite(row))?;
        }
        Ok(may_write)
    }

    fn prepare(&mut self, sql: &'static str) -> Result<(), Fault> {
        Ok(self.conn.prepare(sql).map(|_| ())?)
    }

    /// There is one writer, so nobody else is.
    fn settle_evidence(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn alone(&self) -> bool {
        true
    }

    fn read_once(&mut self) -> &mut ReadOnce {
        &mut self.read_once
    }
}
