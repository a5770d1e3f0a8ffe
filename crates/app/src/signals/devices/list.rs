//! A list of devices as an installer hands it over: a spreadsheet with a line each, entered together.
//!
//! The same list can be entered again: devices that are there already stay as they are.

use domain::{
    access::Actor,
    ids::DeviceId,
    parties::{
        IdNumber, Origin,
        text::{compact, narrow},
    },
    refusal::Refusal as _,
    regions::RegionCode,
    signals::device::DeviceKind,
    time::Now,
};

use super::{DeviceRefusal, NewDevice, Secret, add, find_known};
use crate::{
    outcome::No,
    parties::{
        people,
        sheet::{Book, Cell, Row},
    },
    store::Tx,
};

/// Lines above the titles: the name of the list, who made it.
const TITLES_WITHIN: usize = 30;

/// What a column holds, and what installers call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Serial,
    Kind,
    IdNumber,
    Region,
    Place,
    Vendor,
    Gateway,
    Beat,
}

const TITLES: [(Column, &[&str]); 8] = [
    (Column::Serial, &["设备号", "设备编号", "序列号", "设备序列号", "IMEI", "SN"]),
    (Column::Kind, &["类别", "设备类别", "类型", "设备类型"]),
    (Column::IdNumber, &["身份证号", "身份证号码", "公民身份号码", "使用人身份证号"]),
    (Column::Region, &["区划代码", "区划", "村社区代码"]),
    (Column::Place, &["位置", "安装位置"]),
    (Column::Vendor, &["厂商", "厂家", "品牌"]),
    (Column::Gateway, &["网关", "网关设备号"]),
    (Column::Beat, &["心跳", "心跳秒", "心跳间隔秒"]),
];

/// One line that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// As numbered in the file, from 1.
    pub row: u32,
    /// What the maker calls the device.
    pub serial: String,
    /// The device, or what is wrong in the line.
    wanted: Result<Wanted, Fix>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    new: NewDevice,
    id_number: Option<IdNumber>,
    gateway: String,
}

/// A stable name, and a sentence that says what to repair.
pub type Fix = (&'static str, String);

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// It is new.
    Added(DeviceId, Secret),
    /// It was there, of this kind.
    Known(DeviceId),
    /// It was not entered.
    Refused(Fix),
}

/// Reads the lines below the titles; none when no titles are found.
pub fn lines(book: &Book) -> Option<Vec<Line>> {
    let rows = &book.table.rows;
    let (at, columns) = rows.iter().take(TITLES_WITHIN).enumerate().find_map(|(at, row)| {
        let columns = titles(row);
        let has = |wanted| columns.iter().any(|(column, _)| *column == wanted);
        (has(Column::Serial) && has(Column::Kind)).then_some((at, columns))
    })?;
    let filled = rows[at + 1..].iter().filter(|row| row.cells.iter().any(|cell| !cell.blank()));
    Some(filled.map(|row| line(row, &columns)).collect())
}

fn titles(row: &Row) -> Vec<(Column, u32)> {
    let known = |title: &str| {
        let title = compact(title).to_uppercase();
        TITLES.iter().find(|(_, names)| names.contains(&title.as_str())).map(|(column, _)| *column)
    };
    (0..).zip(&row.cells).filter_map(|(at, cell)| Some((known(&cell.text())?, at))).collect()
}

fn line(row: &Row, columns: &[(Column, u32)]) -> Line {
    let cell = |wanted| {
        let at = columns.iter().find(|(column, _)| *column == wanted).map(|(_, at)| *at);
        at.and_then(|at| row.cell(at)).filter(|cell| !cell.blank())
    };
    let serial = cell(Column::Serial).map(|cell| compact(&cell.text())).unwrap_or_default();
    Line { row: row.number, wanted: wanted(&serial, cell), serial }
}

