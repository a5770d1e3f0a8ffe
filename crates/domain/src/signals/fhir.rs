//! Measurements as FHIR R4 Observations. Source: `devices.md` §6.

mod lean;

use serde::Serialize;
use serde_json::Number;

use super::Rejected;
use lean::Lean;

/// Name of the protocol.
pub const PROTOCOL: &str = "fhir";

/// Longest document read. As JSON values it grows thirty-fold; an observation has some thousand bytes.
pub const DOCUMENT_BYTES_MAX: usize = 32 * 1024;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Measured {
    /// Systolic and diastolic pressure in mm Hg; one may be missing.
    Pressure {
        /// Systolic.
        systolic: Option<Number>,
        /// Diastolic.
        diastolic: Option<Number>,
    },
    /// One value with its unit.
    Single {
        /// The value as it was sent (glucose in mg/dL is turned into mmol/L).
        value: Number,
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

/// The panels that hold both pressures: today's and the one before.
const PRESSURE_PANELS: [&str; 2] = ["85354-9", "55284-4"];

/// Milligrams a decilitre of glucose in one millimole a litre.
const GLUCOSE_MG_DL: f64 = 18.016;

/// Decodes one Observation, or all those of a Bundle; other resources of a Bundle are left alone.
pub fn decode_each(document: &[u8], mut tell: impl FnMut(Result<Observation, Rejected>)) {
    let root = match parsed(document) {
        Ok(root) => root,
        Err(rejected) => return tell(Err(rejected)),
    };
    if root["resourceType"].text() != Some("Bundle") {
        return tell(observation(&root));
    }
    let resources = root["entry"].items().iter().map(|entry| &entry["resource"]);
    resources
        .filter(|r| r["resourceType"].text() == Some("Observation"))
        .for_each(|resource| tell(observation(resource)));
}

/// Decodes one Observation.
///
/// # Errors
/// When it is no Observation, or lacks code, unit, subject or a sane value.
pub fn decode(document: &[u8]) -> Result<Observation, Rejected> {
    observation(&parsed(document)?)
}

fn parsed(document: &[u8]) -> Result<Lean<'_>, Rejected> {
    if document.len() > DOCUMENT_BYTES_MAX {
        return Err(bad("size", "资源超过 32 KiB"));
    }
    serde_json::from_slice(document).map_err(|e| bad("json", format!("不是有效的 JSON：{e}")))
}

fn observation(root: &Lean<'_>) -> Result<Observation, Rejected> {
    if root["resourceType"].text() != Some("Observation") {
        return Err(bad("resource", "只接收 Observation 资源"));
    }
    let status = root["status"].text().unwrap_or_default().to_owned();
    let withdrawn = matches!(status.as_str(), "entered-in-error" | "cancelled");
    if !withdrawn && !matches!(status.as_str(), "final" | "amended" | "corrected" | "preliminary") {
        return Err(bad(
            "status",
            "status 应为 final、amended、corrected、preliminary、entered-in-error 或 cancelled",
        ));
    }
    let (kind, measured) = measured(root, withdrawn)?;
    Ok(Observation {
        id: root["id"].text().map(str::to_owned),
        patient: patient(root)?.to_owned(),
        alarms: matches!(status.as_str(), "final" | "amended" | "corrected"),
        status,
        time: time(root)?,
        kind,
        measured,
    })
}

/// The last step of the reference, or the number the elder is known by.
fn patient<'a>(root: &'a Lean<'_>) -> Result<&'a str, Rejected> {
    let subject = &root["subject"];
    let named = subject["reference"].text().and_then(|r| r.rsplit(['/', ':']).next());
    named
        .or_else(|| subject["identifier"]["value"].text())
        .filter(|name| !name.is_empty())
        .ok_or_else(|| bad("subject", "缺少 subject.reference（测的是谁）"))
}

/// When it was measured: an instant, or the beginning of a period.
fn time(root: &Lean<'_>) -> Result<Option<String>, Rejected> {
    let places = [&root["effectiveDateTime"], &root["effectiveInstant"], &root["effectivePeriod"]["start"]];
    match places.into_iter().find(|place| !place.is_null()) {
        None => Ok(None),
        Some(Lean::Text(t)) if t.parse::<jiff::Timestamp>().is_ok() => Ok(Some(t.to_string())),
        Some(other) => {
            let rejected = bad("time", "effectiveDateTime 应为带时区的时间");
            Err(rejected.found(other.text().unwrap_or("非文本"), "如 2026-03-01T07:32:10+08:00"))
        }
    }
}

fn bad(error: &'static str, reason: impl Into<String>) -> Rejected {
    Rejected::new(PROTOCOL, error, reason)
}

fn measured(root: &Lean<'_>, withdrawn: bool) -> Result<(&'static str, Measured), Rejected> {
    let codes = codes(&root["code"]);
    let panel = codes.iter().any(|code| PRESSURE_PANELS.contains(code));
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
        let part = |code: &str| -> Result<Option<Number>, Rejected> {
            let known = KNOWN.iter().find(|k| k.code == code).expect("both parts are in the list");
            let components = root["component"].items();
            let present =
                |c: &&Lean<'_>| self::codes(&c["code"]).contains(&code) && c["dataAbsentReason"].is_null();
            components.iter().find(present).map(|c| value(&c["valueQuantity"], known)).transpose()
        };
        let (systolic, diastolic) = (part("8480-6")?, part("8462-4")?);
        if systolic.is_none() && diastolic.is_none() {
            return Err(bad("value", "血压缺少收缩压和舒张压"));
        }
        return Ok((kind, Measured::Pressure { systolic, diastolic }));
    }
    if root["valueQuantity"].is_null() {
        return Err(bad("value", "缺少 valueQuantity"));
    }
    let known = known.expect("no panel and no refusal leave a known code");
    let value = value(&root["valueQuantity"], known)?;
    let value = if known.code == "2339-0" {
        let mmol = value.as_f64().unwrap_or_default() / GLUCOSE_MG_DL;
        Number::from_f64((mmol * 100.0).round() / 100.0).unwrap_or(value)
    } else {
        value
    };
    Ok((kind, Measured::Single { value, unit: known.unit }))
}

fn codes<'a>(concept: &'a Lean<'_>) -> Vec<&'a str> {
    concept["coding"]
        .items()
        .iter()
        .filter(|c| c["system"].text().is_none_or(|system| system == "http://loinc.org"))
        .filter_map(|c| c["code"].text())
        .collect()
}

fn value(quantity: &Lean<'_>, known: &Known) -> Result<Number, Rejected> {
    let unit =
        quantity["code"].text().or_else(|| quantity["unit"].text()).filter(|unit| !unit.trim().is_empty());
    let Some(unit) = unit else { return Err(bad("unit", "缺少单位")) };
    if !known.units.contains(&unit) {
        return Err(bad("unit", "单位不对").found(unit, known.units.join(" 或 ")));
    }
    let found = quantity["value"].number().and_then(|n| Some((n, n.as_f64()?)));
    let Some((as_sent, number)) = found else { return Err(bad("value", "缺少数值")) };
    if !(known.range.0..=known.range.1).contains(&number) {
        let range = format!("{}–{}", known.range.0, known.range.1);
        return Err(bad("value", "数值超出合理范围").found(number.to_string(), range));
    }
    Ok(as_sent.clone())
}
