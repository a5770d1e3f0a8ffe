//! Rows of visits and photographs.

use domain::{
    ids::{AccountId, CarerId, OrderId, PersonId, PhotoId},
    money::Minutes,
    orders::{CheckIn, CheckOut, Method, OrderState, Visit},
    time::At,
};

use super::Order;
use crate::{
    orders::lists::{Served, VisitProof},
    p,
    store::{Fault, Tx},
};

crate::statements! {
    INSERT_VISIT = "INSERT INTO visit (order_id, region, carer, provider, person, service, in_at, in_server_at,
            in_device_at, in_method, in_lon, in_lat, in_accuracy, in_distance)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    END_VISIT = "UPDATE visit SET out_at = ?2, out_server_at = ?3, out_device_at = ?4, out_lon = ?5, out_lat = ?6,
            out_accuracy = ?7, minutes = ?8, tasks = ?9, note = ?10
        WHERE order_id = ?1 AND out_at IS NULL";
    VISIT = "SELECT in_at, in_server_at, in_device_at, in_method, in_distance, in_accuracy, out_at, out_server_at,
            out_device_at, minutes, tasks, note
        FROM visit WHERE order_id = ?1";
    SERVED_BY = "SELECT o.id, n.name, COALESCE(i.name, o.service), v.in_at, v.minutes, o.state
        FROM (SELECT id, person, service, service_from, state FROM orders
                WHERE carer = ?1 AND start_at >= ?2 AND start_at < ?3 AND checked_in_at IS NOT NULL
            UNION ALL SELECT id, person, service, service_from, state FROM orders
                WHERE partner = ?1 AND start_at >= ?2 AND start_at < ?3 AND checked_in_at IS NOT NULL) o
        JOIN visit v ON v.order_id = o.id
        JOIN person n ON n.id = o.person
        LEFT JOIN service_item i ON i.code = o.service AND i.valid_from = o.service_from
        ORDER BY v.in_at DESC LIMIT 1000";
    TELEPHONE = "SELECT phone FROM person WHERE id = ?1";
    CONTACTS = "SELECT id, relation, name, phone FROM contact WHERE person = ?1 ORDER BY rank";
    REACHABLE = "SELECT CAST(CASE WHEN p.phone IS NULL THEN 0 ELSE 1 END AS BIGINT),
            (SELECT COUNT(*) FROM contact k WHERE k.person = p.id)
        FROM person p WHERE p.id = ?1";
    PHOTO_OF_ORDER = "SELECT id FROM photo WHERE order_id = ?1 AND sha256 = ?2";
    PHOTO_ELSEWHERE = "SELECT order_id FROM photo WHERE sha256 = ?2 AND order_id <> ?1 ORDER BY id LIMIT 1";
    INSERT_PHOTO = "INSERT INTO photo (id, order_id, sha256, kind, width, height, taken_at, received_at, by_account,
            bytes)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    PHOTO = "SELECT kind, bytes FROM photo WHERE id = ?1 AND order_id = ?2";
    PHOTOS = "SELECT id, taken_at FROM photo WHERE order_id = ?1 ORDER BY id";
}

/// A person's own number, encrypted.
pub(in crate::orders) fn telephone(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<Vec<u8>>, Fault> {
    tx.one(TELEPHONE, p![person], |row| row.get(0))
}

/// A contact of a person: id, relation and name, encrypted number.
pub(in crate::orders) type ContactNumber = (i64, String, Vec<u8>);

/// The contacts of a person, first to be called first.
pub(in crate::orders) fn contact_numbers(
    tx: &mut Tx<'_>,
    person: PersonId,
) -> Result<Vec<ContactNumber>, Fault> {
    tx.all(CONTACTS, p![person], |row| {
        let (relation, name): (String, String) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, format!("{relation} {name}").trim().to_owned(), row.get(3)?))
    })
}

/// Whether the record has the person's own number, and a contact.
pub(in crate::orders) fn reachable(tx: &mut Tx<'_>, person: PersonId) -> Result<(bool, bool), Fault> {
    tx.one(REACHABLE, p![person], |row| Ok((row.get::<i64>(0)? > 0, row.get::<i64>(1)? > 0)))
}

