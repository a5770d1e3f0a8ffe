//! A position with the state of the watch, the cells and the networks it heard.

use serde::Serialize;

use super::fields::Fields;
use crate::signals::clock_text;

/// Most cells and networks read from one position; watches hear about seven.
const HEARD_MAX: usize = 32;

/// A mobile cell heard by the watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Location area code.
    pub lac: i64,
    /// Cell id.
    pub cid: i64,
    /// Strength as the watch tells it.
    pub rssi: Option<i64>,
}

/// A wireless network heard by the watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wifi {
    /// Name; it may hold commas.
    pub name: String,
    /// Address, `aa:bb:cc:dd:ee:ff`.
    pub mac: String,
    /// Strength.
    pub rssi: Option<i64>,
}

/// A position with the state of the watch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Position<'a> {
    /// The watch's clock; absent when it makes no sense.
    pub time_utc: Option<String>,
    /// Whether the watch trusts its satellites.
    pub fix_valid: bool,
    /// Degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// Speed in km/h.
    pub speed_kmh: Option<f64>,
    /// Course in degrees.
    pub course: Option<f64>,
    /// Metres above the sea.
    pub altitude_m: Option<f64>,
    /// Satellites heard.
    pub satellites: Option<i64>,
    /// Mobile signal 0–100.
    pub gsm: Option<i64>,
    /// Battery 0–100.
    pub battery_pct: Option<i64>,
    /// Steps counted.
    pub steps: Option<i64>,
    /// Rolls counted.
    pub rolls: Option<i64>,
    /// The status word.
    pub status_hex: Option<String>,
    /// States in the status word.
    pub states: Vec<&'static str>,
    /// Alarms in the status word.
    pub alarms: Vec<&'static str>,
    /// Mobile country code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcc: Option<i64>,
    /// Mobile network code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mnc: Option<i64>,
    /// Cells heard.
    pub cells: Vec<Cell>,
    /// What follows the cells, as it was sent: networks and accuracy, which differ from maker to maker.
    #[serde(skip)]
    pub tail: &'a [u8],
}

