//! Frames that a broker carried here: the name of a message says which device sent it and in which language, the
//! message is the frame as the device sent it.
//!
//! A broker has let the sender in, so what counts here is that the broker lets each device publish under its own name
//! only. A device that is not registered, or one that speaks for another without being its gateway, is as unproved
//! here as at our own doors: its alarms are taken and marked, everything else is rejected with a reason.

use std::{collections::HashMap, sync::Arc};

use app::signals::{
    devices::Known,
    intake::{AlarmFrame, Batch, Intake},
};
use domain::{
    regions::RegionCode,
    signals::{Rejected, device::Protocol, mqtt, scaip},
    time::At,
};

use super::{
    sender::{Becomes, Said, Sender, because, county, find, reject, too_many},
    stream::{self, Language},
};

/// What rejected frames are filed under when the language is not known either.
const PROTOCOL: &str = "broker";
/// Longest frame taken; the longest a device sends is a voice message of a watch.
const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Names remembered; a county has some ten thousand devices.
const NAMES_MAX: usize = 65_536;

/// A message as it came.
pub(super) struct Carried<'a> {
    /// Its name with slashes: `devices/watch/8800000015`, or a topic of our own MQTT door.
    pub(super) name: &'a str,
    pub(super) payload: &'a [u8],
    /// When it first reached us or the broker; the same when it comes again, as far as that is known.
    pub(super) received_at: At,
    /// Told because somebody subscribed, not because it happens now.
    pub(super) retained: bool,
}

/// What became of a message.
pub(super) enum Became {
    /// It waits in the courier's batch.
    Reading,
    /// To be stored before all else.
    Alarms(Vec<AlarmFrame>),
    /// It was not taken, and the reason is noted.
    Rejected,
}

/// Which device a name says is speaking, and how.
#[derive(Clone)]
struct Route {
    protocol: Protocol,
    /// Whether what is said under this name happens now.
    up: bool,
    sender: Arc<Sender>,
}

/// Reads messages of one broker.
pub(super) struct Courier {
    intake: Intake,
    peer: String,
    routes: HashMap<String, Route>,
    generation: u64,
    batch: Batch,
    /// Only alarms are wanted; another courier reads the same messages and says what is wrong with them.
    silent: bool,
}

impl Courier {
    pub(super) fn new(intake: Intake, peer: String) -> Courier {
        let generation = intake.registry().generation();
        Courier { intake, peer, routes: HashMap::new(), generation, batch: Batch::default(), silent: false }
    }

    /// One that reads what another reads too.
    pub(super) fn for_alarms(intake: Intake) -> Courier {
        Courier { silent: true, ..Courier::new(intake, String::new()) }
    }

    /// The readings gathered since the last call.
    pub(super) fn batch(&mut self) -> Batch {
        std::mem::take(&mut self.batch)
    }

    /// Reads one message.
    pub(super) async fn take(&mut self, carried: &Carried<'_>) -> Became {
        let route = match self.way(carried.name).await {
            Ok(route) => route,
            Err(rejected) => return self.reject("", &rejected, carried),
        };
        let (sender, said) = match self.read(&route, carried).await {
            Ok(read) => read,
            Err(rejected) => return self.reject(&route.sender.serial, &rejected, carried),
        };
        match sender.says(None, &said, route.protocol, carried.received_at, carried.payload) {
            Becomes::Reading(reading, counted) => {
                self.batch.push_counted(reading, counted, carried.payload);
                Became::Reading
            }
            Becomes::TooMany { say } => {
                let from = (self.peer.as_str(), say);
                too_many(&self.intake, route.protocol.code(), &sender.serial, from, carried.payload);
                Became::Rejected
            }
            Becomes::Alarms(alarms) => Became::Alarms(alarms),
            Becomes::Unproved => {
                let rejected = if sender.known.is_none() {
                    because(route.protocol.code(), "unknown_device", "设备号未登记")
                } else {
                    because(route.protocol.code(), "speaks_for_another", "不能代其他设备上报")
                };
                self.reject(&sender.serial, &rejected, carried)
            }
        }
    }

    fn reject(&self, serial: &str, rejected: &Rejected, carried: &Carried<'_>) -> Became {
        if !self.silent {
            reject(&self.intake, serial, &self.peer, rejected, carried.payload);
        }
        Became::Rejected
    }

