//! Measurements as FHIR R4 Observations. Source: `devices.md` §6.

use serde::Serialize;
use serde_json::Value;

use super::Rejected;

/// Name of the protocol.
pub const PROTOCOL: &str = "fhir";

/// Longest document read.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Measured {
    /// Systolic and diastolic pressure in mm Hg; one may be missing.
    Pressure {
        /// Systolic.
        systolic: Option<Value>,
        /// Diastolic.
        diastolic: Option<Value>,
    },
    /// One value with its unit.
    Single {
        /// The value as it was sent (glucose in mg/dL is turned into mmol/L).
        value: Value,
        /// The unit of the value.
        unit: &'static str,
    },
    /// Withdrawn: nothing to keep.
    None {},
}

/// A decoded observation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observation {
    /// Its own id, by which it can be withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Of whom.
    pub patient: String,
    /// Status as it was sent.
    pub status: String,
    /// When it was measured, with its zone.
    pub time: Option<String>,
    /// `blood_pressure`, `heart_rate`, `glucose`, `spo2`, `temperature`, `weight`, `systolic` or `diastolic`.
    pub kind: &'static str,
    /// What was measured.
    #[serde(flatten)]
    pub measured: Measured,
    /// Whether it may raise an alarm: preliminary and withdrawn ones may not.
    #[serde(skip)]
    pub alarms: bool,
}

/// A LOINC code we read: code, kind, unit codes that are accepted, unit we keep, lowest and highest sane value.
struct Known {
    code: &'static str,
    kind: &'static str,
    units: &'static [&'static str],
    unit: &'static str,
    range: (f64, f64),
}

const KNOWN: [Known; 8] = [
    Known {
        code: "8480-6",
        kind: "systolic",
        units: &["mm[Hg]", "mmHg"],
        unit: "mm[Hg]",
        range: (1.0, 400.0),
    },
    Known {
        code: "8462-4",
        kind: "diastolic",
        units: &["mm[Hg]", "mmHg"],
        unit: "mm[Hg]",
        range: (1.0, 400.0),
    },
    Known {
        code: "8867-4",
        kind: "heart_rate",
        units: &["/min", "{beats}/min"],
        unit: "/min",
        range: (1.0, 400.0),
    },
    Known {
        code: "15074-8",
        kind: "glucose",
        units: &["mmol/L", "mmol/l"],
        unit: "mmol/L",
        range: (0.1, 100.0),
    },
    Known {
        code: "2339-0",
        kind: "glucose",
        units: &["mg/dL", "mg/dl"],
        unit: "mmol/L",
        range: (1.0, 1800.0),
    },
    Known { code: "59408-5", kind: "spo2", units: &["%"], unit: "%", range: (1.0, 100.0) },
    Known { code: "8310-5", kind: "temperature", units: &["Cel", "°C"], unit: "Cel", range: (20.0, 45.0) },
    Known { code: "29463-7", kind: "weight", units: &["kg"], unit: "kg", range: (1.0, 400.0) },
];

/// The panel that holds both pressures.
const PRESSURE_PANEL: &str = "85354-9";

/// Milligrams a decilitre of glucose in one millimole a litre.
const GLUCOSE_MG_DL: f64 = 18.016;

/// Decodes one Observation.
///
/// # Errors
/// When it is no Observation, or lacks code, unit, subject or a sane value.
pub fn decode(document: &[u8]) -> Result<Observation, Rejected> {
    if document.len() > DOCUMENT_BYTES_MAX {
        return Err(bad("size", "资源超过 256 KiB"));
    }
    let root: Value =
        serde_json::from_slice(document).map_err(|e| bad("json", format!("不是有效的 JSON：{e}")))?;
    if root["resourceType"] != "Observation" {
        return Err(bad("resource", "只接收 Observation 资源"));
    }
    let status = root["status"].as_str().unwrap_or_default().to_owned();
    let withdrawn = matches!(status.as_str(), "entered-in-error" | "cancelled");
    if !withdrawn && !matches!(status.as_str(), "final" | "amended" | "corrected" | "preliminary") {
        return Err(bad("status", "status 应为 final、amended、corrected 或 preliminary"));
    }
    let patient =
        root["subject"]["reference"].as_str().and_then(|r| r.rsplit('/').next()).unwrap_or_default();
    if patient.is_empty() {
        return Err(bad("subject", "缺少 subject.reference（测的是谁）"));
    }
    let time = match &root["effectiveDateTime"] {
        Value::Null => None,
        Value::String(t) if t.parse::<jiff::Timestamp>().is_ok() => Some(t.clone()),
        _ => return Err(bad("time", "effectiveDateTime 应为带时区的时间")),
    };
    let (kind, measured) = measured(&root, withdrawn)?;
    Ok(Observation {
        id: root["id"].as_str().map(str::to_owned),
        patient: patient.to_owned(),
        alarms: matches!(status.as_str(), "final" | "amended" | "corrected"),
        status,
        time,
        kind,
        measured,
    })
}

