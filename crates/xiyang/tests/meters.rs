//! Water meters, from the wire to the incident: through MQTT in JSON, through MQTT as frames of a gateway, and over TCP.

#![expect(clippy::unwrap_used, reason = "a test that finds anything unexpected has failed")]

#[expect(dead_code, reason = "other tests use the rest of it")]
mod common;
#[path = "common/devices.rs"]
mod doors;

use std::{
    collections::BTreeMap,
    io::Write as _,
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use app::{
    p,
    signals::{
        devices::{self, NewDevice},
        incidents, sightings, silences,
    },
    store::{Fault, Store},
};
use common::Folder;
use domain::{
    ids::{DeviceId, PersonId},
    regions::RegionCode,
    signals::{device::DeviceKind, incident::IncidentKind, sighting::SightingKind},
};
use doors::{City, Mqtt, actor, now, prepare, store, topic};

/// When the server believes it is: half a day after the first reading.
const CLOCK: &str = "2026-11-21T21:00:00+08:00";

fn elder(store: &Store, name: &'static str) -> PersonId {
    let village = RegionCode::parse("410202001001").unwrap();
    store
        .write(move |tx| {
            let id = tx.id(now());
            tx.execute_one(
                "INSERT INTO person (id, region, name, initials, sex, birth, state, living, address, entered_at,
                    updated_at, batch, code)
                VALUES (?1, ?2, ?3, 'x', 2, '1940-05-01', 'active', 'alone', '理事厅社区 3 号楼', ?4, ?4, 0, ?5)",
                p![id, village, name, now().0, vec![0u8; 16]],
            )?;
            Ok::<_, Fault>(PersonId(id))
        })
        .unwrap()
}

fn meter(
    store: &Store,
    serial: &'static str,
    person: PersonId,
    gateway: Option<DeviceId>,
) -> (DeviceId, String) {
    let new = NewDevice { person: Some(person), gateway, ..NewDevice::new(DeviceKind::Meter, serial) };
    let made = store.write(move |tx| devices::add(tx, &actor(), &new, [9; 16], now())).unwrap();
    (made.0, made.1.reveal().to_owned())
}

/// A total of cold water by CJ/T 188, in cubic metres with two decimals, at an hour of that day.
fn frame(address: &str, hundredths: u32, (hour, minute): (u8, u8)) -> Vec<u8> {
    let bcd = |n: u8| ((n / 10) << 4) | (n % 10);
    let low_first = |digits: &str| -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..digits.len() / 2)
            .map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).unwrap())
            .collect();
        bytes.reverse();
        bytes
    };
    let total = low_first(&format!("{hundredths:08}"));
    let mut body = vec![0x68, 0x10];
    body.extend(low_first(address));
    body.extend([0x81, 22, 0x90, 0x1f, 0]);
    body.extend(&total);
    body.push(0x2c);
    body.extend([0, 0, 0, 0, 0x2c]);
    body.extend([0, bcd(minute), bcd(hour), 0x21, 0x11, 0x26, 0x20, 0, 0]);
    let sum = body.iter().fold(0_u8, |sum, b| sum.wrapping_add(*b));
    body.extend([sum, 0x16]);
    body
}

/// Who has an incident of too little water.
fn quiet(data: &Path) -> Vec<PersonId> {
    let all = store(data)
        .read(|tx| incidents::incidents(tx, &actor(), &incidents::Filter::default(), None, 100))
        .unwrap();
    let low = all.into_iter().filter(|line| line.incident.kind == IncidentKind::WaterLow);
    let mut people: Vec<PersonId> = low.filter_map(|line| line.incident.person).collect();
    people.sort();
    people
}

#[test]
fn hardly_any_water_in_half_a_day_is_an_incident_whatever_the_meter_speaks() {
    const WIRED: &str = "20111005123456";
    const READ_OUT: &str = "20111005654321";
    let folder = Folder::new("meters");
    let data = folder.0.join("data");
    let gateway_secret = prepare(&data, &[(DeviceKind::Gateway, "GW-1".to_owned())]).remove(0);
    let own = store(&data);
    let gateway = own.read(|tx| devices::find_known(tx, "GW-1")).unwrap().unwrap().id;
    let people: BTreeMap<&str, PersonId> =
        ["王秀英", "张德福", "李桂兰", "赵玉梅"].into_iter().map(|name| (name, elder(&own, name))).collect();
    let (_, json) = meter(&own, "WM-1", people["王秀英"], None);
    let (_, usual) = meter(&own, "WM-2", people["张德福"], None);
    meter(&own, WIRED, people["李桂兰"], None);
    meter(&own, READ_OUT, people["赵玉梅"], Some(gateway));
    silences::refresh(&own, true, now()).unwrap();
    drop(own);

    let log = folder.0.join("log");
    let city = City::start_with(&data, &log, &["--mqtt", "--meter"], &["--clock", CLOCK]);
    let hours = [(8, 30), (14, 30), (20, 50)];
    // Nine litres in twelve hours, and fifteen.
    for (serial, secret, litres) in
        [("WM-1", &json, [100_000, 100_004, 100_009]), ("WM-2", &usual, [100_000, 100_004, 100_015])]
    {
        let mut client = Mqtt::connect(city.door("mqtt"), serial, secret).unwrap();
        for (n, ((hour, minute), litres)) in (1..).zip(hours.into_iter().zip(litres)) {
            let ts = format!("2026-11-21T{hour:02}:{minute:02}:00+08:00");
            let said = format!(r#"{{"ts":"{ts}","seq":{n},"water_total_l":{litres}}}"#);
            client.publish(&topic("meter", serial), n, said.as_bytes()).unwrap();
        }
    }
    // A gateway passes on frames of the meter it may speak for; of another they are refused.
    let mut client = Mqtt::connect(city.door("mqtt"), "GW-1", &gateway_secret).unwrap();
    for (n, at) in (1..).zip(hours) {
        for address in [READ_OUT, WIRED] {
            let hex: String = frame(address, 12_300, at).iter().map(|b| format!("{b:02X}")).collect();
            client
                .publish(&topic("gateway", "GW-1"), n, format!(r#"{{"frame":"{hex}"}}"#).as_bytes())
                .unwrap();
        }
    }
    std::thread::sleep(Duration::from_secs(12));
    assert!(!quiet(&data).contains(&people["李桂兰"]), "its own frames did not come yet");
    // Noise, a frame in two pieces, two glued together.
    let mut wire = TcpStream::connect(city.door("meter")).unwrap();
    let first = frame(WIRED, 77_700, hours[0]);
    wire.write_all(b"\x00\xff\xfe\xfe").unwrap();
    wire.write_all(&first[..9]).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    wire.write_all(&first[9..]).unwrap();
    let glued = [frame(WIRED, 77_700, hours[1]), frame(WIRED, 77_700, hours[2])].concat();
    wire.write_all(&glued).unwrap();

    let mut wanted = vec![people["王秀英"], people["李桂兰"], people["赵玉梅"]];
    wanted.sort();
    let began = Instant::now();
    while quiet(&data) != wanted {
        assert!(began.elapsed() < Duration::from_secs(40), "{:?} of {wanted:?}", quiet(&data));
        std::thread::sleep(Duration::from_millis(200));
    }
    // Water that was used is a trace of life.
    let used = people["张德福"];
    let last = store(&data).read(move |tx| sightings::last(tx, used)).unwrap().unwrap();
    assert_eq!(last.kind, SightingKind::Meter);
    assert_eq!(city.server.end().0, Some(0));
}
