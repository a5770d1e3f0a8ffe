//! Frames as devices write them. Written from the protocols' rules alone: nothing here is shared with the decoders.

use domain::time::At;
use serde_json::{Map, Value, json};

use super::Kind;
use crate::rng::Rng;

/// What goes over the wire, and to which door.
#[derive(Debug, Clone, PartialEq)]
pub enum Wire {
    /// A watch's frame over TCP.
    Watch(Vec<u8>),
    /// A fire device's frame over TCP.
    Fire(Vec<u8>),
    /// A meter's frame on the wire to its gateway, and what the gateway publishes of it.
    Meter {
        /// CJ/T 188.
        frame: Vec<u8>,
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
    },
    /// The document of a care phone's MESSAGE.
    Unit(Vec<u8>),
    /// A message published over MQTT.
    Mqtt {
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
    },
}

/// A watch that is there.
pub fn watch_beat(serial: &str, steps: u32, battery: u32) -> Wire {
    bracketed(serial, &format!("LK,{steps},0,{battery}"))
}

/// A watch that tells where it is, with a status word.
pub fn watch_position(
    serial: &str,
    clock: At,
    battery: u32,
    (word, status): (&str, u32),
    (lon, lat): (f64, f64),
) -> Wire {
    let utc = clock.plus_minutes(-8 * 60).local();
    let (date, time) = (utc.strftime("%d%m%y"), utc.strftime("%H%M%S"));
    let place = format!("A,{lat:.6},N,{lon:.6},E,0.00,0.0,72.0,7,80");
    bracketed(serial, &format!("{word},{date},{time},{place},{battery},1200,0,{status:08X},0,0,0.0"))
}

/// A watch on a wrist.
pub fn watch_pulse(serial: &str, beats: u32) -> Wire {
    bracketed(serial, &format!("PULSE,{beats}"))
}

fn bracketed(serial: &str, content: &str) -> Wire {
    Wire::Watch(format!("[3G*{serial}*{:04X}*{content}]", content.len()).into_bytes())
}

/// A button that is there.
pub fn state(county: i64, kind: &str, serial: &str, clock: At, seq: u32, battery: u32) -> Wire {
    published(county, kind, serial, clock, seq, json!({"battery": battery}))
}

/// A button that is pressed.
pub fn press(county: i64, serial: &str, clock: At, seq: u32) -> Wire {
    published(county, "sos", serial, clock, seq, json!({"event": "sos"}))
}

/// A sensor that saw somebody, or nobody.
pub fn motion(county: i64, serial: &str, clock: At, seq: u32, battery: u32, moved: bool) -> Wire {
    published(county, "pir", serial, clock, seq, json!({"occupancy": moved, "battery": battery}))
}

fn published(county: i64, kind: &str, serial: &str, clock: At, seq: u32, more: Value) -> Wire {
    let (topic, payload) = message(county, kind, serial, clock, seq, more);
    Wire::Mqtt { topic, payload }
}

fn message(county: i64, kind: &str, serial: &str, clock: At, seq: u32, more: Value) -> (String, Vec<u8>) {
    let mut payload = Map::new();
    payload.insert("ts".into(), clock.rfc3339().into());
    payload.insert("seq".into(), seq.into());
    payload.extend(more.as_object().cloned().unwrap_or_default());
    let topic = format!("care/v1/{county:06}/{kind}/{serial}/up");
    (topic, Value::Object(payload).to_string().into_bytes())
}

/// A care phone that calls for help, or says that it is there.
pub fn unit(serial: &str, reference: u32, presses: bool) -> Wire {
    let (kind, status, device) = if presses { ("ME", "010", "003") } else { ("PI", "102", "002") };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><mrq><ref>{reference}</ref><cve>0100</cve><mty>{kind}</mty>\
         <cid>{serial}</cid><dty>{device}</dty><stc>{status}</stc><pri>00</pri></mrq>"
    );
    Wire::Unit(text.into_bytes())
}

