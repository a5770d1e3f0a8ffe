//! Rows of providers and what they may do.

use domain::{
    access::Scope,
    ids::ProviderId,
    regions::RegionRange,
    time::{At, Day},
};

use super::{Contract, ENDING_DAYS, Filter, NewProvider, Provider};
use crate::{
    p,
    store::{Fault, Row, Tx, Value},
};

/// Columns of a provider with its counts; `?1` is the day up to which a certificate counts as expiring.
macro_rules! columns {
    () => {
        "SELECT v.id, v.region, v.name, v.credit_code, v.contact, v.phone, v.address, v.contract_no, v.contract_from,
            v.contract_to, v.area_lo, v.area_hi, v.entered_at,
            (SELECT COUNT(*) FROM carer c WHERE c.provider = v.id AND c.left_at IS NULL),
            (SELECT COUNT(*) FROM carer c WHERE c.provider = v.id AND c.left_at IS NULL AND EXISTS (
                SELECT 1 FROM carer_skill k WHERE k.carer = c.id AND k.valid_to <= ?1 AND NOT EXISTS (
                    SELECT 1 FROM carer_skill n
                    WHERE n.carer = k.carer AND n.skill = k.skill AND n.valid_to > ?1))),
            (SELECT COUNT(*) FROM provider_service s WHERE s.provider = v.id), v.lon, v.lat
        FROM provider v "
    };
}

/// Whose office or area meets `?2` to `?3`, and who is `?4` when that is not 0.
macro_rules! visible {
    () => {
        "(v.region BETWEEN ?2 AND ?3 OR (v.area_lo <= ?3 AND v.area_hi >= ?2)) AND (CAST(?4 AS BIGINT) = 0 OR v.id = ?4)"
    };
}

/// What a list asks for, `?1` to `?13`.
macro_rules! wanted {
    () => {
        concat!(
            "WHERE ",
            visible!(),
            " AND (?5 = '' OR v.name LIKE ?5 OR v.credit_code LIKE ?5)
            AND v.area_lo <= ?7 AND v.area_hi >= ?6
            AND (?8 = '' OR EXISTS (SELECT 1 FROM provider_service s WHERE s.provider = v.id AND s.service = ?8))
            AND v.contract_from >= ?9 AND v.contract_from <= ?10 AND v.contract_to >= ?11 AND v.contract_to <= ?12
            AND (?13 = 0 OR EXISTS (
                SELECT 1 FROM carer c JOIN carer_skill k ON k.carer = c.id
                WHERE c.provider = v.id AND c.left_at IS NULL AND k.valid_to <= ?1 AND NOT EXISTS (
                    SELECT 1 FROM carer_skill n
                    WHERE n.carer = k.carer AND n.skill = k.skill AND n.valid_to > ?1)))"
        )
    };
}

crate::statements! {
    INSERT = "INSERT INTO provider (id, region, name, credit_code, contact, phone, address, contract_no, contract_from,
            contract_to, area_lo, area_hi, entered_at, lon, lat)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
        ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE provider SET region = ?2, name = ?3, credit_code = ?4, contact = ?5, phone = ?6, address = ?7,
            contract_no = ?8, contract_from = ?9, contract_to = ?10, area_lo = ?11, area_hi = ?12, lon = ?13, lat = ?14
        WHERE id = ?1";
    BY_CODE = "SELECT id FROM provider WHERE credit_code = ?1";
    OTHER_WITH_CODE = "SELECT name FROM provider WHERE credit_code = ?1 AND id <> ?2";
    DROP_SERVICES = "DELETE FROM provider_service WHERE provider = ?1";
    INSERT_SERVICE = "INSERT INTO provider_service (provider, service) VALUES (?1, ?2)";
    SERVICES = "SELECT service FROM provider_service WHERE provider = ?1 ORDER BY service";
    KNOWN_SERVICES = "SELECT code FROM service_item
        WHERE valid_from <= ?1 AND (valid_to IS NULL OR valid_to > ?1)";
    PROVIDER = concat!(columns!(), "WHERE v.id = ?5 AND ", visible!());
    LIST = concat!(columns!(), wanted!(), " ORDER BY v.name, v.id LIMIT ?14 OFFSET ?15");
    COUNT = concat!("SELECT COUNT(*) FROM provider v ", wanted!());
    NAMES = concat!("SELECT v.id, v.name FROM provider v WHERE ?1 = ?1 AND ", visible!(), " ORDER BY v.name, v.id");
    DOING = concat!("SELECT v.id, v.name FROM provider v WHERE ", visible!(),
        " AND v.contract_from <= ?1 AND v.contract_to >= ?1
            AND EXISTS (SELECT 1 FROM provider_service s WHERE s.provider = v.id AND s.service = ?5)
        ORDER BY v.name, v.id");
}

