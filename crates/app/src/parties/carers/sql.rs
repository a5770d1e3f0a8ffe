//! Rows of carers and their certificates.

use std::collections::HashMap;

use domain::{
    access::Scope,
    ids::{CarerId, ProviderId},
    parties::{Certificate, Sex, mask},
    time::{At, Day},
};

use super::{Carer, Expiring, Filter, Held, NewCarer, NewCertificate, PHONE};
use crate::{
    p,
    parties::providers::ENDING_DAYS,
    store::{Fault, Row, Tx},
};

macro_rules! columns {
    () => {
        "SELECT c.id, c.region, c.provider, v.name, c.name, c.sex, c.birth, c.phone, c.lon, c.lat, c.languages,
            c.work_days, c.work_from, c.work_to, c.takes_at_once, c.on_leave_from, c.on_leave_to, c.stars, c.ratings,
            c.left_at
        FROM carer c JOIN provider v ON v.id = c.provider "
    };
}

/// Whose provider's office or area meets `?1` to `?2`, of provider `?3` and being carer `?4` when those are not 0.
macro_rules! visible {
    () => {
        "(v.region BETWEEN ?1 AND ?2 OR (v.area_lo <= ?2 AND v.area_hi >= ?1))
            AND (CAST(?3 AS BIGINT) = 0 OR c.provider = ?3) AND (CAST(?4 AS BIGINT) = 0 OR c.id = ?4)"
    };
}