    async fn way(&mut self, name: &str) -> Result<Route, Rejected> {
        let generation = self.intake.registry().generation();
        if generation != self.generation || self.routes.len() >= NAMES_MAX {
            self.routes.clear();
            self.generation = generation;
        }
        if let Some(route) = self.routes.get(name) {
            return Ok(route.clone());
        }
        let Address { protocol, serial, up, region } = address(name)?;
        let known = find(&self.intake, serial).await;
        let sender = Sender { serial: serial.to_owned(), verified: known.is_some(), known, region };
        let route = Route { protocol, up, sender: Arc::new(sender) };
        self.generation = self.intake.registry().generation();
        self.routes.insert(name.to_owned(), route.clone());
        Ok(route)
    }

    /// Who speaks and what it says.
    async fn read(&self, route: &Route, carried: &Carried<'_>) -> Result<(Arc<Sender>, Said), Rejected> {
        if carried.payload.len() > FRAME_BYTES_MAX {
            return Err(because(route.protocol.code(), "size", "报文超过 64 KiB"));
        }
        let state = carried.retained || !route.up;
        let (serial, said) = match route.protocol {
            Protocol::Mqtt => {
                let said = if route.sender.verified && carried.payload == b"offline" {
                    Said { state: true, ..Said::default() }
                } else {
                    Said::json(mqtt::decode(None, carried.payload)?)
                };
                return Ok((Arc::clone(&route.sender), Said { state: state || said.state, ..said }));
            }
            Protocol::Watch => stream::says(Language::Watch, carried.payload)?,
            Protocol::Gb26875 => stream::says(Language::Fire, carried.payload)?,
            Protocol::Scaip => care_phone(carried.payload)?,
            _ => stream::says(Language::Meter, carried.payload)?,
        };
        let sender = if serial == route.sender.serial {
            Arc::clone(&route.sender)
        } else {
            self.through(route.sender.known.as_deref(), serial).await
        };
        Ok((sender, Said { state, ..said }))
    }

    /// A frame that names another device than its message does: a gateway's, or nobody's.
    async fn through(&self, gateway: Option<&Known>, serial: String) -> Arc<Sender> {
        let known = find(&self.intake, &serial).await;
        let verified = known.as_ref().zip(gateway).is_some_and(|(known, by)| known.gateway == Some(by.id));
        Arc::new(Sender { serial, known, verified, region: None })
    }
}

/// What a name says.
struct Address<'a> {
    protocol: Protocol,
    serial: &'a str,
    up: bool,
    region: Option<RegionCode>,
}

fn address(name: &str) -> Result<Address<'_>, Rejected> {
    let Some(rest) = name.strip_prefix("devices/") else {
        let topic = mqtt::topic(name)?;
        let region = county(name);
        return Ok(Address { protocol: Protocol::Mqtt, serial: topic.device, up: topic.up, region });
    };
    let (protocol, serial) = rest
        .split_once('/')
        .filter(|(_, serial)| !serial.is_empty() && serial.len() <= 64)
        .ok_or_else(|| because(PROTOCOL, "topic", "名称应为 devices/协议/设备号"))?;
    let protocol = Protocol::from_code(protocol).filter(|p| {
        use Protocol::{Cjt188, Gb26875, Mqtt, Scaip, Watch};
        matches!(p, Mqtt | Watch | Gb26875 | Cjt188 | Scaip)
    });
    let protocol = protocol.ok_or_else(|| {
        because(PROTOCOL, "protocol", "经消息服务器可接入的协议为 mqtt、watch、gb26875、cjt188、scaip")
    })?;
    Ok(Address { protocol, serial, up: true, region: None })
}

fn care_phone(raw: &[u8]) -> Result<(String, Said), Rejected> {
    let read = scaip::decode(raw)?;
    let events = if read.kind == "alarm" { vec!["sos".to_owned()] } else { Vec::new() };
    Ok((read.controller.trim().to_owned(), Said { events, ..Said::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_who_speaks_and_how() {
        let read = |name| address(name).map(|a| (a.protocol, a.serial.to_owned(), a.up)).map_err(|r| r.error);
        assert_eq!(read("devices/watch/8800000015"), Ok((Protocol::Watch, "8800000015".into(), true)));
        assert_eq!(read("devices/mqtt/A/B.C"), Ok((Protocol::Mqtt, "A/B.C".into(), true)));
        assert_eq!(read("care/v1/410202/sos/S-1/up"), Ok((Protocol::Mqtt, "S-1".into(), true)));
        assert_eq!(read("care/v1/410202/sos/S-1/state"), Ok((Protocol::Mqtt, "S-1".into(), false)));
        for (name, error) in [
            ("devices/watch", "topic"),
            ("devices/watch/", "topic"),
            ("devices/fhir/1", "protocol"),
            ("devices/xmpp/1", "protocol"),
            ("elsewhere", "topic"),
        ] {
            assert_eq!(read(name), Err(error), "{name}");
        }
    }
}
