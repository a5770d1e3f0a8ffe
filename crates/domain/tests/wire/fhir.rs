//! Measurements, `devices.md` §6.

use domain::signals::{feed::Protocol::Fhir, fhir};
use serde_json::{Value, json};

use crate::{all, has, one};

fn observation(code: &str, more: Value) -> Value {
    let mut whole = json!({
        "resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/E0001"},
        "effectiveDateTime": "2026-03-01T07:32:10+08:00",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
    });
    for (key, value) in more.as_object().unwrap() {
        whole[key] = value.clone();
    }
    whole
}

fn single(code: &str, value: f64, unit: &str) -> Value {
    observation(code, json!({"valueQuantity": {"value": value, "code": unit}}))
}

fn part(code: &str, more: Value) -> Value {
    let mut whole = json!({"code": {"coding": [{"system": "http://loinc.org", "code": code}]}});
    for (key, value) in more.as_object().unwrap() {
        whole[key] = value.clone();
    }
    whole
}

fn mm(value: f64) -> Value {
    json!({"valueQuantity": {"value": value, "unit": "mmHg"}})
}

fn read(value: &Value) -> Value {
    one(Fhir, &value.to_string())
}

#[test]
fn every_code_has_its_kind_and_unit() {
    for (code, value, unit, kind, kept, kept_unit) in [
        ("8867-4", 72.5, "/min", "heart_rate", 72.5, "/min"),
        ("15074-8", 6.3, "mmol/L", "glucose", 6.3, "mmol/L"),
        ("2339-0", 113.5, "mg/dL", "glucose", 6.3, "mmol/L"),
        ("2339-0", 100.0, "mg/dL", "glucose", 5.55, "mmol/L"),
        ("59408-5", 97.5, "%", "spo2", 97.5, "%"),
        ("8310-5", 36.6, "Cel", "temperature", 36.6, "Cel"),
        ("29463-7", 58.2, "kg", "weight", 58.2, "kg"),
        ("8480-6", 120.5, "mm[Hg]", "systolic", 120.5, "mm[Hg]"),
    ] {
        has(&read(&single(code, value, unit)), &json!({"kind": kind, "value": kept, "unit": kept_unit}));
    }
}

#[test]
fn a_panel_is_told_by_its_code_and_a_missing_half_is_null() {
    let panel = |parts: Value| read(&observation("85354-9", json!({"component": parts})));
    let absent = json!({"dataAbsentReason": {"coding": [{"code": "error"}]}});
    has(
        &panel(json!([part("8462-4", mm(94.5)), part("8480-6", mm(152.5))])),
        &json!({"kind": "blood_pressure", "systolic": 152.5, "diastolic": 94.5, "value": "-"}),
    );
    has(
        &panel(json!([part("8480-6", mm(152.5)), part("8462-4", absent.clone())])),
        &json!({"systolic": 152.5, "diastolic": null}),
    );
    has(&panel(json!([part("8480-6", absent.clone()), part("8462-4", absent)])), &json!({"error": "value"}));
    has(&panel(json!([part("8480-6", mm(401.0)), part("8462-4", mm(90.0))])), &json!({"error": "value"}));
    has(&panel(json!([])), &json!({"error": "value"}));
}

#[test]
fn status_decides_what_is_kept() {
    for status in ["final", "amended", "corrected", "preliminary"] {
        let mut value = single("8867-4", 72.5, "/min");
        value["status"] = json!(status);
        has(&read(&value), &json!({"status": status, "value": 72.5}));
        let alarms = fhir::decode(value.to_string().as_bytes()).unwrap().alarms;
        assert_eq!(alarms, status != "preliminary", "{status}");
    }
    for status in ["entered-in-error", "cancelled"] {
        let mut value = single("8867-4", 9_000.0, "furlong");
        value["status"] = json!(status);
        value["id"] = json!("obs-7");
        has(&read(&value), &json!({"id": "obs-7", "status": status, "kind": "heart_rate", "value": "-"}));
    }
    for status in [json!("registered"), json!("unknown"), json!(null)] {
        let mut value = single("8867-4", 72.0, "/min");
        value["status"] = status;
        has(&read(&value), &json!({"error": "status"}));
    }
}