crate::statements! {
    INSERT = "INSERT INTO carer (id, region, provider, name, sex, birth, phone, phone_index, lon, lat, languages,
            work_days, work_from, work_to, takes_at_once)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    UPDATE = "UPDATE carer SET region = ?2, name = ?3, sex = ?4, birth = ?5, lon = COALESCE(?6, lon),
            lat = COALESCE(?7, lat), languages = ?8, work_days = ?9, work_from = ?10, work_to = ?11, takes_at_once = ?12
        WHERE id = ?1";
    SET_PHONE = "UPDATE carer SET phone = ?2, phone_index = ?3 WHERE id = ?1";
    PHONE_OF = "SELECT phone FROM carer WHERE id = ?1";
    SET_LEAVE = "UPDATE carer SET on_leave_from = ?2, on_leave_to = ?3 WHERE id = ?1";
    DEPART = "UPDATE carer SET left_at = ?2 WHERE id = ?1";
    INSERT_CERTIFICATE = "INSERT INTO carer_skill (carer, skill, certificate_no, valid_from, valid_to)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    CERTIFICATES = "SELECT k.skill, k.certificate_no, k.valid_from, k.valid_to,
            (SELECT COUNT(*) FROM carer_skill n
                WHERE n.carer = k.carer AND n.skill = k.skill AND n.valid_to > k.valid_to)
        FROM carer_skill k WHERE k.carer = ?1 ORDER BY k.skill, k.valid_to DESC";
    CARER = concat!(columns!(), "WHERE c.id = ?5 AND ", visible!());
    LIST = concat!(columns!(), "WHERE ", visible!(), "
            AND (CAST(?5 AS BIGINT) = 0 OR c.provider = ?5) AND (?6 = '' OR c.name LIKE ?6)
            AND (?7 = '' OR EXISTS (SELECT 1 FROM carer_skill k
                WHERE k.carer = c.id AND k.skill = ?7 AND k.valid_from <= ?8 AND k.valid_to >= ?8))
            AND (?9 = 1 OR c.left_at IS NULL)
        ORDER BY c.name, c.id LIMIT ?10");
    HELD_BY = concat!("SELECT k.carer, k.skill, k.certificate_no, k.valid_from, k.valid_to
        FROM carer_skill k JOIN carer c ON c.id = k.carer JOIN provider v ON v.id = c.provider
        WHERE ", visible!(), " AND (CAST(?5 AS BIGINT) = 0 OR c.provider = ?5) AND NOT EXISTS (
            SELECT 1 FROM carer_skill n WHERE n.carer = k.carer AND n.skill = k.skill AND n.valid_to > k.valid_to)
        ORDER BY k.carer, k.skill");
    EXPIRING = concat!("SELECT c.id, c.name, v.id, v.name, k.skill, k.certificate_no, k.valid_from, k.valid_to
        FROM carer_skill k JOIN carer c ON c.id = k.carer JOIN provider v ON v.id = c.provider
        WHERE ", visible!(), " AND (CAST(?5 AS BIGINT) = 0 OR c.provider = ?5) AND c.left_at IS NULL AND k.valid_to <= ?6
            AND NOT EXISTS (
                SELECT 1 FROM carer_skill n WHERE n.carer = k.carer AND n.skill = k.skill AND n.valid_to > k.valid_to)
        ORDER BY k.valid_to, c.id, k.skill LIMIT ?7");
}

fn carer_row(row: &Row<'_>, phone: &dyn Fn(i64, &[u8]) -> Result<String, Fault>) -> Result<Carer, Fault> {
    let id: CarerId = row.get(0)?;
    let sex: i64 = row.get(5)?;
    let leave = row.get::<Option<Day>>(15)?.zip(row.get::<Option<Day>>(16)?);
    Ok(Carer {
        id,
        region: row.get(1)?,
        provider: row.get(2)?,
        provider_name: row.get(3)?,
        name: row.get(4)?,
        sex: u8::try_from(sex)
            .ok()
            .and_then(Sex::from_code)
            .ok_or_else(|| Fault::other(format!("carer {id} has the unknown sex {sex}")))?,
        birth: row.get(6)?,
        phone_masked: mask::phone(&phone(id.0, &row.get::<Vec<u8>>(7)?)?),
        home: row.get::<Option<f64>>(8)?.zip(row.get(9)?),
        languages: row.get(10)?,
        work_days: row.get(11)?,
        work_from: row.get(12)?,
        work_to: row.get(13)?,
        takes_at_once: row.get(14)?,
        leave,
        stars: row.get(17)?,
        ratings: row.get(18)?,
        left_at: row.get(19)?,
        certificates: Vec::new(),
    })
}

pub(super) fn insert(tx: &mut Tx<'_>, id: CarerId, new: &NewCarer) -> Result<(), Fault> {
    let phone = new.phone.as_ref().map_or("", |p| p.reveal());
    let (sealed, index) = (tx.vault().encrypt(PHONE, id.0, phone), tx.vault().index(PHONE, phone));
    let (lon, lat) = new.home.unzip();
    tx.execute_one(
        INSERT,
        p![
            id,
            new.region,
            new.provider,
            new.name.as_str(),
            new.sex.code(),
            new.birth.to_string(),
            sealed,
            index,
            lon,
            lat,
            new.languages.join("、"),
            new.work_days,
            new.work_from,
            new.work_to,
            new.takes_at_once
        ],
    )
}

pub(super) fn update(tx: &mut Tx<'_>, id: CarerId, new: &NewCarer) -> Result<(), Fault> {
    let (lon, lat) = new.home.unzip();
    tx.execute_one(
        UPDATE,
        p![
            id,
            new.region,
            new.name.as_str(),
            new.sex.code(),
            new.birth.to_string(),
            lon,
            lat,
            new.languages.join("、"),
            new.work_days,
            new.work_from,
            new.work_to,
            new.takes_at_once
        ],
    )?;
    let Some(phone) = &new.phone else { return Ok(()) };
    let sealed = tx.vault().encrypt(PHONE, id.0, phone.reveal());
    let index = tx.vault().index(PHONE, phone.reveal());
    tx.execute_one(SET_PHONE, p![id, sealed, index])
}

pub(super) fn phone(tx: &mut Tx<'_>, id: CarerId) -> Result<String, Fault> {
    let sealed: Vec<u8> = tx.one(PHONE_OF, p![id], |row| row.get(0))?;
    tx.vault().decrypt(PHONE, id.0, &sealed)
}

pub(super) fn set_leave(tx: &mut Tx<'_>, id: CarerId, leave: Option<(Day, Day)>) -> Result<(), Fault> {
    let (from, to) = leave.map(|(from, to)| (from.to_string(), to.to_string())).unzip();
    tx.execute_one(SET_LEAVE, p![id, from, to])
}

pub(super) fn depart(tx: &mut Tx<'_>, id: CarerId, at: At) -> Result<(), Fault> {
    tx.execute_one(DEPART, p![id, at])
}

/// Inserts unless one of the same kind from the same day is there; answers whether it did.
pub(super) fn insert_certificate(tx: &mut Tx<'_>, id: CarerId, new: &NewCertificate) -> Result<bool, Fault> {
    let (from, to) = (new.valid_from.to_string(), new.valid_to.to_string());
    let touched = tx.execute(INSERT_CERTIFICATE, p![id, new.skill.code(), new.certificate_no, from, to])?;
    Ok(touched == 1)
}

/// A certificate in four columns from `n` on.
fn held(row: &Row<'_>, n: usize, renewed: bool) -> Result<Held, Fault> {
    Ok(Held {
        skill: row.word(n, Certificate::from_code)?,
        certificate_no: row.get(n + 1)?,
        valid_from: row.get(n + 2)?,
        valid_to: row.get(n + 3)?,
        renewed,
    })
}

pub(super) fn certificates(tx: &mut Tx<'_>, id: CarerId) -> Result<Vec<Held>, Fault> {
    tx.all(CERTIFICATES, p![id], |row| held(row, 0, row.get::<i64>(4)? > 0))
}

pub(super) fn carer(tx: &mut Tx<'_>, id: CarerId, scope: Scope) -> Result<Option<Carer>, Fault> {
    // The vault cannot be used while rows are read, so sealed phones are opened afterwards.
    let rows = carers(tx, CARER, p![scope.lo, scope.hi, scope.provider, scope.carer, id])?;
    Ok(rows.into_iter().next())
}

fn carers(
    tx: &mut Tx<'_>,
    sql: &'static str,
    params: &[crate::store::Value<'_>],
) -> Result<Vec<Carer>, Fault> {
    let vault = tx.vault();
    tx.all(sql, params, |row| carer_row(row, &|id, sealed| vault.decrypt(PHONE, id, sealed)))
}

pub(super) fn list(
    tx: &mut Tx<'_>,
    scope: Scope,
    filter: &Filter,
    limit: i64,
    on: Day,
) -> Result<Vec<Carer>, Fault> {
    let words = match filter.words.trim() {
        "" => String::new(),
        words => format!("%{}%", words.replace(['%', '_'], "")),
    };
    let provider = filter.provider.map_or(0, |p| p.0);
    let skill = filter.skill.map_or("", Certificate::code);
    let (on, limit) = (on.to_string(), limit.clamp(1, 1000));
    let params =
        p![scope.lo, scope.hi, scope.provider, scope.carer, provider, words, skill, on, filter.left, limit];
    let mut carers = carers(tx, LIST, params)?;
    let mut by_carer: HashMap<CarerId, Vec<Held>> = HashMap::new();
    let wanted = p![scope.lo, scope.hi, scope.provider, scope.carer, provider];
    tx.each(HELD_BY, wanted, |row| {
        by_carer.entry(row.get(0)?).or_default().push(held(row, 1, false)?);
        Ok(())
    })?;
    for carer in &mut carers {
        carer.certificates = by_carer.remove(&carer.id).unwrap_or_default();
    }
    Ok(carers)
}

pub(super) fn expiring(
    tx: &mut Tx<'_>,
    scope: Scope,
    provider: Option<ProviderId>,
    limit: i64,
    on: Day,
) -> Result<Vec<Expiring>, Fault> {
    let soon = on.checked_add(jiff::Span::new().days(ENDING_DAYS)).unwrap_or(on).to_string();
    let provider = provider.map_or(0, |p| p.0);
    let limit = limit.clamp(1, 1000);
    let params = p![scope.lo, scope.hi, scope.provider, scope.carer, provider, soon, limit];
    tx.all(EXPIRING, params, |row| {
        Ok(Expiring {
            carer: row.get(0)?,
            name: row.get(1)?,
            provider: row.get(2)?,
            provider_name: row.get(3)?,
            held: held(row, 4, false)?,
        })
    })
}