/// Visits a carer made, alone or as the partner of another, of orders planned between two instants.
pub(in crate::orders) fn served_by(
    tx: &mut Tx<'_>,
    carer: CarerId,
    from: At,
    to: At,
) -> Result<Vec<Served>, Fault> {
    tx.all(SERVED_BY, p![carer, from, to], |row| {
        Ok(Served {
            order: row.get(0)?,
            person_name: row.get(1)?,
            service_name: row.get(2)?,
            began_at: row.get(3)?,
            minutes: row.get(4)?,
            state: row.word(5, OrderState::from_code)?,
        })
    })
}

pub(in crate::orders) fn insert_visit(
    tx: &mut Tx<'_>,
    order: &Order,
    ask: &CheckIn,
    visit: &Visit,
    server_at: At,
) -> Result<(), Fault> {
    let fix = ask.fix;
    tx.execute_one(
        INSERT_VISIT,
        p![
            order.id,
            order.region,
            order.carer,
            order.provider,
            order.person,
            order.service,
            visit.began_at,
            server_at,
            ask.device_at,
            ask.method.code(),
            fix.map(|f| f.lon),
            fix.map(|f| f.lat),
            fix.map(|f| f.accuracy),
            visit.distance_metres
        ],
    )
}

pub(in crate::orders) fn end_visit(
    tx: &mut Tx<'_>,
    order: &Order,
    ask: &CheckOut,
    ended_at: At,
    minutes: Minutes,
    server_at: At,
) -> Result<(), Fault> {
    let (fix, tasks, note) = (ask.fix, serde_json::to_string(&ask.tasks)?, ask.note.trim());
    tx.execute_one(
        END_VISIT,
        p![
            order.id,
            ended_at,
            server_at,
            ask.device_at,
            fix.map(|f| f.lon),
            fix.map(|f| f.lat),
            fix.map(|f| f.accuracy),
            minutes,
            tasks,
            note
        ],
    )
}

pub(in crate::orders) fn visit(tx: &mut Tx<'_>, order: OrderId) -> Result<Option<VisitProof>, Fault> {
    tx.find(VISIT, p![order], |row| {
        Ok(VisitProof {
            in_at: row.get(0)?,
            in_server_at: row.get(1)?,
            in_device_at: row.get(2)?,
            in_method: row.word(3, Method::from_code)?,
            in_distance: row.get(4)?,
            in_accuracy: row.get(5)?,
            out_at: row.get(6)?,
            out_server_at: row.get(7)?,
            out_device_at: row.get(8)?,
            minutes: row.get(9)?,
            tasks: serde_json::from_str(&row.get::<String>(10)?)?,
            note: row.get(11)?,
        })
    })
}

pub(in crate::orders) fn photo_of_order(
    tx: &mut Tx<'_>,
    order: OrderId,
    sha256: &[u8; 32],
) -> Result<Option<PhotoId>, Fault> {
    tx.find(PHOTO_OF_ORDER, p![order, *sha256], |row| row.get(0))
}

/// Another order that already has the same picture.
pub(in crate::orders) fn photo_elsewhere(
    tx: &mut Tx<'_>,
    order: OrderId,
    sha256: &[u8; 32],
) -> Result<Option<OrderId>, Fault> {
    tx.find(PHOTO_ELSEWHERE, p![order, *sha256], |row| row.get(0))
}

/// What is kept of a photograph beside its digest.
pub(in crate::orders) struct PhotoFacts<'a> {
    pub(in crate::orders) kind: &'a str,
    pub(in crate::orders) width: i64,
    pub(in crate::orders) height: i64,
    pub(in crate::orders) taken_at: At,
    pub(in crate::orders) bytes: &'a [u8],
}

pub(in crate::orders) fn insert_photo(
    tx: &mut Tx<'_>,
    id: PhotoId,
    order: OrderId,
    sha256: &[u8; 32],
    facts: &PhotoFacts<'_>,
    by: AccountId,
    at: At,
) -> Result<(), Fault> {
    tx.execute_one(
        INSERT_PHOTO,
        p![id, order, *sha256, facts.kind, facts.width, facts.height, facts.taken_at, at, by, facts.bytes],
    )
}

pub(in crate::orders) fn photo(
    tx: &mut Tx<'_>,
    order: OrderId,
    id: PhotoId,
) -> Result<Option<(String, Vec<u8>)>, Fault> {
    tx.find(PHOTO, p![id, order], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(in crate::orders) fn photos(tx: &mut Tx<'_>, order: OrderId) -> Result<Vec<(PhotoId, At)>, Fault> {
    tx.all(PHOTOS, p![order], |row| Ok((row.get(0)?, row.get(1)?)))
}
