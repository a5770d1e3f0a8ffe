//! What simulated devices send, read by the real decoders, holds exactly what their truth says.

use std::collections::{BTreeMap, BTreeSet};

use city::{
    City, CitySpec,
    devices::{self, Flaw, Happening, Kind, LATE_HOURS_MAX, Period, Plan, SimDevice, Storms, wire::Wire},
};
use domain::{
    signals::{cjt188, gb26875, mqtt, scaip, watch},
    time::At,
};
use jiff::civil::date;

fn city(people: u32) -> City {
    City::build(CitySpec::kaifeng(7, people, date(2026, 11, 21)), city::REGIONS)
        .expect("the regions are sound")
}

fn week(city: &City) -> (Vec<SimDevice>, Period, At) {
    let devices = devices::issued(city);
    let from = At::parse("2026-11-14T00:00").expect("a time");
    let period = devices::period(city, &devices, Plan::hours(from, 7 * 24));
    (devices, period, from)
}

/// Alarms a frame tells, with the device's number and its own time; decoded by the real decoders.
fn alarms(wire: &Wire) -> (String, Option<String>, Vec<Happening>) {
    match wire {
        Wire::Watch(frame) => {
            let frame = watch::decode(frame).expect("a watch's frame");
            assert!(frame.len_ok);
            let (time, happened) = match &frame.body {
                watch::Body::Position(p) | watch::Body::Alarm(p) => (p.time_utc.clone(), p.alarms.clone()),
                _ => (None, Vec::new()),
            };
            let of = |name: &&str| match *name {
                "sos" => Happening::Press,
                "fall" => Happening::Fall,
                other => panic!("{other}"),
            };
            (frame.device_id.to_owned(), time, happened.iter().map(of).collect())
        }
        Wire::Fire(frame) => {
            let frame = gb26875::decode(frame).expect("a fire device's frame");
            let objects = frame.app.map(|app| app.objects).unwrap_or_default();
            let fire = objects.iter().any(|o| o.flags.as_ref().is_some_and(|flags| flags.contains(&"fire")));
            (frame.source_addr_hex, frame.time, fire.then_some(Happening::Fire).into_iter().collect())
        }
        Wire::Meter { frame, topic, payload } => {
            let frame = cjt188::decode(frame).expect("a meter's frame");
            let cjt188::Data::Totals(totals) = frame.data else { panic!("{frame:?}") };
            assert!(totals.current_total.is_some());
            let told = mqtt::decode(Some(topic), payload).expect("what the gateway makes of it");
            assert!(told.values.contains_key("water_total_l") && told.events.is_empty(), "{told:?}");
            (frame.address.to_string(), totals.meter_time, Vec::new())
        }
        Wire::Unit(document) => {
            let message = scaip::decode(document).expect("a care phone's message");
            let press = message.kind == "alarm";
            assert!(press || message.kind == "heartbeat");
            (message.controller, None, press.then_some(Happening::Press).into_iter().collect())
        }
        Wire::Mqtt { topic, payload } => {
            let message = mqtt::decode(Some(topic), payload).expect("a message");
            let device = mqtt::topic(topic).expect("a topic").device.to_owned();
            let press = message.events.iter().any(|e| e == "sos");
            (device, message.event_time, press.then_some(Happening::Press).into_iter().collect())
        }
    }
}

#[test]
fn every_happening_is_told_and_nothing_else_is() {
    let city = city(20_000);
    let (devices, period, _) = week(&city);
    assert!((150..900).contains(&devices.len()), "{} devices", devices.len());
    let mut told: BTreeMap<(u32, Happening), BTreeSet<Option<String>>> = BTreeMap::new();
    for sent in period.sent.iter().filter(|sent| !sent.rubbish) {
        let (serial, time, happened) = alarms(&sent.wire);
        let device = &devices[sent.device as usize];
        assert_eq!(serial, device.serial);
        assert_eq!(happened.first().copied(), sent.tells);
        for what in happened {
            // A fire is told by each head of the house, a care phone tells no time.
            let same = matches!(device.kind, Kind::Smoke | Kind::Unit);
            told.entry((sent.device, what)).or_default().insert(if same { None } else { time.clone() });
        }
    }
    let mut truth: BTreeMap<(u32, Happening), usize> = BTreeMap::new();
    for happened in &period.happened {
        *truth.entry((happened.device, happened.what)).or_default() += 1;
    }
    let told: BTreeMap<_, _> = told.into_iter().map(|(key, times)| (key, times.len())).collect();
    assert_eq!(told, truth, "repeats have one time, so times count happenings");
    let count = |what| period.happened.iter().filter(|h| h.what == what).count();
    assert!(count(Happening::Press) > 20 && count(Happening::Fall) > 2, "{}", period.happened.len());
}