/// Something a device should never have sent, on the line it speaks on.
pub fn rubbish(kind: Kind, county: i64, serial: &str, rng: &mut Rng) -> Wire {
    match kind {
        Kind::Watch => Wire::Watch(match rng.below(3) {
            0 => b"\x00\xff\x17 no frame at all".to_vec(),
            1 => format!("[3G*{serial}*00FFUD,bad").into_bytes(),
            _ => b"[3G*9999999999*0002*LK]".to_vec(),
        }),
        Kind::Smoke => {
            let Wire::Fire(mut frame) = fire_device_state(serial, At(0), 1) else {
                return Wire::Fire(Vec::new());
            };
            let sum = frame.len() - 3;
            frame[sum] = frame[sum].wrapping_add(1);
            Wire::Fire(frame)
        }
        Kind::Unit => Wire::Unit(b"<mrq><ref>1</ref><mty>".to_vec()),
        Kind::Button | Kind::Motion | Kind::Meter => {
            let (device, payload): (&str, &[u8]) = match rng.below(3) {
                0 => (serial, b"\x00\xff no json"),
                1 => (serial, b"{\"ts\":17,\"battery\":"),
                _ => ("NOBODY-1", b"{\"battery\":50,\"seq\":1}"),
            };
            Wire::Mqtt { topic: format!("care/v1/{county:06}/pir/{device}/up"), payload: payload.to_vec() }
        }
    }
}

/// A water meter's reading: total, settlement total, clock, open valve.
pub fn meter(county: i64, serial: &str, clock: At, seq: u32, litres: u32) -> Wire {
    let mut frame = vec![0xfe, 0xfe, 0xfe, 0x68, 0x10];
    frame.extend(decimal_low_first(serial));
    // Cubic metres with two decimals: ten litres are one step.
    let total = decimal_low_first(&format!("{:08}", litres / 10));
    let local = clock.local();
    let time = decimal_low_first(&local.strftime("%Y%m%d%H%M%S").to_string());
    frame.extend([0x81, 0x16, 0x90, 0x1f, 0x00]);
    frame.extend(total);
    frame.extend([0x2c, 0, 0, 0, 0, 0x2c]);
    frame.extend(time);
    frame.extend([0, 0]);
    let sum: u32 = frame[3..].iter().map(|b| u32::from(*b)).sum();
    frame.extend([sum.to_le_bytes()[0], 0x16]);
    let told = json!({"water_total_l": litres / 10 * 10});
    let (topic, payload) = message(county, "meter", serial, clock, seq, told);
    Wire::Meter { frame, topic, payload }
}

/// Digits two by two, the last pair first.
fn decimal_low_first(digits: &str) -> Vec<u8> {
    let nibble = |b: u8| b - b'0';
    digits.as_bytes().chunks(2).rev().map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect()
}

/// A transmission device that is well.
pub fn fire_device_state(serial: &str, clock: At, seq: u16) -> Wire {
    fire(serial, clock, seq, &[&[21u8, 1, 0x01][..], &six(clock)].concat())
}

/// A smoke head that smells smoke in a kitchen.
pub fn smoke(serial: &str, clock: At, seq: u16) -> Wire {
    let mut unit = vec![2, 1, 1, 1, 40, 1, 0, 0, 0, 0x03, 0x00];
    // 厨房 in GB 18030.
    unit.extend([0xb3, 0xf8, 0xb7, 0xbf]);
    unit.resize(11 + 31, 0);
    unit.extend(six(clock));
    fire(serial, clock, seq, &unit)
}

fn fire(serial: &str, clock: At, seq: u16, unit: &[u8]) -> Wire {
    let mut frame = vec![0x40, 0x40];
    frame.extend(seq.to_le_bytes());
    frame.extend([1, 0]);
    frame.extend(six(clock));
    frame.extend(decimal_low_first(serial));
    frame.extend([1, 0, 0, 0, 0, 0]);
    frame.extend((unit.len() as u16).to_le_bytes());
    frame.push(2);
    frame.extend(unit);
    let sum: u32 = frame[2..].iter().map(|b| u32::from(*b)).sum();
    frame.extend([sum.to_le_bytes()[0], 0x23, 0x23]);
    Wire::Fire(frame)
}

/// Second, minute, hour, day, month and the year after 2000.
fn six(clock: At) -> [u8; 6] {
    let local = clock.local();
    let small = |n: i8| n.unsigned_abs();
    let year = (local.year() - 2000).clamp(0, 255) as u8;
    [
        small(local.second()),
        small(local.minute()),
        small(local.hour()),
        small(local.day()),
        small(local.month()),
        year,
    ]
}