#[test]
fn times_have_zones() {
    for (time, told) in [
        (json!("2026-03-01T07:32:10Z"), json!("2026-03-01T07:32:10Z")),
        (json!("2026-03-01T07:32:10.500-05:00"), json!("2026-03-01T07:32:10.500-05:00")),
        (json!(null), json!(null)),
    ] {
        let mut value = single("8867-4", 72.0, "/min");
        value["effectiveDateTime"] = time;
        has(&read(&value), &json!({"time": told}));
    }
    for time in [json!("2026-03-01"), json!("2026-03-01T07:32:10"), json!("gestern"), json!(7)] {
        let mut value = single("8867-4", 72.0, "/min");
        value["effectiveDateTime"] = time;
        has(&read(&value), &json!({"error": "time"}));
    }
    let mut period = single("8867-4", 72.0, "/min");
    period["effectiveDateTime"] = json!(null);
    period["effectivePeriod"] = json!({"start": "2026-03-01T07:00:00+08:00"});
    has(&read(&period), &json!({"time": "2026-03-01T07:00:00+08:00"}));
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let without = |field: &str| {
        let mut value = single("8867-4", 72.0, "/min");
        value[field] = json!(null);
        value
    };
    let quantity = |quantity: Value| observation("8867-4", json!({"valueQuantity": quantity}));
    for (value, error) in [
        (single("8480-6", 9_000.0, "mm[Hg]"), "value"),
        (single("8480-6", 0.0, "mm[Hg]"), "value"),
        (single("59408-5", 101.0, "%"), "value"),
        (single("8310-5", 97.9, "Cel"), "value"),
        (single("8867-4", 72.0, "kg"), "unit"),
        (single("8310-5", 97.9, "[degF]"), "unit"),
        (quantity(json!({"value": 72})), "unit"),
        (quantity(json!({"value": 72, "unit": ""})), "unit"),
        (quantity(json!({"code": "/min"})), "value"),
        (quantity(json!({"value": "72", "code": "/min"})), "value"),
        (single("1-1", 72.0, "kg"), "code"),
        (
            observation(
                "85354-9",
                json!({"code": {"coding": [{"system": "http://snomed.info/sct", "code": "8867-4"}]}}),
            ),
            "code",
        ),
        (without("subject"), "subject"),
        (without("code"), "code"),
        (without("valueQuantity"), "value"),
        (json!({"resourceType": "Patient"}), "resource"),
        (json!([1]), "resource"),
    ] {
        let told = &all(Fhir, &value.to_string())[0];
        if value.is_array() {
            has(told, &json!({"error": "resource"}));
        } else {
            has(told, &json!({"protocol": "fhir", "error": error}));
        }
    }
    has(&one(Fhir, "{\"resourceType\":"), &json!({"error": "json"}));
    has(&one(Fhir, "hello"), &json!({"error": "json"}));
    let big =
        format!("{{\"resourceType\":\"Observation\",\"note\":\"{}\"}}", "x".repeat(fhir::DOCUMENT_BYTES_MAX));
    has(&one(Fhir, &big), &json!({"error": "size"}));
}

#[test]
fn elders_are_found_in_any_shape_of_reference() {
    for (subject, patient) in [
        (json!({"reference": "Patient/E7"}), "E7"),
        (json!({"reference": "https://care.example/fhir/Patient/E7"}), "E7"),
        (json!({"reference": "E7"}), "E7"),
        (json!({"identifier": {"system": "x", "value": "E7"}}), "E7"),
    ] {
        let mut value = single("8867-4", 72.0, "/min");
        value["subject"] = subject;
        has(&read(&value), &json!({"patient": patient}));
    }
}

#[test]
fn lists_bundles_and_broken_neighbours() {
    let (a, b) = (single("8867-4", 72.5, "/min"), single("29463-7", 58.5, "kg"));
    let bundle = json!({"resourceType": "Bundle", "entry": [
        {"resource": a}, {"resource": {"resourceType": "Patient"}}, {"resource": b}]});
    let pretty = serde_json::to_string_pretty(&a).unwrap();
    let capture = format!("{bundle}\n[{a},\n{b}]\n{{\"resourceType\":\n{pretty}\n{pretty}{a}");
    let told: Vec<String> = all(Fhir, &capture)
        .iter()
        .map(|t| t.get("kind").or(t.get("error")).unwrap().as_str().unwrap().to_owned())
        .collect();
    let hr = "heart_rate";
    // A line that ends where a value is expected goes on in the next one, so both are lost together.
    assert_eq!(told, [hr, "weight", hr, "weight", "json", hr, hr]);
}
