//! What kinds of devices there are, what they speak, and how often each should be heard of.

use crate::access::words;

words! {
    /// A kind of device.
    DeviceKind {
        /// A button or pull cord that calls for help.
        Sos = "sos" "一键呼叫器",
        /// A watch with a button, a position and some measurements.
        Watch = "watch" "智能手表",
        /// Sees somebody move.
        Motion = "pir" "人体感应器",
        /// Tells when a door opens and closes.
        Door = "door" "门磁",
        /// Smells smoke.
        Smoke = "smoke" "烟感",
        /// Smells gas.
        Gas = "gas" "燃气报警器",
        /// Feels water on the floor.
        Leak = "leak" "水浸报警器",
        /// Feels somebody in bed, their heart and breath.
        BedMat = "bedmat" "睡眠监测垫",
        /// Sees falls and movement without a picture.
        Radar = "radar" "雷达",
        /// Counts water, heat or gas.
        Meter = "meter" "远传水表",
        /// Temperature of a room.
        Temperature = "temp" "温湿度计",
        /// Blood pressure, glucose, oxygen.
        Vitals = "vitals" "健康监测设备",
        /// A care phone that speaks SCAIP.
        Unit = "unit" "呼叫主机",
        /// Passes on what the fire alarm system of a building says.
        Fire = "fire" "消防用户信息传输装置",
        /// Speaks for other devices.
        Gateway = "gateway" "网关",
    }
}

words! {
    /// A language devices speak.
    Protocol {
        /// JSON over MQTT.
        Mqtt = "mqtt" "MQTT",
        /// The bracket protocol of watches over TCP.
        Watch = "watch" "手表 TCP",
        /// GB/T 26875.3 over TCP.
        Gb26875 = "gb26875" "GB/T 26875.3",
        /// CJ/T 188, read out by a gateway.
        Cjt188 = "cjt188" "CJ/T 188",
        /// SCAIP over SIP.
        Scaip = "scaip" "SCAIP",
        /// FHIR observations over HTTP.
        Fhir = "fhir" "FHIR",
        /// A vendor's own platform over HTTP.
        Webhook = "webhook" "厂商平台",
    }
}

words! {
    /// Whether a device is in use.
    DeviceState {
        /// In use.
        Active = "active" "在用",
        /// Taken out of use; what it sends is not taken any more.
        Retired = "retired" "已停用",
    }
}

impl DeviceKind {
    /// What such a device speaks unless somebody says otherwise.
    pub fn protocol(self) -> Protocol {
        match self {
            DeviceKind::Watch => Protocol::Watch,
            DeviceKind::Fire => Protocol::Gb26875,
            DeviceKind::Unit => Protocol::Scaip,
            DeviceKind::Vitals => Protocol::Fhir,
            _ => Protocol::Mqtt,
        }
    }

    /// Seconds within which it should be heard of again unless somebody says otherwise: what makers ship. Meters and
    /// cuffs speak once a day, buttons every few hours to save their battery, what hangs on the mains every few
    /// minutes.
    pub fn beat_seconds(self) -> i64 {
        const MINUTE: i64 = 60;
        const HOUR: i64 = 60 * MINUTE;
        match self {
            DeviceKind::Watch => 8 * MINUTE,
            DeviceKind::Gateway | DeviceKind::Fire | DeviceKind::Radar | DeviceKind::BedMat => 5 * MINUTE,
            DeviceKind::Motion | DeviceKind::Temperature => HOUR,
            DeviceKind::Sos | DeviceKind::Unit => 2 * HOUR,
            DeviceKind::Door | DeviceKind::Smoke | DeviceKind::Gas | DeviceKind::Leak => 4 * HOUR,
            DeviceKind::Meter | DeviceKind::Vitals => 24 * HOUR,
        }
    }

    /// Whether it belongs to a person and so cannot be entered without one. The others may watch a place.
    pub fn worn(self) -> bool {
        matches!(self, DeviceKind::Watch)
    }

    /// Reads a stable name or what a maker's list calls it.
    pub fn parse(text: &str) -> Option<DeviceKind> {
        let text = text.trim().to_ascii_lowercase();
        DeviceKind::from_code(&text).or(match text.as_str() {
            "button" | "pendant" => Some(DeviceKind::Sos),
            "motion" => Some(DeviceKind::Motion),
            "temperature" => Some(DeviceKind::Temperature),
            "water" => Some(DeviceKind::Meter),
            "scaip" => Some(DeviceKind::Unit),
            "fhir" => Some(DeviceKind::Vitals),
            "bed" => Some(DeviceKind::BedMat),
            "water_leak" => Some(DeviceKind::Leak),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_by_its_name_or_a_makers_word() {
        assert_eq!(DeviceKind::parse("sos"), Some(DeviceKind::Sos));
        assert_eq!(DeviceKind::parse(" Button "), Some(DeviceKind::Sos));
        assert_eq!(DeviceKind::parse("toaster"), None);
        for kind in DeviceKind::ALL {
            assert_eq!(DeviceKind::parse(kind.code()), Some(*kind));
            assert!(kind.beat_seconds() >= 60);
        }
    }
}
