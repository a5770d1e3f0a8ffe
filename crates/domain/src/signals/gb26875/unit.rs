//! The data unit of a frame: objects of one type, each a fixed body and, mostly, a time.

use encoding_rs::GB18030;
use serde::Serialize;

use super::{Version, six, time};
use crate::signals::{Hex, HexBytes};

/// The data unit of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Type of its objects.
    #[serde(rename = "type")]
    pub kind: u8,
    /// How many it says.
    pub count: u8,
    /// The objects that could be read.
    pub objects: Vec<Object>,
    /// Whether every byte was understood.
    pub consumed: bool,
    /// What was not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_hex: Option<HexBytes>,
}

/// One object: only the fields its type has.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are named as in the standard")]
pub struct Object {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_type: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_addr: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component_type: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component_addr_hex: Option<Hex<4>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analog_type: Option<u8>,
    /// As it was sent; [`Object::measured`] gives it in its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analog_value: Option<i16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_hex: Option<Hex<1>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_minutes: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_hex: Option<HexBytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normal_running: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Present for types that have one; null when it is no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Option<String>>,
}

impl Object {
    /// The analog value with its decimals and unit, `("25.5", "°C")`; none for types of a vendor.
    pub fn measured(&self) -> Option<(String, &'static str)> {
        let (decimals, unit) = match self.analog_type? {
            1 => (0, ""),
            2 => (2, "m"),
            3 => (1, "°C"),
            4 => (1, "MPa"),
            5 => (1, "kPa"),
            6 => (1, "%LEL"),
            7 => (0, "s"),
            8 => (1, "V"),
            9 => (1, "A"),
            10 => (1, "L/s"),
            11 => (1, "m³/min"),
            12 => (0, "m/s"),
            _ => return None,
        };
        let value = f64::from(self.analog_value?) / 10f64.powi(decimals);
        Some((format!("{value:.*}", decimals.unsigned_abs() as usize), unit))
    }
}

/// Reads type, count and objects; what cannot be read is kept raw.
pub(super) fn read(unit: &[u8]) -> Unit {
    let (kind, count) = (unit[0], unit.get(1).copied().unwrap_or(0));
    let mut rest = unit.get(2..).unwrap_or_default();
    let mut objects = Vec::new();
    for _ in 0..count {
        let Some((object, left)) = size(kind, rest).and_then(|size| rest.split_at_checked(size)) else {
            break;
        };
        objects.push(object_of(kind, object));
        rest = left;
    }
    let consumed = rest.is_empty() && objects.len() == usize::from(count) && unit.len() > 1;
    let raw_hex = (!consumed).then(|| HexBytes(rest.to_vec()));
    Unit { kind, count, objects, consumed, raw_hex }
}

/// Bytes of the object that begins here, its time included; nothing for types we keep raw.
fn size(kind: u8, rest: &[u8]) -> Option<usize> {
    let told = |at: usize| rest.get(at).map(|n| usize::from(*n));
    Some(match kind {
        1 | 4 => 4 + 6,
        2 => 40 + 6,
        3 => 10 + 6,
        5 => 4,
        6 => 3 + told(2)?,
        7 => 38,
        8 => 2 + 6,
        21 => 1 + 6,
        24 => 2 + 6,
        25 => 2,
        26 => 1 + told(0)?,
        28 | 90 => 6,
        91 => 1,
        _ => return None,
    })
}

/// An object of a type and size that [`size`] knows.
fn object_of(kind: u8, bytes: &[u8]) -> Object {
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let mut object = Object::default();
    if matches!(kind, 1..=8) {
        (object.system_type, object.system_addr) = (Some(bytes[0]), Some(bytes[1]));
    }
    if matches!(kind, 2 | 3 | 7) {
        object.component_type = Some(bytes[2]);
        object.component_addr_hex = Some(Hex::low_first([bytes[3], bytes[4], bytes[5], bytes[6]]));
    }
    match kind {
        1 => object.state(word(2), 2, &SYSTEM),
        2 => {
            object.state(word(7), 2, &COMPONENT);
            object.text = Some(text(&bytes[9..40]));
        }
        3 => {
            object.analog_type = Some(bytes[7]);
            object.analog_value = Some(i16::from_le_bytes([bytes[8], bytes[9]]));
        }
        4 => object.operation(bytes[2], bytes[3]),
        5 => object.version = Some(Version(bytes[2], bytes[3])),
        6 => object.text = Some(text(&bytes[3..])),
        7 => object.text = Some(text(&bytes[7..])),
        21 => object.state(u16::from(bytes[0]), 1, &DEVICE),
        24 => object.operation(bytes[0], bytes[1]),
        25 => object.version = Some(Version(bytes[0], bytes[1])),
        26 => object.text = Some(text(&bytes[1..])),
        91 => object.timeout_minutes = Some(bytes[0]),
        _ => {}
    }
    if matches!(kind, 1..=4 | 8 | 21 | 24 | 28 | 90) {
        object.time = Some(time(six(bytes, bytes.len() - 6)));
    }
    object
}

impl Object {
    fn state(&mut self, word: u16, bytes: usize, names: &'static [(u32, &'static str)]) {
        self.status_hex = Some(HexBytes(word.to_be_bytes()[2 - bytes..].to_vec()));
        self.normal_running = Some(word & 1 == 1);
        self.flags = Some(flags(word, names));
    }

    fn operation(&mut self, operation: u8, operator: u8) {
        self.operation_hex = Some(Hex([operation]));
        self.operations = Some(flags(u16::from(operation), &OPERATION));
        self.operator = Some(operator);
    }
}

/// The bits of a word that are set, by their names.
fn flags(word: u16, names: &[(u32, &'static str)]) -> Vec<&'static str> {
    names.iter().filter(|(bit, _)| word & (1 << bit) != 0).map(|(_, name)| *name).collect()
}

/// GB 18030, filled up with zeros.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    GB18030.decode_without_bom_handling(&bytes[..end]).0.trim().to_owned()
}

const SYSTEM: [(u32, &str); 13] = [
    (1, "fire"),
    (2, "fault"),
    (3, "shielded"),
    (4, "supervised"),
    (5, "started"),
    (6, "feedback"),
    (7, "delayed"),
    (8, "main_power_fault"),
    (9, "backup_power_fault"),
    (10, "bus_fault"),
    (11, "manual"),
    (12, "config_changed"),
    (13, "reset"),
];

const COMPONENT: [(u32, &str); 8] = [
    (1, "fire"),
    (2, "fault"),
    (3, "shielded"),
    (4, "supervised"),
    (5, "started"),
    (6, "feedback"),
    (7, "delayed"),
    (8, "power_fault"),
];

const DEVICE: [(u32, &str); 6] = [
    (1, "fire"),
    (2, "fault"),
    (3, "main_power_fault"),
    (4, "backup_power_fault"),
    (5, "link_fault"),
    (6, "line_fault"),
];

const OPERATION: [(u32, &str); 7] = [
    (0, "reset"),
    (1, "silence"),
    (2, "manual_alarm"),
    (3, "alarm_cleared"),
    (4, "self_test"),
    (5, "confirm"),
    (6, "test"),
];