#[test]
fn flaws_look_like_real_ones() {
    let city = city(20_000);
    let (devices, period, from) = week(&city);
    let of = |flaw: Flaw| devices.iter().filter(move |d| d.flaw == flaw).map(|d| d.index).collect::<Vec<_>>();
    let frames = |device: u32| period.sent.iter().filter(move |s| s.device == device);
    for device in of(Flaw::Dead) {
        assert_eq!(frames(device).count(), 0);
    }
    for device in of(Flaw::Dies) {
        let dies = devices[device as usize].dies.expect("it dies");
        assert!(frames(device).all(|sent| sent.made < dies), "{dies}");
        assert!(frames(device).next().is_some(), "it lived for a while");
    }
    for (flaw, year) in [(Flaw::Clock2000, "2000-"), (Flaw::Clock2099, "2099-")] {
        let spoke = of(flaw).into_iter().flat_map(frames).filter(|sent| !sent.rubbish);
        let times = spoke.filter_map(|sent| alarms(&sent.wire).1);
        // A watch tells its time by UTC, which may lie in the year before.
        let times: Vec<String> = times.collect();
        assert!(!times.is_empty() && times.iter().all(|t| t.starts_with(year)), "{flaw:?}: {times:?}");
    }
    let late = of(Flaw::Late);
    assert!(!late.is_empty());
    let end = from.plus_minutes((7 * 24 + LATE_HOURS_MAX) * 60);
    assert!(period.sent.iter().all(|sent| sent.at <= end));
    assert!(period.sent.is_sorted_by_key(|sent| sent.at));
}

/// What a door makes of rubbish: nothing that opens an incident, whatever it is.
#[test]
fn rubbish_means_nothing() {
    let city = city(20_000);
    let (_, period, _) = week(&city);
    let rubbish: Vec<_> = period.sent.iter().filter(|sent| sent.rubbish).collect();
    assert!(rubbish.len() > 100, "{}", rubbish.len());
    for sent in rubbish {
        assert!(sent.tells.is_none() && !sent.life);
        match &sent.wire {
            Wire::Watch(bytes) => {
                let events = watch::decode(bytes).map(|frame| matches!(frame.body, watch::Body::Alarm(_)));
                assert_ne!(events, Ok(true));
            }
            Wire::Fire(bytes) => assert!(gb26875::decode(bytes).is_err()),
            Wire::Unit(document) => assert!(scaip::decode(document).is_err()),
            Wire::Mqtt { topic, payload } => {
                let read = mqtt::decode(Some(topic), payload);
                assert!(topic.contains("NOBODY") || read.is_err(), "{topic}: {read:?}");
            }
            Wire::Meter { .. } => panic!("a meter's rubbish comes through its gateway"),
        }
    }
}

#[test]
fn a_storm_silences_one_maker_and_burns_one_house_at_a_time() {
    let city = city(20_000);
    let devices = devices::issued(&city);
    let from = At::parse("2026-11-20T00:00").expect("a time");
    let storms = Storms { every_minutes: 120, silent_minutes: 50 };
    let plan = Plan { storms: Some(storms), ..Plan::hours(from, 24) };
    let period = devices::period(&city, &devices, plan);
    assert!((2..=8).contains(&period.outages.len()), "{:?}", period.outages);
    let fires = period.happened.iter().filter(|h| h.what == Happening::Fire).count();
    assert!((1..=8).contains(&fires), "{fires}");
    for sent in &period.sent {
        let vendor = devices[sent.device as usize].vendor;
        let lost = period.outages.iter().any(|outage| outage.swallows(vendor, sent.at));
        // What was late or is repeated comes when it comes.
        let odd = matches!(devices[sent.device as usize].flaw, Flaw::Repeats | Flaw::Babbles | Flaw::Late);
        assert!(!lost || odd, "{sent:?}");
    }
    // Two halves of a day are the day: nothing stands on where a period begins but what happens by chance.
    let beats = |from, hours| {
        let plan = Plan { storms: Some(storms), pace: 0.0, ..Plan::hours(from, hours) };
        let sound = |sent: &devices::Sent| devices[sent.device as usize].flaw == Flaw::Sound;
        let period = devices::period(&city, &devices, plan);
        period
            .sent
            .into_iter()
            .filter(sound)
            .filter(|s| s.tells.is_none())
            .map(|s| s.made)
            .collect::<Vec<_>>()
    };
    let mut halves = [beats(from, 12), beats(from.plus_minutes(12 * 60), 12)].concat();
    let mut whole = beats(from, 24);
    halves.sort();
    whole.sort();
    assert_eq!(halves, whole);
}

#[test]
fn who_was_unseen_has_only_silent_devices() {
    let city = city(20_000);
    let (devices, period, from) = week(&city);
    let until = from.plus_minutes(7 * 24 * 60);
    let since = until.plus_minutes(-devices::UNSEEN_HOURS * 60);
    assert!(!period.unseen.is_empty() && period.unseen.len() < devices.len() / 4, "{}", period.unseen.len());
    for device in &devices {
        let heard = period.sent.iter().any(|s| s.device == device.index && s.at >= since && s.at < until);
        assert!(!(heard && period.unseen.contains(&device.person)), "{device:?}");
    }
}

#[test]
fn the_same_city_sends_the_same_bytes() {
    let (first, second) = (week(&city(3_000)), week(&city(3_000)));
    assert_eq!(first, second);
}