fn provider_row(row: &Row<'_>) -> Result<Provider, Fault> {
    Ok(Provider {
        id: row.get(0)?,
        region: row.get(1)?,
        name: row.get(2)?,
        credit_code: row.get(3)?,
        contact: row.get(4)?,
        phone: row.get(5)?,
        address: row.get(6)?,
        contract_no: row.get(7)?,
        contract_from: row.get(8)?,
        contract_to: row.get(9)?,
        area: RegionRange { lo: row.get(10)?, hi: row.get(11)? },
        entered_at: row.get(12)?,
        carers: row.get(13)?,
        expiring: row.get(14)?,
        items: row.get(15)?,
        place: row.get::<Option<f64>>(16)?.zip(row.get::<Option<f64>>(17)?),
        services: Vec::new(),
    })
}

/// Inserts unless the credit code is there; answers whether it did.
pub(super) fn insert(tx: &mut Tx<'_>, id: ProviderId, new: &NewProvider, at: At) -> Result<bool, Fault> {
    let (area, (lon, lat)) = (new.area.range(), new.place.unzip());
    let touched = tx.execute(
        INSERT,
        p![
            id,
            new.region,
            new.name,
            new.credit_code.as_str(),
            new.contact,
            new.phone.reveal(),
            new.address,
            new.contract_no,
            new.contract_from.to_string(),
            new.contract_to.to_string(),
            area.lo,
            area.hi,
            at,
            lon,
            lat
        ],
    )?;
    Ok(touched == 1)
}

pub(super) fn update(tx: &mut Tx<'_>, id: ProviderId, new: &NewProvider) -> Result<(), Fault> {
    let (area, (lon, lat)) = (new.area.range(), new.place.unzip());
    tx.execute_one(
        UPDATE,
        p![
            id,
            new.region,
            new.name,
            new.credit_code.as_str(),
            new.contact,
            new.phone.reveal(),
            new.address,
            new.contract_no,
            new.contract_from.to_string(),
            new.contract_to.to_string(),
            area.lo,
            area.hi,
            lon,
            lat
        ],
    )
}

pub(super) fn by_code(tx: &mut Tx<'_>, code: &str) -> Result<ProviderId, Fault> {
    tx.one(BY_CODE, p![code], |row| row.get(0))
}

pub(super) fn other_with_code(tx: &mut Tx<'_>, code: &str, but: ProviderId) -> Result<Option<String>, Fault> {
    tx.find(OTHER_WITH_CODE, p![code, but], |row| row.get(0))
}

pub(super) fn set_services(tx: &mut Tx<'_>, id: ProviderId, services: &[String]) -> Result<(), Fault> {
    tx.execute(DROP_SERVICES, p![id])?;
    for service in services {
        tx.execute_one(INSERT_SERVICE, p![id, service.as_str()])?;
    }
    Ok(())
}

pub(super) fn services(tx: &mut Tx<'_>, id: ProviderId) -> Result<Vec<String>, Fault> {
    tx.all(SERVICES, p![id], |row| row.get(0))
}