fn bad(error: &'static str, reason: impl Into<String>) -> Rejected {
    Rejected::new(PROTOCOL, error, reason)
}

fn measured(root: &Value, withdrawn: bool) -> Result<(&'static str, Measured), Rejected> {
    let codes = codes(&root["code"]);
    let panel = codes.contains(&PRESSURE_PANEL);
    let known = KNOWN.iter().find(|k| codes.contains(&k.code));
    let kind = match known {
        _ if panel => "blood_pressure",
        Some(known) => known.kind,
        None if codes.is_empty() => return Err(bad("code", "缺少 LOINC 编码")),
        None => return Err(bad("code", format!("暂不接收编码 {}", codes.join("、")))),
    };
    if withdrawn {
        return Ok((kind, Measured::None {}));
    }
    if panel {
        let part = |code: &str| -> Result<Option<Value>, Rejected> {
            let known = KNOWN.iter().find(|k| k.code == code).expect("both parts are in the list");
            let components = root["component"].as_array().map_or(&[][..], Vec::as_slice);
            match components.iter().find(|c| self::codes(&c["code"]).contains(&code)) {
                Some(c) if c["dataAbsentReason"].is_null() => value(&c["valueQuantity"], known).map(Some),
                _ => Ok(None),
            }
        };
        let (systolic, diastolic) = (part("8480-6")?, part("8462-4")?);
        if systolic.is_none() && diastolic.is_none() {
            return Err(bad("value", "血压缺少收缩压和舒张压"));
        }
        return Ok((kind, Measured::Pressure { systolic, diastolic }));
    }
    let known = known.expect("no panel and no refusal leave a known code");
    let value = value(&root["valueQuantity"], known)?;
    let value = if known.code == "2339-0" {
        let mmol = value.as_f64().unwrap_or_default() / GLUCOSE_MG_DL;
        Value::from((mmol * 100.0).round() / 100.0)
    } else {
        value
    };
    Ok((kind, Measured::Single { value, unit: known.unit }))
}

fn codes(concept: &Value) -> Vec<&str> {
    let codings = concept["coding"].as_array().map_or(&[][..], Vec::as_slice);
    codings
        .iter()
        .filter(|c| c["system"].is_null() || c["system"] == "http://loinc.org")
        .filter_map(|c| c["code"].as_str())
        .collect()
}

fn value(quantity: &Value, known: &Known) -> Result<Value, Rejected> {
    let unit = quantity["code"].as_str().or_else(|| quantity["unit"].as_str());
    let Some(unit) = unit else { return Err(bad("unit", "缺少单位")) };
    if !known.units.contains(&unit) {
        return Err(bad("unit", format!("单位 {unit} 不对，应为 {}", known.units.join(" 或 "))));
    }
    let Some(number) = quantity["value"].as_f64() else { return Err(bad("value", "缺少数值")) };
    if !(known.range.0..=known.range.1).contains(&number) {
        return Err(bad("value", format!("数值 {number} 超出合理范围 {}–{}", known.range.0, known.range.1)));
    }
    Ok(quantity["value"].clone())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn single(code: &str, value: f64, unit: &str) -> Value {
        json!({
            "resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/E0001"},
            "effectiveDateTime": "2026-03-01T07:32:10+08:00",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "code": unit},
        })
    }

    fn read(value: &Value) -> Result<Observation, Rejected> {
        decode(value.to_string().as_bytes())
    }

    #[test]
    fn glucose_in_milligrams_becomes_millimoles() {
        let Measured::Single { value, unit } = read(&single("2339-0", 113.5, "mg/dL")).unwrap().measured
        else {
            panic!()
        };
        assert_eq!((value, unit), (json!(6.3), "mmol/L"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_reason() {
        let mut no_subject = single("8867-4", 72.0, "/min");
        no_subject["subject"] = json!(null);
        let mut no_code = single("8867-4", 72.0, "/min");
        no_code["code"] = json!({});
        let mut no_zone = single("8867-4", 72.0, "/min");
        no_zone["effectiveDateTime"] = json!("2026-03-01T07:32:10");
        for (value, error) in [
            (single("8480-6", 9_000.0, "mm[Hg]"), "value"),
            (single("8867-4", 72.0, "kg"), "unit"),
            (single("1-1", 72.0, "kg"), "code"),
            (no_subject, "subject"),
            (no_code, "code"),
            (no_zone, "time"),
            (json!({"resourceType": "Patient"}), "resource"),
        ] {
            assert_eq!(read(&value).unwrap_err().error, error, "{value}");
        }
    }

    #[test]
    fn preliminary_is_kept_without_alarm_and_an_error_is_withdrawn() {
        let mut value = single("59408-5", 85.0, "%");
        value["status"] = json!("preliminary");
        assert!(!read(&value).unwrap().alarms);
        value["status"] = json!("entered-in-error");
        assert_eq!(read(&value).unwrap().measured, Measured::None {});
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), number in any::<f64>()) {
            let _ = decode(&bytes);
            let _ = read(&single("8867-4", number, "/min"));
        }
    }
}