impl<'a> Position<'a> {
    /// Reads the fields after the type. What cannot be read is none; a strange tail never costs the position.
    pub(super) fn read(mut f: Fields<'a>) -> Position<'a> {
        let time_utc = time(f.word(), f.word());
        let fix_valid = f.word() == b"A";
        let (lat, lon) = (coordinate(&mut f, 90.0), coordinate(&mut f, 180.0));
        let (speed_kmh, course, altitude_m) = (f.real(), f.real(), f.real());
        let (satellites, gsm, battery_pct) = (f.int(), f.int(), f.int());
        let (steps, rolls) = (f.int(), f.int());
        let status = status(f.word());
        let (mut mcc, mut mnc, mut cells) = (None, None, Vec::new());
        let count = f.int().and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(HEARD_MAX);
        if count > 0 {
            let _timing_advance = f.word();
            (mcc, mnc) = (f.int(), f.int());
            cells = self::cells(&mut f, count);
        }
        Position {
            time_utc,
            fix_valid,
            lat,
            lon,
            speed_kmh,
            course,
            altitude_m,
            satellites,
            gsm,
            battery_pct,
            steps,
            rolls,
            status_hex: status.map(hex8),
            states: names(&STATES, status),
            alarms: names(&ALARMS, status),
            mcc,
            mnc,
            cells,
            tail: f.rest(),
        }
    }

    /// Degrees north and east, when the watch knew where it was: an untrusted 0, 0 is no place.
    pub fn place(&self) -> Option<(f64, f64)> {
        let (lat, lon) = (self.lat?, self.lon?);
        (self.fix_valid || (lat, lon) != (0.0, 0.0)).then_some((lat, lon))
    }

    /// The networks heard, as far as the tail can be read. Only a position with cells says where their count stands.
    pub fn wifi(&self) -> Vec<Wifi> {
        let mut f = Fields::of(self.tail);
        let count = f.int().and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(HEARD_MAX);
        let mut heard = Vec::new();
        if self.cells.is_empty() {
            return heard;
        }
        for _ in 0..count {
            // The address ends the name, for a name may hold commas.
            let mut name = Vec::new();
            let mac = loop {
                let word = f.raw();
                if mac(word.trim_ascii()) {
                    break word.trim_ascii();
                }
                if f.over() {
                    return heard;
                }
                if !name.is_empty() {
                    name.push(b',');
                }
                name.extend_from_slice(word);
            };
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            heard.push(Wifi { name: text(&name), mac: text(mac), rssi: f.int() });
        }
        heard
    }
}

fn mac(word: &[u8]) -> bool {
    let sign =
        |(n, b): (usize, &u8)| if n % 3 == 2 { matches!(b, b':' | b'-') } else { b.is_ascii_hexdigit() };
    word.len() == 17 && word.iter().enumerate().all(sign)
}

fn cells(f: &mut Fields<'_>, count: usize) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(count);
    for _ in 0..count {
        if f.over() {
            break;
        }
        if let (Some(lac), Some(cid), rssi) = (f.int(), f.int(), f.int()) {
            cells.push(Cell { lac, cid, rssi });
        }
    }
    cells
}

/// A coordinate and its hemisphere: south and west are negative whatever sign was sent, north and east keep it.
fn coordinate(f: &mut Fields<'_>, limit: f64) -> Option<f64> {
    let (value, side) = (f.real(), f.word());
    // Adding zero turns a negative nought into a plain one.
    let signed = value.map(|v| if matches!(side, b"S" | b"W") { 0.0 - v.abs() } else { v });
    signed.filter(|v| v.abs() <= limit)
}

/// Four or eight hex digits.
fn status(word: &[u8]) -> Option<u32> {
    let digit = |n: u32, b: &u8| char::from(*b).to_digit(16).map(|d| n << 4 | d);
    (1..=8).contains(&word.len()).then(|| word.iter().try_fold(0, digit)).flatten()
}

/// `220414` and `134652` are 2014-04-22 13:46:52 UTC.
fn time(date: &[u8], clock: &[u8]) -> Option<String> {
    let three = |text: &[u8]| -> Option<(u8, u8, u8)> {
        let d: &[u8; 6] = text.try_into().ok().filter(|d: &&[u8; 6]| d.iter().all(u8::is_ascii_digit))?;
        let pair = |at: usize| (d[at] - b'0') * 10 + (d[at + 1] - b'0');
        Some((pair(0), pair(2), pair(4)))
    };
    let (day, month, year) = three(date)?;
    clock_text((2000 + i16::from(year), month, day), three(clock)?, "Z")
}

/// Low bits. Bit 3 means different things on different watches and never alarms.
const STATES: [(u32, &str); 6] = [
    (1 << 0, "low_battery"),
    (1 << 1, "out_of_fence"),
    (1 << 2, "in_fence"),
    (1 << 3, "strap_bit3"),
    (1 << 4, "moving"),
    (1 << 14, "power_cut"),
];

/// High bits; two of them mean a fall.
const ALARMS: [(u32, &str); 6] = [
    (1 << 16, "sos"),
    (1 << 17, "low_battery"),
    (1 << 18, "left_fence"),
    (1 << 19, "entered_fence"),
    (1 << 20, "taken_off"),
    (1 << 21 | 1 << 22, "fall"),
];

fn names(of: &[(u32, &'static str)], status: Option<u32>) -> Vec<&'static str> {
    let word = status.unwrap_or(0);
    of.iter().filter(|(bits, _)| word & bits != 0).map(|(_, name)| *name).collect()
}

/// Eight upper-case digits.
fn hex8(word: u32) -> String {
    let digit =
        |n: u32| char::from_digit(word >> (28 - 4 * n) & 15, 16).map_or('0', |d| d.to_ascii_uppercase());
    (0..8).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Position<'_> {
        Position::read(Fields::of(text))
    }

    #[test]
    fn an_untrusted_nought_is_no_place() {
        let rest = ",0,0,0,0,100,80,0,0,00000000,0,0";
        let place = |fix: &str| read(format!("271219,094744,{fix}{rest}").as_bytes()).place();
        assert_eq!(place("V,0.0,N,-0.0,E"), None);
        assert_eq!(place("A,0.0,N,0.0,E"), Some((0.0, 0.0)));
        assert_eq!(place("V,34.8,N,114.3,E"), Some((34.8, 114.3)));
        assert_eq!(place("A,34.8,N,,E"), None);
        assert_eq!(place("A,340.8,N,114.3,E"), None);
    }

    #[test]
    fn networks_are_read_from_their_counts_even_with_commas_in_a_name() {
        let text = "220414,134652,A,34.8,N,114.3,E,0,0,0,7,60,90,0,0,0000,1,1,460,0,9360,4082,131,\
             2,Wang, 3F,aa:bb:cc:dd:ee:01,-60,,aa:bb:cc:dd:ee:02,-71,25.0";
        let position = read(text.as_bytes());
        let heard = position.wifi();
        let told: Vec<_> = heard.iter().map(|w| (w.name.as_str(), w.mac.as_str(), w.rssi)).collect();
        assert_eq!(
            told,
            [("Wang, 3F", "aa:bb:cc:dd:ee:01", Some(-60)), ("", "aa:bb:cc:dd:ee:02", Some(-71))]
        );
    }

    #[test]
    fn a_name_in_another_encoding_costs_nothing_before_it() {
        let mut text =
            b"220414,134652,A,34.8,N,114.3,E,0,0,0,7,60,90,0,0,00010000,1,1,460,0,9360,4082,131,1,".to_vec();
        text.extend([0xcd, 0xf5, b',']);
        text.extend(b"aa:bb:cc:dd:ee:01,-60,25.0");
        let position = read(&text);
        assert!(position.alarms.contains(&"sos") && position.place().is_some() && position.cells.len() == 1);
        assert_eq!(position.wifi()[0].rssi, Some(-60));
    }

    #[test]
    fn what_the_watch_promises_and_does_not_send_is_left_out() {
        let head = "220414,134652,A,34.8,N,114.3,E,0,0,0,7,60,90,0,0,0000";
        for (tail, cells) in [
            ("", 0),
            (",", 0),
            (",x", 0),
            (",-3,1", 0),
            (",5,1,460,0,9360,4082,131", 1),
            (",2,1,460,0,9360,4082,,9360,4083,7", 2),
            (",2,1,460,0,x,4082,1,9360,4083,7", 1),
            (",999999999,1,460,0", 0),
        ] {
            let text = format!("{head}{tail}");
            let position = read(text.as_bytes());
            assert_eq!(position.cells.len(), cells, "{tail}");
            assert_eq!(position.place(), Some((34.8, 114.3)), "{tail}");
        }
    }
}