fn wanted<'a>(serial: &str, cell: impl Fn(Column) -> Option<&'a Cell>) -> Result<Wanted, Fix> {
    let text = |column| cell(column).map(|cell| narrow(&cell.text())).unwrap_or_default();
    let kind = text(Column::Kind);
    let found = DeviceKind::ALL.iter().find(|k| k.label() == kind || k.code() == kind.to_lowercase());
    let kind = *found.ok_or_else(|| {
        let labels = DeviceKind::ALL.iter().map(|k| k.label()).collect::<Vec<_>>().join("、");
        ("device_kind", format!("不认识类别“{kind}”，可以填：{labels}"))
    })?;
    let id_number = cell(Column::IdNumber).map(|cell| {
        let origin = if cell.numeric() { Origin::NumericCell } else { Origin::Text };
        // Whether it may be a number of a test is a matter of the register: here it has to be in it.
        IdNumber::from_cell(&cell.text(), origin, true).map_err(|e| (e.code(), e.to_string()))
    });
    let id_number = id_number.transpose()?;
    let region = match compact(&text(Column::Region)) {
        typed if typed.is_empty() => None,
        typed => Some(RegionCode::parse(&typed).map_err(|e| ("region", e.to_string()))?),
    };
    let beat_seconds = match compact(&text(Column::Beat)) {
        typed if typed.is_empty() => None,
        typed => Some(typed.parse().map_err(|_| ("device_beat", DeviceRefusal::Beat.to_string()))?),
    };
    let (place, vendor) = (text(Column::Place), text(Column::Vendor));
    let new = NewDevice { vendor, region, place, beat_seconds, ..NewDevice::new(kind, serial) };
    Ok(Wanted { new, id_number, gateway: compact(&text(Column::Gateway)) })
}

/// Enters the devices of some lines. Each line is for itself: one that is refused keeps no other out. The random bytes
/// are one device's each.
///
/// # Errors
/// When the database fails, or the actor may not enter devices at all.
pub fn enter(
    tx: &mut Tx<'_>,
    actor: &Actor,
    lines: &[Line],
    random: &[[u8; 16]],
    now: Now,
) -> Result<Vec<Entered>, No<DeviceRefusal>> {
    lines.iter().zip(random).map(|(line, random)| one(tx, actor, line, *random, now)).collect()
}

fn one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    line: &Line,
    random: [u8; 16],
    now: Now,
) -> Result<Entered, No<DeviceRefusal>> {
    let wanted = match &line.wanted {
        Ok(wanted) => wanted,
        Err(fix) => return Ok(Entered::Refused(fix.clone())),
    };
    let mut new = wanted.new.clone();
    if let Some(number) = &wanted.id_number {
        match people::of_id_number(tx, actor, number)? {
            Some(person) => new.person = Some(person),
            None => {
                let message = "名册中没有这个身份证号的老人，请核对，或先登记老人".to_owned();
                return Ok(Entered::Refused(("device_person_unknown", message)));
            }
        }
    }
    if !wanted.gateway.is_empty() {
        let gateway = find_known(tx, &wanted.gateway)?.filter(|found| found.kind == DeviceKind::Gateway);
        new.gateway = match gateway {
            Some(gateway) => Some(gateway.id),
            None => {
                let message = format!("没有设备号为 {} 的网关，请把网关登记在前", wanted.gateway);
                return Ok(Entered::Refused(("device_gateway_unknown", message)));
            }
        };
    }
    match add(tx, actor, &new, random, now) {
        Ok((id, secret)) => Ok(Entered::Added(id, secret)),
        Err(No::Refused(refusal @ DeviceRefusal::Taken(_))) => match find_known(tx, &new.serial)? {
            Some(found) if found.kind == new.kind && found.person == new.person => {
                Ok(Entered::Known(found.id))
            }
            _ => Ok(Entered::Refused((refusal.code(), refusal.to_string()))),
        },
        Err(No::Refused(refusal)) => Ok(Entered::Refused((refusal.code(), refusal.to_string()))),
        Err(no) => Err(no),
    }
}