pub(super) fn known_services(tx: &mut Tx<'_>, on: Day) -> Result<Vec<String>, Fault> {
    tx.all(KNOWN_SERVICES, p![on.to_string()], |row| row.get(0))
}

/// The last day up to which something counts as ending soon.
fn horizon(on: Day) -> Day {
    on.checked_add(jiff::Span::new().days(ENDING_DAYS)).unwrap_or(on)
}

pub(super) fn provider(
    tx: &mut Tx<'_>,
    id: ProviderId,
    scope: Scope,
    on: Day,
) -> Result<Option<Provider>, Fault> {
    let soon = horizon(on).to_string();
    tx.find(PROVIDER, p![soon, scope.lo, scope.hi, scope.provider, id], provider_row)
}

/// Runs a list's query with its thirteen parameters and those of the page.
fn with_filter<T>(
    scope: Scope,
    filter: &Filter,
    on: Day,
    page: &[i64],
    run: impl FnOnce(&[Value<'_>]) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let soon = horizon(on).to_string();
    let words = match filter.words.trim() {
        "" => String::new(),
        words => format!("%{}%", words.replace(['%', '_'], "")),
    };
    let area = filter.region.map_or(RegionRange::ALL, |region| region.range());
    let (from, to) = bounds(filter.contract, on, &soon);
    let own = scope.provider;
    let mut params = p![
        soon,
        scope.lo,
        scope.hi,
        own,
        words,
        area.lo,
        area.hi,
        filter.service,
        from.0,
        from.1,
        to.0,
        to.1,
        filter.expiring
    ]
    .to_vec();
    params.extend(page.iter().map(|n| Value::Int(*n)));
    run(&params)
}

/// First and last beginning, first and last end of a contract that stands so.
fn bounds(contract: Option<Contract>, on: Day, soon: &str) -> ((String, String), (String, String)) {
    let (first, last) = ("0000-01-01".to_owned(), "9999-12-31".to_owned());
    let on = on.to_string();
    // Days compare as text, and nothing lies between a day and the same day with a sign behind it.
    let after = |day: &str| format!("{day}~");
    match contract {
        None => ((first.clone(), last.clone()), (first, last)),
        Some(Contract::Coming) => ((after(&on), last.clone()), (first, last)),
        Some(Contract::Current) => ((first, on), (after(soon), last)),
        Some(Contract::Ending) => ((first, on.clone()), (on, soon.to_owned())),
        Some(Contract::Ended) => {
            let yesterday = on.parse::<Day>().ok().and_then(|d| d.yesterday().ok()).map(|d| d.to_string());
            ((first.clone(), last), (first, yesterday.unwrap_or(on)))
        }
    }
}

pub(super) fn list(
    tx: &mut Tx<'_>,
    scope: Scope,
    filter: &Filter,
    offset: i64,
    limit: i64,
    on: Day,
) -> Result<Vec<Provider>, Fault> {
    let page = [limit.clamp(1, 500), offset.max(0)];
    with_filter(scope, filter, on, &page, |params| tx.all(LIST, params, provider_row))
}

pub(super) fn count(tx: &mut Tx<'_>, scope: Scope, filter: &Filter, on: Day) -> Result<i64, Fault> {
    with_filter(scope, filter, on, &[], |params| tx.one(COUNT, params, |row| row.get(0)))
}

pub(super) fn names(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<(ProviderId, String)>, Fault> {
    tx.all(NAMES, p!["", scope.lo, scope.hi, scope.provider], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn doing(
    tx: &mut Tx<'_>,
    scope: Scope,
    service: &str,
    on: Day,
) -> Result<Vec<(ProviderId, String)>, Fault> {
    let on = on.to_string();
    tx.all(DOING, p![on, scope.lo, scope.hi, scope.provider, service], |row| Ok((row.get(0)?, row.get(1)?)))
}
